import type { Facts } from '../facts/facts.ts';
import type { EvidenceRef } from '../model/evidence.ts';
import type { Evidence } from '../schema/evidence.ts';
import { describeRanOn, type Entry } from '../snapshot/entry.ts';

/** Longest quotation of one output, in lines. */
const mostLines = 8;

/** The lines themselves; a reference into the snapshot without lines quotes its beginning, or says that it is empty. */
export function quoteEvidence(facts: Facts, reference: EvidenceRef): Evidence | null {
  if (!('entry' in reference)) return { command: reference.command, on: reference.on, lines: reference.lines.slice(0, mostLines) };
  const entry = facts.snapshot.entries.get(reference.entry);
  if (!entry) return null;
  // What could not be read is no proof, and no emptiness either.
  if (entry.failure && entry.stdout === '') return null;
  const all = entry.stdout.split('\n');
  const wanted = reference.lines.length > 0 ? [...new Set(reference.lines)] : [1, 2, 3];
  const lines = wanted
    .filter((number) => number >= 1 && (all[number - 1] ?? '').trim() !== '')
    .slice(0, mostLines)
    .map((number) => ({ number, text: (all[number - 1] as string).slice(0, 1000) }));
  return {
    command: typedCommand(entry, all, wanted),
    on: describeRanOn(entry.on),
    lines: lines.length > 0 ? lines : [{ number: 1, text: '(nothing was printed)' }],
  };
}

/** The command for the quoted lines alone, where one entry holds more: single settings, the queries of a search list, a ping of the device's size. */
function typedCommand({ key, command }: Entry, lines: readonly string[], wanted: readonly number[]): string {
  if (key.endsWith('/sysctl')) {
    const keys = wanted.flatMap((number) => /^(\S+) = /.exec(lines[number - 1] ?? '')?.[1] ?? []);
    return keys.length > 0 ? `sysctl ${keys.join(' ')}` : command;
  }
  const before = lines.slice(0, wanted[0] ?? 1);
  const query = before.findLast((line) => line.startsWith('k8snet-query '));
  const [, name, server] = /name=(\S+) server=(\S+)/.exec(query ?? '') ?? [];
  if (name !== undefined && server !== undefined) return `dig @${server} ${name} A`;
  const mtu = Number(/^k8snet-mtu .*mtu=(\d+)/m.exec(before.join('\n'))?.[1]);
  return mtu > 0 ? command.replace('MTU-28', String(mtu - 28)) : command;
}
