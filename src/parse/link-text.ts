import type { Link } from '../model/link.ts';
import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import { parseAddressLine, readLifetimes } from './link-address.ts';
import { parseBriefLine } from './link-brief.ts';
import { continueCounters, startCounters } from './link-counters.ts';
import { readKindLine } from './link-kind.ts';
import { newLink, type OpenLink, parseHeadLine, readHardwareLine } from './link-lines.ts';
import { readText, type TextLine, unparsedLine, wordsOf } from './text-lines.ts';

/** The text forms of `ip link` and `ip addr`; see parseIpLink. A block is a line with index and name, and the indented lines behind it. */
export const parseLinkText = (text: string): Parsed<Link[]> => {
  const { lines, whole } = readText(text);
  const state: State = { links: [], unparsed: [], open: undefined };
  for (const line of lines) {
    const parts = line.text.split('\\');
    parts.forEach((part, index) => {
      if (part.trim() !== '') readLine(state, { line: line.line, text: part }, index > 0);
    });
  }
  return { value: state.links, unparsed: state.unparsed, complete: whole && state.unparsed.length === 0 };
};

interface State {
  links: Link[];
  unparsed: UnparsedLine[];
  open: OpenLink | undefined;
}

const readLine = (state: State, line: TextLine, continues: boolean): void => {
  const why = continues || /^\s/.test(line.text) ? readIndented(state, line) : readFirst(state, line);
  if (why !== undefined) state.unparsed.push(unparsedLine(line, why));
};

/** A line that begins an interface: the head line, a line of `-o addr`, or a line of `-br`. */
const readFirst = (state: State, line: TextLine): string | undefined => {
  const oneLine = /^([0-9]{1,10}): (\S+)\s+(inet6? .*)$/.exec(line.text);
  if (oneLine !== null) return readOneLineAddress(state, line, Number(oneLine[1]), oneLine[2] ?? '', oneLine[3] ?? '');
  const attempt = /^\S+: +</.test(line.text.replace(/^[0-9]{1,10}: */, '')) ? parseHeadLine(line) : parseBriefLine(line);
  state.open = 'ok' in attempt ? { link: attempt.ok } : undefined;
  if ('ok' in attempt) state.links.push(attempt.ok);
  return 'ok' in attempt ? undefined : attempt.why;
};

/** `2: eth0    inet 10.0.0.1/24 …`: one line per address. */
const readOneLineAddress = (state: State, line: TextLine, index: number, name: string, rest: string): string | undefined => {
  const attempt = parseAddressLine({ line: line.line, text: rest });
  if (!('ok' in attempt)) return attempt.why;
  const last = state.open?.link;
  const link = last?.index === index && last.name === name ? last : { ...newLink(line, name), index };
  if (link !== last) {
    state.links.push(link);
    state.open = { link };
  } else extend(link, line);
  link.addresses.push(attempt.ok);
  return undefined;
};

const readIndented = (state: State, line: TextLine): string | undefined => {
  const { open } = state;
  if (open === undefined) return 'continues something that is not an interface';
  const why = readBlockLine(open, line);
  if (why === undefined) extend(open.link, line);
  return why;
};

const extend = (link: Link, line: TextLine): void => {
  link.text += `\n${line.text}`;
  link.lastLine = line.line;
};

const readBlockLine = (open: OpenLink, line: TextLine): string | undefined => {
  const { link } = open;
  const words = wordsOf(line.text);
  const [first = '', second = ''] = words;
  if (open.counters !== undefined) {
    const result = continueCounters(open.counters, line.text);
    open.counters = undefined;
    if (result !== 'not-numbers') return result;
  }
  if (first.startsWith('link/')) return readHardwareLine(link, words);
  if (first === 'inet' || first === 'inet6') {
    const attempt = parseAddressLine(line);
    if ('ok' in attempt) link.addresses.push(attempt.ok);
    return 'ok' in attempt ? undefined : attempt.why;
  }
  if (first === 'valid_lft') return readLifetimes(link.addresses[link.addresses.length - 1], words);
  if (first === 'alias') {
    link.alias = line.text.trim().slice('alias '.length);
    return undefined;
  }
  if (first === 'altname' && words.length === 2) {
    link.altNames.push(second);
    return undefined;
  }
  const counters = startCounters(link, line.text);
  if (counters !== undefined) {
    open.counters = counters;
    return undefined;
  }
  return readKindLine(link, line.text);
};
