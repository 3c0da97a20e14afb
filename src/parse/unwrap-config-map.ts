import { linesOf } from './line-rules.ts';

/**
 * The text under one of `keys` of a ConfigMap in YAML (`config.conf: |-` and an indented block), with its first line. Any other text comes back as it is.
 * `outerLines` are the lines of the ConfigMap around it.
 */
export function unwrapConfigMap(text: string, keys: readonly string[]): { text: string; firstLine: number; outerLines: number[] } {
  const lines = linesOf(text);
  const start = lines.findIndex(({ text: content }) => keys.some((key) => content.trimStart().startsWith(`${key}: |`)));
  const whole = { text, firstLine: 1, outerLines: [] };
  if (start < 0) return whole;
  const indentOf = (content: string): number => content.length - content.trimStart().length;
  const keyIndent = indentOf(lines[start]?.text ?? '');
  const after = lines.slice(start + 1);
  const end = after.findIndex(({ text: content }) => content.trim() !== '' && indentOf(content) <= keyIndent);
  const block = end < 0 ? after : after.slice(0, end);
  const indent = Math.min(...block.filter(({ text: content }) => content.trim() !== '').map(({ text: content }) => indentOf(content)));
  if (!Number.isFinite(indent)) return whole;
  const outer = [...lines.slice(0, start + 1), ...(end < 0 ? [] : after.slice(end))].filter(({ text: content }) => content.trim() !== '');
  return {
    text: block.map(({ text: content }) => content.slice(indent)).join('\n'),
    firstLine: start + 2,
    outerLines: outer.map(({ line }) => line),
  };
}
