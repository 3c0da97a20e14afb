import type { HasLine, Parsed } from '../model/parsed.ts';
import { applyRules, type LineRule, linesOf } from './line-rules.ts';

/** One change that iptables-nft, ip6tables-nft or arptables made, or that nft made in their tables. */
export interface XtablesEvent extends HasLine {
  /** `iptables` and the like when the change can be written as their command; `nft` when it is an object of nft. */
  by: 'iptables' | 'ip6tables' | 'arptables' | 'ebtables' | 'nft';
  table: string | undefined;
  /** `-A MON -s 10.0.0.1/32 -j DROP`; `NEW table: table filter ip flags 0 use 1 handle 1`; empty where the monitor could not print a rule. */
  change: string;
}

export interface XtablesGeneration extends HasLine {
  generation: number;
  process: number;
  program: string;
}

export interface XtablesEvents {
  events: XtablesEvent[];
  generations: XtablesGeneration[];
}

/**
 * Reads `xtables-monitor --event` of iptables 1.8 (iptables/xtables-monitor.c). It runs until it is ended, and dies on rules that it can't print: never complete. A line that
 * names a table and no command was cut.
 */
export function parseXtablesEvents(text: string): Parsed<XtablesEvents> {
  const value: XtablesEvents = { events: [], generations: [] };
  const unparsed = applyRules(linesOf(text), value, rules, 'no line of xtables-monitor --event');
  return { value, unparsed, complete: false };
}

const programs = new Map<string, XtablesEvent['by']>([
  ['4', 'iptables'],
  ['6', 'ip6tables'],
  ['0', 'arptables'],
  ['7', 'ebtables'],
]);

const rules: readonly LineRule<XtablesEvents>[] = [
  [
    /^ EVENT: -([0467]) -t (\w+) (-[ADINXPR] .*)$/,
    ({ events }, [, family = '', table = '', change = ''], { line }) =>
      events.push({ line, by: programs.get(family) ?? 'nft', table, change: change.trimEnd() }),
  ],
  [/^ EVENT: (?:# )?nft: (.*)$/, ({ events }, [, change = ''], { line }) => events.push({ line, by: 'nft', table: undefined, change })],
  [/^ EVENT: ?$/, ({ events }, _groups, { line }) => events.push({ line, by: 'nft', table: undefined, change: '' })],
  [
    /^NEWGEN: GENID=(\d+) PID=(\d+) NAME=(.*)$/,
    ({ generations }, [, generation = '', process = '', program = ''], { line }) =>
      generations.push({ line, generation: Number(generation), process: Number(process), program }),
  ],
];
