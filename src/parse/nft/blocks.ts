import type { NamedObject } from '../../model/netfilter.ts';
import { readBase, readFlowtable } from './base.ts';
import { addRule } from './rules.ts';
import { readSetLine } from './set-lines.ts';
import { isFamily, type NftBlock, type NftState, newSet, newTable, noteLine, unread } from './state.ts';

/** Reads one line (or several joined ones) of a listing, according to the block that it stands in. */
export function readBlockLine(state: NftState, text: string, line: number, lines: string[]): void {
  const trimmed = text.trim();
  if (trimmed === '') return;
  for (let index = 1; index < lines.length; index++) noteLine(state, line + index);
  if (trimmed.startsWith('#')) readRemark(state, trimmed, line);
  else if (state.depth === 0) openTable(state, trimmed, line);
  else if (/^\}(\s*#.*)?$/.test(trimmed)) closeBlock(state, line);
  else if (state.depth === 1) readTableLine(state, trimmed, line);
  else if (state.depth === 2) readInner(state, trimmed, line, lines);
  else readDeeper(state, trimmed, line);
}

function readRemark(state: NftState, text: string, line: number): void {
  noteLine(state, line);
  const managed = /^# Warning: table (\S+ \S+) is managed by iptables-nft/.exec(text);
  if (managed?.[1] !== undefined) state.ruleset.warnings.push({ kind: 'managed-by-iptables-nft', table: managed[1], line, text });
  else if (/^# Warning/.test(text)) state.ruleset.warnings.push({ kind: 'tool-message', line, text });
}

function openTable(state: NftState, text: string, line: number): void {
  const match = /^table (\S+) (.+?) \{\s*(#.*)?$/.exec(text);
  const [, family, name] = match ?? [];
  if (family === undefined || name === undefined || !isFamily(family)) {
    // The targets of a second family are missing from the rules after such a message (nft 1.0.6).
    if (/^XT target (\S+) not found/.test(text)) state.ruleset.warnings.push({ kind: 'tool-message', line, text });
    else unread(state, line, text, 'not a table');
    return;
  }
  state.table = newTable(family, unquoted(name), line);
  state.ruleset.tables.push(state.table);
  state.depth = 1;
}

const unquoted = (name: string): string => name.replace(/^"(.*)"$/, '$1');

function closeBlock(state: NftState, line: number): void {
  noteLine(state, line);
  if (state.depth === 3) {
    if (state.block?.type === 'object') state.block.text.push('}');
    state.depth = 2;
  } else if (state.depth === 2) {
    if (state.block !== undefined) finishBlock(state, state.block);
    state.block = undefined;
    state.depth = 1;
  } else {
    if (state.table !== undefined) state.table.closed = true;
    state.table = undefined;
    state.depth = 0;
  }
}

function finishBlock(state: NftState, block: NftBlock): void {
  if (block.type === 'object') state.table?.objects.push(objectOf(block));
  if (block.type === 'flowtable') state.table?.flowtables.push(readFlowtable(block));
}

function objectOf({ objectType, name, line, text }: Extract<NftBlock, { type: 'object' }>): NamedObject {
  const comment = text.map((part) => /^comment "(.*)"$/.exec(part)?.[1]).find((found) => found !== undefined);
  const rest = text.filter((part) => !/^comment "/.test(part));
  return { type: objectType, name, line, ...(comment === undefined ? {} : { comment }), text: rest.join('\n') };
}

const objectTypes = /^(counter|quota|limit|ct helper|ct timeout|ct expectation|synproxy|secmark|tunnel|meter) (\S+) \{\s*(#.*)?$/;

function readTableLine(state: NftState, text: string, line: number): void {
  const table = state.table;
  if (table === undefined) return;
  const block = /^(chain|set|map|flowtable) (.+?) \{\s*(#.*)?$/.exec(text);
  const object = objectTypes.exec(text);
  if (block?.[1] !== undefined && block[2] !== undefined) openBlock(state, block[1], unquoted(block[2]), line);
  else if (object?.[1] !== undefined && object[2] !== undefined) {
    state.block = { type: 'object', objectType: object[1], name: object[2], line, text: [] };
    state.depth = 2;
  } else if (text.startsWith('comment "')) {
    table.comment = text.slice('comment "'.length).replace(/"[^"]*$/, '');
    noteLine(state, line);
  } else if (/^flags /.test(text)) {
    table.dormant ||= /\bdormant\b/.test(text);
    noteLine(state, line);
  } else unread(state, line, text, 'not a line of a table');
}

function openBlock(state: NftState, type: string, name: string, line: number): void {
  state.depth = 2;
  if (type === 'chain') {
    const chain = { name, line, rules: [] };
    state.table?.chains.push(chain);
    state.block = { type: 'chain', chain };
  } else if (type === 'flowtable') state.block = { type: 'flowtable', name, line, text: [] };
  else {
    const set = newSet(type === 'map' ? 'map' : 'set', name, line);
    state.table?.sets.push(set);
    state.block = { type: 'set', set };
  }
}

function readInner(state: NftState, text: string, line: number, lines: string[]): void {
  const block = state.block;
  if (block === undefined) return;
  if (block.type === 'chain') readChainLine(state, block, text, line, lines);
  else if (block.type === 'set') readSetLine(state, block.set, text, line, lines);
  else {
    block.text.push(text);
    noteLine(state, line);
    if (/\{\s*$/.test(text)) state.depth = 3;
  }
}

function readDeeper(state: NftState, text: string, line: number): void {
  noteLine(state, line);
  if (state.block?.type === 'object' || state.block?.type === 'flowtable') state.block.text.push(text);
}

function readChainLine(state: NftState, block: Extract<NftBlock, { type: 'chain' }>, text: string, line: number, lines: string[]): void {
  const { chain } = block;
  const isBaseLine = /^type (filter|nat|route) hook |^policy (accept|drop);?$|^comment "[^"]*"$/.test(text);
  if (isBaseLine) noteLine(state, line);
  const isPolicyOnly = /^policy (accept|drop);?$/.exec(text);
  if (/^type (filter|nat|route) hook /.test(text)) {
    const base = readBase(text, state.table?.family);
    if (base === undefined) unread(state, line, text, 'not a base chain');
    else chain.base = base;
  } else if (isPolicyOnly && chain.base !== undefined) chain.base.policy = isPolicyOnly[1] === 'drop' ? 'drop' : 'accept';
  else if (/^comment "[^"]*"$/.test(text) && chain.base === undefined && chain.rules.length === 0) chain.comment = text.slice(9, -1);
  else addRule(state, chain, text, line, lines);
}
