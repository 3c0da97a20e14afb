import type { HasLine, Parsed } from '../model/parsed.ts';
import { applyRules, type LineRule, linesOf } from './line-rules.ts';

/** `ss -s`: how many sockets there are, by state and transport. */
export interface SocketSummary {
  total: (HasLine & { count: number }) | undefined;
  tcp: (HasLine & { count: number; states: Record<string, number> }) | undefined;
  transports: (HasLine & { name: string; total: number; ip: number; ip6: number })[];
  otherLines: number[];
}

/** Reads `ss -s` of iproute2 4.9 to 6.15 (misc/ss.c `print_summary`; `Failed to find cgroup2 mount` is standard error of `ss -e`). Complete when all of its rows are there. */
export function parseSsSummary(text: string): Parsed<SocketSummary> {
  const value: SocketSummary = { total: undefined, tcp: undefined, transports: [], otherLines: [] };
  const unparsed = applyRules(linesOf(text), value, rules, 'no line of ss -s');
  return {
    value,
    unparsed,
    complete:
      unparsed.length === 0 && value.total !== undefined && value.tcp !== undefined && value.transports.some(({ name }) => name === 'FRAG'),
  };
}

const rules: readonly LineRule<SocketSummary>[] = [
  [
    /^Total: (\d+)(?: \(kernel \d+\))?$/,
    (value, [, count], { line }) => value.total === undefined && Object.assign(value, { total: { line, count: Number(count) } }),
  ],
  [
    /^TCP: {3}(\d+) \(([^)]*)\)(?:, ports \d+)?$/,
    (value, [, count, states = ''], { line }) => {
      const pairs = states.split(', ').map((pair) => pair.split(' '));
      return (
        value.tcp === undefined &&
        Object.assign(value, {
          tcp: {
            line,
            count: Number(count),
            states: Object.fromEntries(pairs.map(([name, number]) => [name, Number.parseInt(number ?? '', 10)])),
          },
        })
      );
    },
  ],
  [/^Transport Total {5}IP {8}IPv6$/, ({ otherLines }, _groups, at) => otherLines.push(at.line)],
  [
    /^(\*|RAW|UDP|TCP|INET|FRAG)\s+(\d+|-)\s+(\d+|-)\s+(\d+|-)\s*$/,
    ({ transports }, [, name = '', total, ip, ip6], { line }) =>
      transports.push({ line, name, total: Number(total), ip: Number(ip), ip6: Number(ip6) }),
  ],
  [/^Failed to find cgroup2 mount$/, ({ otherLines }, _groups, at) => otherLines.push(at.line)],
];
