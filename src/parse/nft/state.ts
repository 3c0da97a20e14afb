import type { Chain, NamedSet, NetfilterRuleset, Table, TableFamily } from '../../model/netfilter.ts';
import type { UnparsedLine } from '../../model/parsed.ts';

/** Where in the nested blocks of an nft listing the reader stands. */
export interface NftState {
  ruleset: NetfilterRuleset;
  unparsed: UnparsedLine[];
  depth: 0 | 1 | 2 | 3;
  table: Table | undefined;
  block: NftBlock | undefined;
}

export type NftBlock =
  | { type: 'chain'; chain: Chain }
  | { type: 'set'; set: NamedSet }
  | { type: 'flowtable'; name: string; line: number; text: string[] }
  | { type: 'object'; objectType: string; name: string; line: number; text: string[] };

export const initialNftState = (): NftState => ({
  ruleset: { source: 'nft', family: 'mixed', tables: [], warnings: [], otherLines: [] },
  unparsed: [],
  depth: 0,
  table: undefined,
  block: undefined,
});

export const newTable = (family: TableFamily, name: string, line: number): Table => ({
  family,
  name,
  lossy: false,
  dormant: false,
  closed: false,
  line,
  chains: [],
  sets: [],
  flowtables: [],
  objects: [],
});

export const newSet = (kind: 'set' | 'map', name: string, line: number): NamedSet => ({
  name,
  kind,
  keyType: [],
  dataType: [],
  flags: [],
  elements: [],
  elementsKnown: true,
  line,
});

/** A line that was read but is no object of its own. */
export const noteLine = (state: NftState, line: number): void => {
  state.ruleset.otherLines.push(line);
};

export const unread = (state: NftState, line: number, text: string, why: string): void => {
  state.unparsed.push({ line, text, why });
};

const families = new Set(['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev']);
export const isFamily = (text: string): text is TableFamily => families.has(text);
