import { z } from 'zod';
import type { IpSet, IpSetMember } from '../model/ipset.ts';
import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import { newSet, parseIpsetXml } from './ipset-xml.ts';
import { wholeJson } from './json-items.ts';
import { emptyRecord } from './text-lines.ts';

interface State {
  sets: IpSet[];
  unparsed: UnparsedLine[];
  current: IpSet | undefined;
  inMembers: boolean;
}

/**
 * Reads `ipset save`, `ipset list` (also `-t`, never complete where a set has members) and `ipset list -o json` or `-o xml` (ipset 6 and 7; ipset(8)). Names may hold blanks' neighbours such as `; ^ ~ $ ] ! | ? }` and
 * colons. `complete` is false when a line is not understood (ipset refuses the whole listing for one set of a newer revision) and when a set has
 * fewer members than its "Number of entries" says.
 */
export function parseIpset(text: string): Parsed<IpSet[]> {
  if (/^\s*\[\s*(\{|\])/.test(text)) return parseJson(text);
  if (/^\s*<ipset/.test(text)) return parseIpsetXml(text);
  const state: State = { sets: [], unparsed: [], current: undefined, inMembers: false };
  text.split('\n').forEach((line, index) => {
    readLine(state, line.replace(/\r$/, ''), index + 1);
  });
  // `-t` gives the headers alone: nothing is wrong with such a text, but its members are not known
  const isTerse = !/^Members:/m.test(text);
  const short = state.sets.filter((set) => set.entries !== undefined && set.entries > set.members.length);
  if (!isTerse) {
    for (const set of short) {
      state.unparsed.push({ line: set.line, text: set.name, why: `only ${set.members.length} of ${set.entries} entries are shown` });
    }
  }
  return { value: state.sets, unparsed: state.unparsed, complete: state.unparsed.length === 0 && short.length === 0 };
}

function readLine(state: State, line: string, number: number): void {
  const command = /^(create|add|-N|-A) (\S+) (.*)$/.exec(line);
  if (line.trim() === '') state.inMembers = false;
  else if (command?.[1] !== undefined && command[2] !== undefined && !state.inMembers)
    readCommand(state, command[1], command[2], command[3] ?? '', number, line);
  else if (line.startsWith('Name: ')) beginList(state, line.slice(6), number);
  else if (state.inMembers && state.current !== undefined) state.current.members.push(memberOf(line, number));
  else readHeaderLine(state, line, number);
}

function readCommand(state: State, verb: string, name: string, rest: string, line: number, text: string): void {
  if (verb === 'create' || verb === '-N') {
    const [type = '', ...words] = rest.split(' ');
    state.sets.push(newSet(name, type, headerOf(words), line));
    return;
  }
  const set = state.current?.name === name ? state.current : state.sets.find((candidate) => candidate.name === name);
  if (set === undefined) state.unparsed.push({ line, text, why: 'its set was not created' });
  else {
    state.current = set;
    set.members.push(memberOf(rest, line));
  }
}

/** Words of the header with a value, and flags without one. */
function headerOf(words: readonly string[]): Record<string, string> {
  const flags = new Set(['counters', 'comment', 'skbinfo', 'forceadd', 'noreset']);
  const header = emptyRecord<string>();
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (word === '') continue;
    header[word] = flags.has(word) ? '' : (words[++index] ?? '');
  }
  return header;
}

function beginList(state: State, name: string, line: number): void {
  state.current = newSet(name, '', {}, line);
  state.sets.push(state.current);
}

function readHeaderLine(state: State, line: string, number: number): void {
  const match = /^(Type|Revision|Header|Size in memory|References|Number of entries|Default|Members):\s*(.*)$/.exec(line);
  const set = state.current;
  if (match === null || set === undefined) {
    state.unparsed.push({ line: number, text: line, why: 'not a line of ipset' });
    return;
  }
  const [, word, value = ''] = match;
  if (word === 'Members') state.inMembers = true;
  else if (word === 'Type') set.type = value;
  else if (word === 'References') set.references = Number(value);
  else if (word === 'Number of entries') set.entries = Number(value);
  else if (word === 'Header') {
    set.header = headerOf(value.split(' '));
    set.family = set.header.family === 'inet6' ? 'ip6' : 'ip';
  }
}

function memberOf(text: string, line: number): IpSetMember {
  const [element = '', ...words] = text.trim().split(' ');
  const comment = /(?:^| )comment "((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  const timeout = /(?:^| )timeout (\d+)/.exec(text)?.[1];
  return {
    line,
    parts: element.split(','),
    nomatch: words.includes('nomatch'),
    ...(comment === undefined ? {} : { comment }),
    ...(timeout === undefined ? {} : { timeout: Number(timeout) }),
  };
}

const jsonListing = z.array(
  z.looseObject({
    name: z.string(),
    type: z.string(),
    header: z.record(z.string(), z.unknown()),
    members: z.array(
      z.looseObject({
        elem: z.string(),
        comment: z.string().optional(),
        nomatch: z.unknown().optional(),
        timeout: z.union([z.number(), z.string().regex(/^\d+$/)]).optional(),
      }),
    ),
  }),
);

/** `ipset list -o json` (ipset 7.16 and later); stands on many lines, but members are given the line 1. */
function parseJson(text: string): Parsed<IpSet[]> {
  const parsed = jsonListing.safeParse(wholeJson(text));
  if (!parsed.success)
    return { value: [], unparsed: [{ line: 1, text: text.slice(0, 200), why: 'not the JSON of ipset' }], complete: false };
  const sets = parsed.data.map((item): IpSet => {
    const header = Object.fromEntries(Object.entries(item.header).map(([key, value]) => [key, String(value)]));
    const members = item.members.map(
      (member): IpSetMember => ({
        line: 1,
        parts: member.elem.split(','),
        nomatch: member.nomatch !== undefined && member.nomatch !== false,
        ...(member.comment === undefined ? {} : { comment: member.comment }),
        ...(member.timeout === undefined ? {} : { timeout: Number(member.timeout) }),
      }),
    );
    const set = newSet(item.name, item.type, header, 1);
    return { ...set, members, ...(header.numentries === undefined ? {} : { entries: Number(header.numentries) }) };
  });
  return { value: sets, unparsed: [], complete: true };
}
