import { z } from 'zod';
import type { HasLine, Parsed } from '../model/parsed.ts';
import { wholeJson } from './json-items.ts';
import { applyRules, type LineRule, linesOf } from './line-rules.ts';

/** One change of the ruleset, as it was told when it happened. */
export interface RulesetEvent extends HasLine {
  event: 'add' | 'create' | 'insert' | 'replace' | 'delete' | 'destroy';
  /** `table`, `chain`, `rule`, `set`, `map`, `element`, `counter`… */
  object: string;
  family: string;
  table: string;
  /** Of the chain, set or other object; undefined for a table. */
  name: string | undefined;
  /** What stands behind the name: a rule, elements, `handle 7`; JSON of the object in the JSON form. */
  details: string;
}

/** All changes of one transaction come before its generation. */
export interface RulesetGeneration extends HasLine {
  generation: number;
  process: number;
  program: string;
}

export interface RulesetEvents {
  events: RulesetEvent[];
  generations: RulesetGeneration[];
}

/**
 * Reads `nft monitor` and `nft -j monitor` (nft 0.9 to 1.1; src/monitor.c): one change a line. It runs until it is ended, so that it is never complete. nft 1.0.6 names the type of
 * a deleted set `invalid`, and a deleted rule without the map that it looked into.
 */
export function parseNftMonitor(text: string): Parsed<RulesetEvents> {
  const value: RulesetEvents = { events: [], generations: [] };
  const unparsed = applyRules(linesOf(text), value, rules, 'no line of nft monitor');
  return { value, unparsed, complete: false };
}

const verbs = ['add', 'create', 'insert', 'replace', 'delete', 'destroy'] as const;
const verb = verbs.join('|');

const rules: readonly LineRule<RulesetEvents>[] = [
  [
    /^# new generation (\d+) by process (\d+) \((.*)\)$/,
    ({ generations }, [, generation = '', process = '', program = ''], { line }) =>
      generations.push({ line, generation: Number(generation), process: Number(process), program }),
  ],
  [
    new RegExp(
      `^(${verb}) (table|chain|rule|set|map|element|flowtable|counter|quota|limit|secmark|synproxy|ct \\w+) (\\w+) (\\S+)(?: (\\S+))?(?: (.*))?$`,
    ),
    ({ events }, [, event = '', object = '', family = '', table = '', name = '', details = ''], { line }) =>
      events.push({ line, event: event as RulesetEvent['event'], object, family, table, name: name || undefined, details: details.trim() }),
  ],
  [/^\{.*\}\s*$/, ({ events }, [text = ''], { line }) => takeJson(events, text, line)],
];

const named = z.looseObject({
  family: z.string(),
  table: z.string().optional(),
  name: z.string().optional(),
  chain: z.string().optional(),
});
const jsonLine = z.partialRecord(z.enum(verbs), z.record(z.string(), named));

/** `{"add": {"rule": {…}}}`; false where the line is anything else. */
function takeJson(events: RulesetEvent[], text: string, line: number): boolean {
  const parsed = jsonLine.safeParse(wholeJson(text));
  if (!parsed.success) return false;
  for (const [event, objects] of Object.entries(parsed.data))
    for (const [object, item] of Object.entries(objects)) events.push(eventOf(event as RulesetEvent['event'], object, item, line));
  return true;
}

const eventOf = (event: RulesetEvent['event'], object: string, item: z.output<typeof named>, line: number): RulesetEvent => ({
  line,
  event,
  object,
  family: item.family,
  table: (object === 'table' ? item.name : item.table) ?? '',
  name: object === 'table' ? undefined : (item.chain ?? item.name),
  details: JSON.stringify(item),
});
