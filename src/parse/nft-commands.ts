import type { NetfilterRuleset, Table } from '../model/netfilter.ts';
import type { Parsed } from '../model/parsed.ts';
import { readBlockLine } from './nft/blocks.ts';
import { readElements } from './nft/elements.ts';
import { addRule } from './nft/rules.ts';
import { initialNftState, isFamily, type NftState, newSet, newTable, unread } from './nft/state.ts';
import { nftReader, nftTokens } from './nft/tokens.ts';
import { markLossyTables } from './nft/xtables.ts';

/**
 * Reads an nft script of single commands (`add table …`, `add chain …`, `add rule …`, `add element …`), one a line, as kube-proxy writes them to
 * `nft -f -` and as its debug log shows them.
 */
export function parseNftCommands(text: string): Parsed<NetfilterRuleset> {
  const state = initialNftState();
  text.split('\n').forEach((line, index) => {
    readCommand(state, line.trim(), index + 1);
  });
  for (const table of state.ruleset.tables) table.closed = true;
  markLossyTables(state.ruleset);
  return { value: state.ruleset, unparsed: state.unparsed, complete: state.unparsed.length === 0 };
}

function readCommand(state: NftState, text: string, line: number): void {
  if (text === '' || text.startsWith('#')) return;
  const match = /^(?:add|create) (table|chain|set|map|rule|element) (\S+) (\S+)(?: (.*))?$/.exec(text);
  const [, type, family, tableName, rest = ''] = match ?? [];
  if (type === undefined || family === undefined || tableName === undefined || !isFamily(family)) {
    unread(state, line, text, 'not a command that adds something');
    return;
  }
  if (type === 'table') {
    addTable(state, tableOf(state, family, tableName) ?? newTable(family, tableName, line), rest, line);
    return;
  }
  const table = tableOf(state, family, tableName);
  if (table === undefined) unread(state, line, text, 'its table was not added');
  else readInTable(state, table, type, rest, line, text);
}

const tableOf = (state: NftState, family: string, name: string): Table | undefined =>
  state.ruleset.tables.find((table) => table.family === family && table.name === name);

function readInTable(state: NftState, table: Table, type: string, rest: string, line: number, text: string): void {
  const [name = '', ...words] = rest.split(' ');
  const body = words.join(' ');
  state.table = table;
  if (type === 'rule') {
    const chain = table.chains.find((candidate) => candidate.name === name);
    if (chain === undefined) unread(state, line, text, 'its chain was not added');
    else addRule(state, chain, body, line, [body]);
  } else if (type === 'element') readElementCommand(state, table, name, body, line, text);
  else readDeclaration(state, table, type, name, body, line);
}

function readElementCommand(state: NftState, table: Table, name: string, body: string, line: number, text: string): void {
  const set = table.sets.find((candidate) => candidate.name === name);
  const read = nftTokens(body, line);
  if (set === undefined || read === undefined) {
    unread(state, line, text, set === undefined ? 'its set was not added' : 'a quote is not closed');
    return;
  }
  const reader = nftReader(read.tokens);
  reader.take('{');
  for (const element of readElements(reader)) set.elements.push(element);
}

/** `{ type filter hook forward priority 0 ; comment "x" ; }`: the same lines as in a listing, between semicolons. */
function readDeclaration(state: NftState, table: Table, type: string, name: string, body: string, line: number): void {
  const chain = { name, line, rules: [] };
  const set = newSet(type === 'map' ? 'map' : 'set', name, line);
  if (type === 'chain') table.chains.push(chain);
  else table.sets.push(set);
  state.block = type === 'chain' ? { type: 'chain', chain } : { type: 'set', set };
  state.depth = 2;
  readInside(state, body, line);
  state.block = undefined;
}

/** A table may be added again, then with nothing in braces. */
function addTable(state: NftState, table: Table, body: string, line: number): void {
  if (!state.ruleset.tables.includes(table)) state.ruleset.tables.push(table);
  state.table = table;
  state.depth = 1;
  readInside(state, body, line);
}

function readInside(state: NftState, body: string, line: number): void {
  const inner = body.replace(/^\{\s*/, '').replace(/\}\s*$/, '');
  for (const part of inner.split(/\s;\s*/)) {
    if (part.trim() !== '') readBlockLine(state, /^type \w+ hook/.test(part) ? `${part};` : part, line, [part]);
  }
  state.depth = 0;
}
