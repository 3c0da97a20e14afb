import { z } from 'zod';
import { parseAddress } from '../model/ip.ts';
import { type Neighbour, type NeighbourState, neighbourStates } from '../model/link.ts';
import type { Parsed } from '../model/parsed.ts';
import { looksLikeJson, parseJsonItems } from './json-items.ts';
import { type Attempt, parseEachLine, type TextLine, toCount, wordsOf } from './text-lines.ts';
import { countField, flagWords, type KeywordHandler, type KeywordTable, readKeywords, textField, Words } from './word-table.ts';

/**
 * `ip neigh` (also `-s`, `nud all`, one device), iproute2 3.10 to 6.15, BusyBox 1.35, and `ip -j neigh` (there `line` is the number of the item).
 * Grammar: print_neigh() in iproute2's ip/ipneigh.c. `-s` prints `used 4/64/4probes 0` without a blank. An empty text is an empty table.
 * An unresolved neighbour (FAILED, INCOMPLETE) has no `mac`. `-br` tells no states: such entries have none and the text is never complete.
 */
export const parseIpNeigh = (text: string): Parsed<Neighbour[]> =>
  looksLikeJson(text) ? parseJsonItems(text, neighbourSchema, neighbourFromJson) : parseNeighbourText(text);

const parseNeighbourText = (text: string): Parsed<Neighbour[]> => {
  const { value, unparsed, complete } = parseEachLine(text, (line) => parseBriefRow(line) ?? parseNeighbourLine(line));
  const isBrief = value.some(({ states, flags }) => states.length === 0 && !flags.includes('proxy'));
  return { value, unparsed, complete: complete && !isBrief };
};

/** `10.1.0.9      eth0      fe:8a:…`: columns; with a device in the command there is none in the row, and an unresolved neighbour has no address. */
const parseBriefRow = ({ line, text }: TextLine): Attempt<Neighbour> | undefined => {
  const match = /^([0-9a-f.:]{2,39}) {2,}(?:([^\s:]+) +)?((?:[0-9a-f]{2}:){5}[0-9a-f]{2})?\s*$/.exec(text);
  if (match === null || parseAddress(match[1] ?? '') === undefined) return undefined;
  const [, address = '', dev, mac] = match;
  return {
    ok: { line, text, address, ...(dev === undefined ? {} : { dev }), ...(mac === undefined ? {} : { mac }), states: [], flags: [] },
  };
};

const parseNeighbourLine = ({ line, text }: TextLine): Attempt<Neighbour> => {
  const words = new Words(wordsOf(text));
  const address = words.next() ?? '';
  if (parseAddress(address) === undefined) return { why: `"${address}" is no address` };
  const attempt = readKeywords<Neighbour>(words, neighbourWords, { line, text, address, states: [], flags: [] });
  if (!('ok' in attempt)) return attempt;
  // A row without any state is the placeholder 0.0.0.0 or a proxy entry; anything else lost its end.
  return attempt.ok.states.length === 0 && !attempt.ok.flags.includes('proxy') ? { why: 'no state' } : attempt;
};

/** `used 4/64/4probes 0`: seconds since used, confirmed and updated, and the number of probes, without a blank between. */
const used: KeywordHandler<Neighbour> = (draft, words) => {
  const match = /^([0-9]{1,10})\/([0-9]{1,10})\/([0-9]{1,10})(probes)?$/.exec(words.next() ?? '');
  if (match === null) return false;
  draft.used = { used: Number(match[1]), confirmed: Number(match[2]), updated: Number(match[3]) };
  if (match[4] === undefined) return true;
  const probes = toCount(words.next());
  if (probes !== undefined) draft.probes = probes;
  return probes !== undefined;
};

const neighbourWords: KeywordTable<Neighbour> = new Map([
  ['dev', textField<Neighbour>('dev')],
  ['lladdr', textField<Neighbour>('mac')],
  ['proto', textField<Neighbour>('protocol')],
  ['vlan', countField<Neighbour>('vlan')],
  ['probes', countField<Neighbour>('probes')],
  ['ref', countField<Neighbour>('refcount')],
  ['used', used],
  ...flagWords<Neighbour>('router', 'proxy', 'extern_learn', 'offload', 'managed', 'extern_valid', 'offloaded', 'sticky'),
  ...neighbourStates.flatMap((state) => stateWords(state)),
]);

/** States are in capitals; several may be joined by commas in no known version, so each is a word of its own. */
function stateWords(state: NeighbourState): [string, KeywordHandler<Neighbour>][] {
  const handler: KeywordHandler<Neighbour> = (draft) => {
    draft.states.push(state);
    return true;
  };
  return [[state, handler]];
}

const present = z.unknown().optional();

/** An item of `ip -j neigh`, iproute2 4.15 to 6.15. */
const neighbourSchema = z.looseObject({
  dst: z.string(),
  dev: z.string().optional(),
  lladdr: z.string().optional(),
  state: z.array(z.enum(neighbourStates)).default([]),
  router: present,
  proxy: present,
  extern_learn: present,
  offload: present,
  managed: present,
  extern_valid: present,
  protocol: z.string().optional(),
  vlan: z.number().optional(),
  probes: z.number().optional(),
  refcnt: z.number().optional(),
  used: z.number().optional(),
  confirmed: z.number().optional(),
  updated: z.number().optional(),
});

const jsonFlags = ['router', 'proxy', 'extern_learn', 'offload', 'managed', 'extern_valid'] as const;

const neighbourFromJson = (item: z.output<typeof neighbourSchema>, line: number): Neighbour | undefined => {
  if (parseAddress(item.dst) === undefined) return undefined;
  const flags = jsonFlags.filter((flag) => flag in item);
  if (item.state.length === 0 && !flags.includes('proxy')) return undefined;
  const neighbour: Neighbour = { line, text: '', address: item.dst, states: item.state, flags };
  if (item.dev !== undefined) neighbour.dev = item.dev;
  if (item.lladdr !== undefined) neighbour.mac = item.lladdr;
  if (item.protocol !== undefined) neighbour.protocol = item.protocol;
  if (item.vlan !== undefined) neighbour.vlan = item.vlan;
  if (item.probes !== undefined) neighbour.probes = item.probes;
  if (item.refcnt !== undefined) neighbour.refcount = item.refcnt;
  if (item.used !== undefined && item.confirmed !== undefined && item.updated !== undefined)
    neighbour.used = { used: item.used, confirmed: item.confirmed, updated: item.updated };
  neighbour.text = renderNeighbour(neighbour);
  return neighbour;
};

const renderNeighbour = (neighbour: Neighbour): string =>
  [
    neighbour.address,
    neighbour.dev === undefined ? undefined : `dev ${neighbour.dev}`,
    neighbour.mac === undefined ? undefined : `lladdr ${neighbour.mac}`,
    ...neighbour.flags,
    ...neighbour.states,
    neighbour.protocol === undefined ? undefined : `proto ${neighbour.protocol}`,
  ]
    .filter((word) => word !== undefined)
    .join(' ');
