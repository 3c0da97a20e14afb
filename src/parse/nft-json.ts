import { z } from 'zod';
import type { NetfilterRuleset, Table } from '../model/netfilter.ts';
import type { Parsed } from '../model/parsed.ts';
import { wholeText } from './json-items.ts';
import { namedObjectOfJson } from './nft/json-named.ts';
import { chainOfJson, flowtableOfJson, ruleOfJson, setOfJson } from './nft/json-objects.ts';
import { initialNftState, isFamily, type NftState, newTable, unread } from './nft/state.ts';
import { markLossyTables } from './nft/xtables.ts';

/** Objects of later versions may have more members, and there may be more kinds of objects (libnftables-json(5)). */
const listing = z.looseObject({ nftables: z.array(z.record(z.string(), z.unknown())) });
const member = z.looseObject({ family: z.string(), table: z.string().optional(), name: z.string().optional() });

/**
 * Reads `nft -j list ruleset` (libnftables-json(5), nft 0.9 to 1.1). JSON stands on one line, so that `line` is 1 everywhere; rules carry their
 * handle, and `text` is written as nft would print the rule. Never throws: text that is no JSON gives an empty ruleset that is not complete.
 * An empty text is taken for a reader that died, not for an empty ruleset: nft prints a metainfo object even when there are no tables.
 */
export function parseNftJson(text: string): Parsed<NetfilterRuleset> {
  const state = initialNftState();
  const parsed = listing.safeParse(jsonOf(text));
  if (!parsed.success) {
    const unparsed = wholeText(text, 'not the JSON of nft: cut, or mixed with other output');
    return { value: state.ruleset, unparsed, complete: false };
  }
  for (const object of parsed.data.nftables) readObject(state, object);
  for (const table of state.ruleset.tables) table.closed = true;
  markLossyTables(state.ruleset);
  return { value: state.ruleset, unparsed: state.unparsed, complete: state.unparsed.length === 0 };
}

function jsonOf(text: string): unknown {
  // The Warning lines of nft are on standard error and may stand before the JSON when both were taken together.
  const start = text.indexOf('{');
  try {
    return JSON.parse(start < 0 ? text : text.slice(start));
  } catch {
    return undefined;
  }
}

function readObject(state: NftState, object: Record<string, unknown>): void {
  const [kind = '', content] = Object.entries(object)[0] ?? [];
  if (kind === 'metainfo') {
    const version = z.looseObject({ version: z.string() }).safeParse(content);
    if (version.success) state.ruleset.toolVersion = version.data.version;
    return;
  }
  const parsed = member.safeParse(content);
  const shown = JSON.stringify(object).slice(0, 300);
  if (!parsed.success || !isFamily(parsed.data.family)) {
    unread(state, 1, shown, 'not an object of a table');
    return;
  }
  const { family } = parsed.data;
  if (kind === 'table') {
    addTable(state, parsed.data);
    return;
  }
  const table = state.ruleset.tables.find((candidate) => candidate.family === family && candidate.name === parsed.data.table);
  if (table === undefined) unread(state, 1, shown, 'its table is not in the output');
  else readMember(state, table, kind, parsed.data, shown);
}

function addTable(state: NftState, data: Record<string, unknown>): void {
  const { family, name, flags, comment } = data;
  if (typeof family !== 'string' || !isFamily(family)) return;
  const table = newTable(family, String(name), 1);
  table.dormant = flags === 'dormant' || (Array.isArray(flags) && flags.includes('dormant'));
  if (typeof comment === 'string') table.comment = comment;
  state.ruleset.tables.push(table);
}

/** Objects that rules name but that do not decide by themselves. */
const objectKinds = new Set([
  'counter',
  'quota',
  'limit',
  'ct helper',
  'ct timeout',
  'ct expectation',
  'synproxy',
  'secmark',
  'meter',
  'tunnel',
]);

function readMember(state: NftState, table: Table, kind: string, data: Record<string, unknown>, shown: string): void {
  if (kind === 'chain') {
    const chain = chainOfJson(data);
    if (chain === undefined) unread(state, 1, shown, 'not a chain');
    else table.chains.push(chain);
  } else if (kind === 'rule') readRuleObject(state, table, data, shown);
  else if (kind === 'set' || kind === 'map') table.sets.push(setOfJson(kind, data));
  else if (kind === 'element') addElements(state, table, data, shown);
  else if (kind === 'flowtable') table.flowtables.push(flowtableOfJson(data));
  else if (objectKinds.has(kind)) table.objects.push(namedObjectOfJson(kind, data));
  else unread(state, 1, shown, `objects of kind ${kind} are not known`);
}

function readRuleObject(state: NftState, table: Table, data: Record<string, unknown>, shown: string): void {
  const chain = table.chains.find((candidate) => candidate.name === data.chain);
  const result = ruleOfJson(data, table.family, (map) => table.sets.find((set) => set.name === map)?.dataType.length ?? 0);
  if (chain === undefined) {
    unread(state, 1, shown, 'its chain is not in the output');
    return;
  }
  chain.rules.push(result.rule);
  table.lossy ||= result.hasXt;
  if (result.notUnderstood) unread(state, 1, shown, 'a statement is not understood');
}

/** nft up to 0.9 lists the elements of large sets apart from them. */
function addElements(state: NftState, table: Table, data: Record<string, unknown>, shown: string): void {
  const set = table.sets.find((candidate) => candidate.name === data.name);
  if (set === undefined) unread(state, 1, shown, 'its set is not in the output');
  else set.elements.push(...setOfJson(set.kind, data).elements);
}
