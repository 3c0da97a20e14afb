import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import type { Setting, Settings } from '../model/cluster-config.ts';
import type { UnparsedLine } from '../model/parsed.ts';
import { linesOf } from './line-rules.ts';

/** Deeper documents are refused: nothing that is read here is. */
const deepest = 40;

/**
 * Every scalar of YAML (1.2) or JSON text with its path and 1-based line, offset by `firstLine - 1`. Text that is no YAML, has other than maps on top, or uses
 * aliases comes back as unparsed lines.
 */
export function settingsOf(text: string, firstLine = 1): Settings & { unparsed: UnparsedLine[] } {
  const lines = linesOf(text).map(({ line, text: content }) => ({ line: line + firstLine - 1, text: content }));
  const filled = lines.filter((line) => line.text.trim() !== '');
  const read = readDocuments(text, firstLine);
  if (typeof read === 'string') return { settings: [], otherLines: [], unparsed: filled.map((line) => ({ ...line, why: read })) };
  const named = new Set(read.map(({ line }) => line));
  return { settings: read, otherLines: filled.map(({ line }) => line).filter((line) => !named.has(line)), unparsed: [] };
}

/** The setting at a path, or at any path that ends so. */
export const settingAt = (settings: readonly Setting[], path: string): Setting | undefined =>
  settings.find((setting) => setting.path === path);

/** The settings below `path.0`, `path.1`, … in order. */
export const settingsBelow = (settings: readonly Setting[], path: string): Setting[] =>
  settings.filter((setting) => setting.path.startsWith(`${path}.`));

function readDocuments(text: string, firstLine: number): Setting[] | string {
  if (isTooDeep(text)) return 'nested too deeply';
  const counter = new LineCounter();
  try {
    const documents = parseAllDocuments(text, {
      lineCounter: counter,
      logLevel: 'silent',
      prettyErrors: false,
      strict: true,
      uniqueKeys: false,
    });
    const settings: Setting[] = [];
    for (const document of documents) {
      if (document.errors.length > 0) return `no YAML: ${(document.errors[0]?.message ?? '').split('\n')[0]}`;
      if (document.contents === null) continue;
      if (!isMap(document.contents)) return 'no map on top';
      if (!flatten(document.contents, '', 0)) return 'aliases, or nested too deeply';
    }
    if (documents.length === 0) return 'empty';
    return hasTwice(settings, documents.length) ? 'a key stands twice' : settings;

    function flatten(node: Node | null, path: string, depth: number): boolean {
      if (depth > deepest || isAlias(node)) return false;
      if (isMap(node))
        return node.items.every((pair) => isPair(pair) && flattenPair(pair.key as Node | null, pair.value as Node | null, path, depth));
      if (isSeq(node)) return node.items.every((item, index) => flatten(item as Node | null, `${path}.${index}`, depth + 1));
      if (isScalar(node)) settings.push({ path, value: scalar(node.value), line: lineOf(node) });
      return true;
    }

    function flattenPair(key: Node | null, value: Node | null, path: string, depth: number): boolean {
      const name = isScalar(key) ? String(key.value) : '';
      const below = path === '' ? name : `${path}.${name}`;
      if (value === null && isScalar(key)) settings.push({ path: below, value: null, line: lineOf(key) });
      return value === null || flatten(value, below, depth + 1);
    }

    function lineOf(node: Node): number {
      return counter.linePos(node.range?.[0] ?? 0).line + firstLine - 1;
    }
  } catch {
    return 'no YAML';
  }
}

/** The library recurses; near the end of the stack V8 ends the whole process rather than throw, so depth is bounded before. */
function isTooDeep(text: string): boolean {
  let brackets = 0;
  return text.split('\n').some((line) => {
    const marks = (/^[-?: \t]*/.exec(line)?.[0] ?? '').length;
    let inner = 0;
    let colons = 0;
    for (const char of line) {
      if (char === '[' || char === '{') brackets += 1;
      if (char === ']' || char === '}') brackets = Math.max(0, brackets - 1);
      if (brackets > inner) inner = brackets;
      if (char === ':' && brackets === 0) colons += 1;
    }
    return marks > 5 * deepest || inner > deepest || (colons > deepest && (line.match(/:\s/g)?.length ?? 0) > deepest);
  });
}

/** The library's own check takes time in the square of the number of keys. Several documents may repeat each other's keys. */
const hasTwice = (settings: readonly Setting[], documents: number): boolean =>
  documents === 1 && new Set(settings.map(({ path }) => path)).size < settings.length;

const scalar = (value: unknown): Setting['value'] =>
  typeof value === 'number' || typeof value === 'boolean' || value === null ? value : String(value);
