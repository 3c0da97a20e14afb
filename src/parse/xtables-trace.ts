import type { HasLine, Parsed } from '../model/parsed.ts';
import { applyRules, type LineRule, linesOf } from './line-rules.ts';
import { endsInLine } from './text-lines.ts';

/** A packet on its way through the rules, as the TRACE target tells it: once for each hook, with the rules that matched there. */
export interface TracedPacket extends HasLine {
  /** Number of the trace: the same for one packet in all hooks. */
  id: string;
  /** `IN=… OUT=… SRC=… DST=…`; a word alone (`DF`, `LOOPBACK`) has an empty value. */
  fields: Record<string, string>;
  steps: TraceStep[];
}

export interface TraceStep extends HasLine {
  table: string;
  chain: string;
  kind: 'rule' | 'return' | 'policy';
  /** Rule handle, hexadecimal. */
  handle: string | undefined;
  /** CONTINUE, ACCEPT, DROP, JUMP:chain… */
  verdict: string;
  /** The rule in the words of `iptables`. */
  rule: string | undefined;
}

/** Reads `xtables-monitor --trace` of iptables 1.8 (iptables/xtables-monitor.c). It runs until it is ended, so a verdict that is not there was perhaps not printed: complete only when each packet has a last verdict. */
export function parseXtablesTrace(text: string): Parsed<TracedPacket[]> {
  const state: State = { packets: [] };
  const unparsed = applyRules(linesOf(text), state, rules, 'no line of xtables-monitor --trace');
  const isWhole = state.packets.length > 0 && state.packets.every(({ steps }) => /^(?:ACCEPT|DROP)/.test(steps.at(-1)?.verdict ?? ''));
  return { value: state.packets, unparsed, complete: endsInLine(text) && unparsed.length === 0 && isWhole };
}

interface State {
  packets: TracedPacket[];
}

const rules: readonly LineRule<State>[] = [
  [
    /^PACKET: \d+ ([0-9a-f]+) (.*)$/,
    ({ packets }, [, id = '', words = ''], { line }) => {
      const pairs = words
        .split(' ')
        .filter(Boolean)
        .map((word) => [word.split('=')[0] ?? '', word.includes('=') ? word.slice(word.indexOf('=') + 1) : '']);
      packets.push({ line, id, fields: Object.fromEntries(pairs), steps: [] });
    },
  ],
  [
    /^ TRACE: \d+ ([0-9a-f]+) ([\w-]+):(\S+?):(rule|return|policy):(?:(0x[0-9a-f]+):)?([A-Z]+(?::\S+)?) *(.*)$/,
    ({ packets }, [, id = '', table = '', chain = '', kind = '', handle = '', verdict = '', rule = ''], { line }) => {
      const packet = packets.findLast((candidate) => candidate.id === id);
      if (packet === undefined) return false;
      packet.steps.push({
        line,
        table,
        chain,
        kind: kind as TraceStep['kind'],
        handle: handle || undefined,
        verdict,
        rule: rule.trim() || undefined,
      });
      return true;
    },
  ],
];
