import type { NamedSet } from '../../model/netfilter.ts';
import { readElements } from './elements.ts';
import { type NftState, noteLine, unread } from './state.ts';
import { type NftToken, nftReader, nftTokens } from './tokens.ts';
import { durationSeconds } from './values.ts';

type Setting = (set: NamedSet, rest: string) => void;

const settings = new Map<string, Setting>(
  Object.entries({
    type: readTypes,
    typeof: readTypes,
    flags: (set, rest) => {
      set.flags = rest.split(/[,\s]+/).filter((flag) => flag !== '');
    },
    timeout: (set, rest) => {
      const seconds = durationSeconds(rest);
      if (seconds !== undefined) set.timeout = seconds;
    },
    'gc-interval': (set, rest) => {
      const seconds = durationSeconds(rest);
      if (seconds !== undefined) set.gcInterval = seconds;
    },
    size: (set, rest) => {
      set.size = Number(rest.split(' ')[0]);
    },
    policy: (set, rest) => {
      set.policy = rest === 'memory' ? 'memory' : 'performance';
    },
    'auto-merge': (set) => {
      set.autoMerge = true;
    },
  } satisfies Record<string, Setting>),
);

/** Lines that say what each element holds besides its key, as `counter` and `limit rate 5/second`. */
const elementStatement = /^(?:counter|quota|limit|last|ct count)\b/;

/** Reads a line inside of `set NAME {` or `map NAME {`. */
export function readSetLine(state: NftState, set: NamedSet, text: string, line: number, lines: string[]): void {
  const comment = /^comment "(.*)"[\s;]*$/.exec(text)?.[1];
  if (text.startsWith('elements = {')) {
    readElementLines(state, set, line, lines);
    return;
  }
  const plain = text
    .replace(/\s*#.*$/, '')
    .replace(/;$/, '')
    .trim();
  const word = /^[\w-]+/.exec(plain)?.[0] ?? '';
  const setting = settings.get(word);
  if (comment !== undefined) set.comment = comment;
  else if (setting !== undefined) setting(set, plain.slice(word.length).trim());
  else if (elementStatement.test(plain)) set.statements = [...(set.statements ?? []), plain];
  else {
    unread(state, line, text, 'not a line of a set');
    return;
  }
  noteLine(state, line);
}

function readTypes(set: NamedSet, text: string): void {
  const [key = '', data] = text.split(/\s:\s/);
  set.keyType = key.split(/\s\.\s/).map((part) => part.trim());
  set.dataType = data === undefined ? [] : data.split(/\s\.\s/).map((part) => part.trim());
}

function readElementLines(state: NftState, set: NamedSet, line: number, lines: string[]): void {
  noteLine(state, line);
  const tokens: NftToken[] = [];
  for (const [index, text] of lines.entries()) {
    const read = nftTokens(index === 0 ? text.replace(/^\s*elements =/, '') : text, line + index);
    if (read === undefined) {
      set.elementsKnown = false;
      unread(state, line + index, text, 'a quote is not closed');
      return;
    }
    for (const token of read.tokens) tokens.push(token);
  }
  const reader = nftReader(tokens);
  reader.take('{');
  for (const element of readElements(reader)) set.elements.push(element);
  if (tokens.at(-1)?.text !== '}') {
    set.elementsKnown = false;
    unread(state, line, `set ${set.name}`, 'the elements are not closed: the output was cut');
  }
}
