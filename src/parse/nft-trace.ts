import type { Parsed } from '../model/parsed.ts';
import { applyRules, type LineRule, linesOf } from './line-rules.ts';
import type { TracedPacket, TraceStep } from './xtables-trace.ts';

/**
 * Reads `nft monitor trace` (nft 0.9 to 1.1; src/netlink.c, trace_print_…): a packet once for each base chain, then the rules that matched it. A table is named with its
 * family. It runs until it is ended, so that a verdict that is not there was perhaps not printed: complete only when each packet has a last verdict.
 */
export function parseNftTrace(text: string): Parsed<TracedPacket[]> {
  const packets: TracedPacket[] = [];
  const unparsed = applyRules(linesOf(text), packets, rules, 'no line of nft monitor trace');
  const isWhole = packets.length > 0 && packets.every(({ steps }) => /^(?:accept|drop)$/.test(steps.at(-1)?.verdict ?? ''));
  return { value: packets, unparsed, complete: unparsed.length === 0 && isWhole };
}

const rules: readonly LineRule<TracedPacket[]>[] = [
  [
    /^trace id ([0-9a-f]{8}) \S+ \S+ \S+ packet: (.*)$/,
    (packets, [, id = '', words = ''], { line }) => packets.push({ line, id, fields: { packet: words.trim() }, steps: [] }),
  ],
  [
    /^trace id ([0-9a-f]{8}) (\w+ \S+) (\S+) (rule|policy|unknown rule handle|verdict) ?(.*)$/,
    (packets, [, id = '', table = '', chain = '', kind = '', words = ''], { line }) => {
      const packet = packets.findLast((candidate) => candidate.id === id);
      const told = /^(.*?) ?\(verdict (.+)\)$/.exec(words.trim());
      packet?.steps.push({
        line,
        table,
        chain,
        kind: kindOf(kind),
        handle: undefined,
        verdict: told?.[2] ?? words.trim(),
        rule: told?.[1] || undefined,
      });
      return packet !== undefined;
    },
  ],
  // Headings between traces, as scripts write them.
  [/^#/, () => true],
];

/** `verdict` stands alone when a chain of the user ends without a rule that decided. */
const kindOf = (word: string): TraceStep['kind'] => (word === 'policy' ? 'policy' : word === 'verdict' ? 'return' : 'rule');
