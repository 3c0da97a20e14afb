import type { ConntrackCpuStats, ConntrackStats } from '../model/conntrack.ts';
import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import { type Attempt, emptyRecord, parseEachLine, readText, type TextLine, toCount, unparsedLine, wordsOf } from './text-lines.ts';

/**
 * `conntrack -S` of conntrack-tools 1.4.0 to 1.4.9: a line per CPU, `cpu=0   	found=0 invalid=0 …`. Which counters there are depends on the kernel
 * (`ignore`, `new`, `searched`, `delete` only on old ones; `clash_resolve`, `chaintoolong` on new ones). Since kernel 5.x `insert` and `found` stay 0 in
 * normal work. Grammar: nfct_stats_attr_cb() in conntrack-tools' src/conntrack.c.
 */
export const parseConntrackStats = (text: string): Parsed<ConntrackStats> => {
  const parsed = parseEachLine(text, parseCpuLine);
  const cpus = parsed.value.map((row) => row.cpu ?? row.text); // old tools: a line per counter
  return { ...parsed, value: { cpus: parsed.value }, complete: parsed.complete && cpus.length > 0 && new Set(cpus).size === cpus.length };
};

/**
 * /proc/net/stat/nf_conntrack: a heading and one row per CPU, all numbers hexadecimal. The first column, `entries`, is the size of the table, the same on
 * each row, so it is given once and not per CPU. The `clashres` and `chainlength` columns replaced `searched` and `search_restart` in newer kernels;
 * names are kept as the kernel heads them, with `icmp_error` and the like left alone. Kernel: ct_cpu_seq_show() in nf_conntrack_standalone.c.
 */
export const parseProcConntrackStats = (text: string): Parsed<ConntrackStats> => {
  const { lines, whole } = readText(text);
  const [heading, ...rows] = lines;
  const names = wordsOf(heading?.text ?? '');
  if (heading === undefined || names[0] !== 'entries') {
    return {
      value: { cpus: [] },
      unparsed: lines.map((line) => unparsedLine(line, 'no heading that begins with "entries"')),
      complete: false,
    };
  }
  const cpus: ConntrackCpuStats[] = [];
  const unparsed: UnparsedLine[] = [];
  let entries: number | undefined;
  for (const row of rows.filter((line) => line.text.trim() !== '')) {
    const numbers = wordsOf(row.text).map((word) => (/^[0-9a-f]{8,13}$/.test(word) ? Number.parseInt(word, 16) : undefined));
    if (numbers.length !== names.length || numbers.includes(undefined)) {
      unparsed.push(unparsedLine(row, 'not a hexadecimal number for each column'));
      continue;
    }
    const counters = emptyRecord<number>();
    names.forEach((name, column) => {
      const value = numbers[column];
      if (column > 0 && value !== undefined) counters[name] = value;
    });
    entries ??= numbers[0];
    cpus.push({ line: row.line, text: row.text, cpu: cpus.length, counters });
  }
  const value: ConntrackStats = entries === undefined ? { cpus } : { cpus, entries };
  return { value, unparsed, complete: whole && unparsed.length === 0 && cpus.length > 0 };
};

const parseCpuLine = ({ line, text }: TextLine): Attempt<ConntrackCpuStats> => {
  const old = /^([a-z_]+)\s+([0-9]+)\s*$/.exec(text); // conntrack-tools before 1.4.0 print one sum per line
  const words = old === null ? wordsOf(text) : [`${old[1]}=${old[2]}`];
  const counters = emptyRecord<number>();
  for (const word of words) {
    const match = /^([a-z_]+)=([0-9]+)$/.exec(word);
    const value = toCount(match?.[2]);
    const name = match?.[1];
    if (name === undefined || value === undefined || Object.hasOwn(counters, name)) return { why: `"${word}" is no counter` };
    counters[name] = value;
  }
  const cpu = counters.cpu;
  delete counters.cpu;
  if (cpu === undefined && old === null) return { why: 'no cpu=' };
  return { ok: { line, text, cpu, counters } };
};
