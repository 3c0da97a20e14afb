import type { KlogEntry } from '../model/cluster-config.ts';
import type { UnparsedLine } from '../model/parsed.ts';
import { linesOf } from './line-rules.ts';
import { emptyRecord } from './text-lines.ts';

/** What stands before the klog header: kubectl --prefix, --timestamps, the container runtime's (CRI) or syslog's. */
const prefix = String.raw`^(?:\[pod\/[^\]]+\] )?(?:\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) (?:(?:stdout|stderr) [FP] )?)?(?:[A-Z][a-z]{2} +\d+ [\d:]{8} \S+ \S+\[\d+\]: )?`;
const header = new RegExp(`${prefix}([IWEF])(\\d{4} \\d\\d:\\d\\d:\\d\\d\\.\\d+) +\\d+ (\\S+:\\d+)\\] ?(.*)$`);
const levels = { I: 'info', W: 'warning', E: 'error', F: 'fatal' } as const;

/**
 * Reads klog lines (k8s.io/klog/v2, text format): header, message, `key="value"` pairs. A value that spans lines (`err=<`, tab-indented lines, ` >`), and lines of
 * an old message that holds line breaks, belong to their entry. `isKnown` names other lines that may stand in this log.
 */
export function readKlog(
  text: string,
  isKnown: (line: string) => boolean = () => false,
): { entries: KlogEntry[]; otherLines: number[]; unparsed: UnparsedLine[] } {
  const entries: KlogEntry[] = [];
  const otherLines: number[] = [];
  const unparsed: UnparsedLine[] = [];
  let open = false;
  for (const { line, text: content } of linesOf(text)) {
    if (content.trim() === '') continue;
    const match = header.exec(content);
    const body = content.replace(new RegExp(prefix), '');
    const last = entries.at(-1);
    if (match) {
      const [, level = 'I', time = '', source = '', rest = ''] = match;
      entries.push({ line, lines: [line], level: levels[level as keyof typeof levels], time, source, ...messageOf(rest) });
      open = rest.endsWith('=<');
    } else if (last && (open || /^(?:\t|\)$| >$)/.test(body))) {
      append(last, line, body);
      open = open && !/^\s*>/.test(body);
    } else if (isKnown(body)) otherLines.push(line);
    else unparsed.push({ line, text: content, why: 'no klog line' });
  }
  return { entries, otherLines, unparsed };
}

/** Joins a further line to the message, and to the value that is open. */
function append(entry: KlogEntry, line: number, body: string): void {
  entry.lines.push(line);
  entry.message += `\n${body.trim()}`;
  const [openKey] = Object.entries(entry.fields).find(([, value]) => value.startsWith('<')) ?? [];
  if (openKey !== undefined) entry.fields[openKey] = `${entry.fields[openKey]}\n${body.trim()}`;
}

/** Structured: a quoted message and pairs. Unstructured: all of it is the message. */
function messageOf(rest: string): { message: string; fields: Record<string, string> } {
  const [whole, quoted] = /^"((?:[^"\\]|\\.)*)"/.exec(rest) ?? [];
  if (whole === undefined || quoted === undefined) return { message: rest, fields: {} };
  const fields = emptyRecord<string>();
  const pair = /\s+([\w./-]+)=(?:"((?:[^"\\]|\\.)*)"|(\[[^\]]*\]|\{[^}]*\}|\S*))/y;
  pair.lastIndex = whole.length;
  for (let match = pair.exec(rest); match; match = pair.exec(rest))
    fields[match[1] ?? ''] = match[2] === undefined ? (match[3] ?? '') : unescaped(match[2]);
  return { message: unescaped(quoted), fields };
}

const unescaped = (text: string): string => text.replace(/\\(["\\nt])/g, (_all, char: string) => ({ n: '\n', t: '\t' })[char] ?? char);
