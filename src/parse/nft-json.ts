import type { Chain, NamedSet, NetfilterRuleset, Table } from '../model/netfilter.ts';
import type { Parsed } from '../model/parsed.ts';
import { jsonText, wholeJson, wholeText } from './json-items.ts';
import { namedObjectOfJson } from './nft/json-named.ts';
import { chainOfJson, flowtableOfJson, ruleOfJson, setOfJson } from './nft/json-objects.ts';
import { member, textMember } from './nft/json-value.ts';
import { initialNftState, isFamily, type NftState, newTable, unread } from './nft/state.ts';
import { markLossyTables } from './nft/xtables.ts';

/**
 * Reads `nft -j list ruleset` (libnftables-json(5), nft 0.9 to 1.1). JSON stands on one line, so that `line` is 1 everywhere; rules carry their
 * handle, and `text` is written as nft would print the rule. Never throws: text that is no JSON gives an empty ruleset that is not complete.
 * An empty text is taken for a reader that died, not for an empty ruleset: nft prints a metainfo object even when there are no tables.
 */
export function parseNftJson(text: string): Parsed<NetfilterRuleset> {
  const state: State = { ...initialNftState(), tables: new Map() };
  const { before, json } = parted(text);
  const objects = objectsOf(wholeJson(json));
  if (objects === undefined) {
    const unparsed = wholeText(text, 'not the JSON of nft: cut, or mixed with other output');
    return { value: state.ruleset, unparsed, complete: false };
  }
  readBefore(state, before);
  for (const object of objects) readObject(state, object);
  for (const table of state.ruleset.tables) table.closed = true;
  markLossyTables(state.ruleset);
  return { value: state.ruleset, unparsed: state.unparsed, complete: state.unparsed.length === 0 };
}

interface State extends NftState {
  /** By family and name, since a ruleset may have a hundred thousand chains. */
  tables: Map<string, Indexed>;
}

interface Indexed {
  table: Table;
  chains: Map<unknown, Chain>;
  sets: Map<unknown, NamedSet>;
}

/**
 * Objects of later versions may have more members, and there may be more kinds of objects (libnftables-json(5)). By hand and not by a schema, which
 * would copy every object of a listing of a hundred megabytes.
 */
function objectsOf(json: unknown): Data[] | undefined {
  const list = member(json, 'nftables');
  return Array.isArray(list) && list.every(isData) ? list : undefined;
}

type Data = Record<string, unknown>;

const isData = (value: unknown): value is Data => typeof value === 'object' && value !== null && !Array.isArray(value);
const isOptionalText = (value: unknown): boolean => value === undefined || typeof value === 'string';

/** What every object but metainfo says of itself. */
const isMember = (value: unknown): value is Data & { family: string } =>
  isData(value) && typeof value.family === 'string' && isOptionalText(value.table) && isOptionalText(value.name);

/** The Warning lines of nft are on standard error and may stand before the JSON when both were taken together. */
function parted(text: string): { before: string; json: string } {
  let start = 0;
  while (!/^[ \t]{0,100}\{/.test(text.slice(start, start + 101))) {
    const newline = text.indexOf('\n', start);
    if (newline < 0) return { before: '', json: text };
    start = newline + 1;
  }
  return { before: text.slice(0, start), json: text.slice(start) };
}

function readBefore(state: State, before: string): void {
  before.split('\n').forEach((line, index) => {
    if (/^# Warning/.test(line)) state.ruleset.warnings.push({ kind: 'tool-message', line: index + 1, text: line });
    else if (line.trim() !== '') unread(state, index + 1, line, 'stands before the JSON');
  });
}

function readObject(state: State, object: Data): void {
  const kind = Object.keys(object)[0] ?? '';
  const content = object[kind];
  if (kind === 'metainfo') {
    const version = textMember(content, 'version');
    if (version !== undefined) state.ruleset.toolVersion = version;
    return;
  }
  const why = !isMember(content) || !isFamily(content.family) ? 'not an object of a table' : readOfTable(state, kind, content);
  if (why !== undefined) unread(state, 1, jsonText(object).slice(0, 300), why);
}

/** Returns why it can't be read. */
function readOfTable(state: State, kind: string, content: Data): string | undefined {
  if (kind === 'table') return addTable(state, content);
  const indexed = state.tables.get(`${content.family} ${content.table}`);
  return indexed === undefined ? 'its table is not in the output' : readMember(indexed, kind, content);
}

function addTable(state: State, data: Data): undefined {
  const { family, name, flags, comment } = data;
  if (typeof family !== 'string' || !isFamily(family)) return;
  const table = newTable(family, String(name), 1);
  table.dormant = flags === 'dormant' || (Array.isArray(flags) && flags.includes('dormant'));
  if (typeof comment === 'string') table.comment = comment;
  state.ruleset.tables.push(table);
  state.tables.set(`${family} ${table.name}`, { table, chains: new Map(), sets: new Map() });
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

/** Returns why it can't be read. */
function readMember(indexed: Indexed, kind: string, data: Data): string | undefined {
  const { table, chains, sets } = indexed;
  if (kind === 'rule') return readRuleObject(indexed, data);
  if (kind === 'element') return addElements(indexed, data);
  if (kind === 'chain') {
    const chain = chainOfJson(data);
    if (chain === undefined) return 'not a chain';
    table.chains.push(chain);
    chains.set(chain.name, chain);
  } else if (kind === 'set' || kind === 'map') {
    const set = setOfJson(kind, data);
    table.sets.push(set);
    sets.set(set.name, set);
  } else if (kind === 'flowtable') table.flowtables.push(flowtableOfJson(data));
  else if (objectKinds.has(kind)) table.objects.push(namedObjectOfJson(kind, data));
  else return `objects of kind ${kind} are not known`;
  return undefined;
}

function readRuleObject({ table, chains, sets }: Indexed, data: Data): string | undefined {
  const chain = chains.get(data.chain);
  if (chain === undefined) return 'its chain is not in the output';
  const result = ruleOfJson(data, table.family, (map) => sets.get(map)?.dataType.length ?? 0);
  chain.rules.push(result.rule);
  table.lossy ||= result.hasXt;
  return result.notUnderstood ? 'a statement is not understood' : undefined;
}

/** nft up to 0.9 lists the elements of large sets apart from them. */
function addElements({ sets }: Indexed, data: Data): string | undefined {
  const set = sets.get(data.name);
  if (set === undefined) return 'its set is not in the output';
  for (const element of setOfJson(set.kind, data).elements) set.elements.push(element);
  return undefined;
}
