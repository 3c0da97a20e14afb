import type { IpSet, IpSetMember } from '../model/ipset.ts';
import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import { linesOf } from './line-rules.ts';
import { emptyRecord } from './text-lines.ts';

/**
 * Reads `ipset list -o xml` (ipset 6 and 7, lib/session.c): a line holds one or more elements, and no element goes over a line's end but those that hold others. Complete means that the
 * list is closed and each set has as many members as it says (`-t` gives none).
 */
export function parseIpsetXml(text: string): Parsed<IpSet[]> {
  const state: State = { sets: [], unparsed: [], isClosed: false };
  for (const { line, text: content } of linesOf(text)) {
    const tags = [...content.trim().matchAll(tagPattern)];
    const length = tags.reduce((sum, [whole]) => sum + whole.length, 0);
    if (length !== content.trim().length || !tags.every((tag) => take(state, tag, line))) {
      state.unparsed.push({ line, text: content, why: 'no element that ipset writes' });
    }
  }
  const isWhole = state.sets.every(({ entries, members }) => entries === undefined || entries <= members.length);
  return { value: state.sets, unparsed: state.unparsed, complete: state.isClosed && isWhole && state.unparsed.length === 0 };
}

/** A set without members, of either form of the listing. */
export function newSet(name: string, type: string, header: Record<string, string>, line: number): IpSet {
  return { name, type, family: header.family === 'inet6' ? 'ip6' : 'ip', header, members: [], line };
}

/** `<name>`, `<ipset name="x">`, `<counters/>` or `</name>`, and the words behind it. */
const tagPattern = /<(\/?)([a-z0-9]{1,30})(?: name="([^"]{0,200})")?(\/?)>([^<]*)/g;

interface State {
  sets: IpSet[];
  unparsed: UnparsedLine[];
  isClosed: boolean;
}

/** Ends, and beginnings of what holds other elements. */
const holders: ReadonlySet<string> = new Set(['ipsets', 'header', 'members', 'revision', 'memsize']);

function take(state: State, [, end, name = '', setName, , words = '']: RegExpMatchArray, line: number): boolean {
  if (end !== '') {
    state.isClosed ||= name === 'ipsets';
    return words === '';
  }
  const set = state.sets.at(-1);
  if (name === 'ipset' && setName !== undefined) return state.sets.push(newSet(setName, '', emptyRecord<string>(), line)) > 0;
  if (holders.has(name)) return true;
  return set !== undefined && (takeMember(set, name, words, line) || takeHeader(set, name, words));
}

function takeMember(set: IpSet, name: string, words: string, line: number): boolean {
  if (name === 'member') return set.members.push({ line, parts: [], nomatch: false }) > 0;
  const member = set.members.at(-1);
  return member !== undefined && takeOfMember(member, name, words);
}

function takeOfMember(member: IpSetMember, name: string, words: string): boolean {
  if (name === 'elem') member.parts = words.split(',');
  else if (name === 'nomatch') member.nomatch = true;
  else if (name === 'comment') member.comment = words.replace(/^"(.*)"$/, '$1');
  else if (name === 'timeout') member.timeout = Number(words);
  return true;
}

function takeHeader(set: IpSet, name: string, words: string): boolean {
  if (name === 'type') set.type = words;
  else if (name === 'references') set.references = Number(words);
  else if (name === 'numentries') set.entries = Number(words);
  else set.header[name] = words;
  if (name === 'family') set.family = words === 'inet6' ? 'ip6' : 'ip';
  return true;
}
