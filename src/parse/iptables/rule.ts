import type { Action, Match, ModuleOption, Statement } from '../../model/netfilter.ts';
import { addressMatch, interfaceMatch, protocolMatch } from './generic.ts';
import { moduleMatches } from './matches.ts';
import { readOption, takeNegation } from './options.ts';
import { targetAction } from './targets.ts';
import { type TokenReader, tokenReader, tokensOf } from './tokens.ts';

export interface ParsedRule {
  chain: string;
  comment?: string;
  statements: Statement[];
  counters?: { packets: number; bytes: number };
  /** `-I`: the 1-based place in the chain where the rule goes. */
  position?: number;
}

interface Draft {
  chain?: string;
  generic: Match[];
  protocol?: string;
  groups: Group[];
  target?: { name: string; goto: boolean; group: Group };
  counters?: { packets: number; bytes: number };
  problem?: string;
  position?: number;
}

interface Group {
  module: string;
  options: ModuleOption[];
}

/**
 * Reads one `-A CHAIN …` (also `-I CHAIN [number] …`) as iptables-save, `iptables -S` and iptables-restore input write it.
 * Matches keep the order of iptables: addresses, interfaces and protocol first (they are in the rule's head), then the extensions, then the target.
 * Returns why not when the line can't be read.
 */
export function parseRule(text: string, declaredChains: ReadonlySet<string>, family: 'ip' | 'ip6'): ParsedRule | { why: string } {
  const tokens = tokensOf(text);
  if (tokens === undefined) return { why: 'a quote is not closed: the line was cut' };
  const draft = readDraft(tokenReader(tokens));
  if (draft.problem !== undefined) return { why: draft.problem };
  if (draft.chain === undefined) return { why: 'no chain' };
  return { chain: draft.chain, ...finish(draft, declaredChains, family) };
}

function finish(draft: Draft, declaredChains: ReadonlySet<string>, family: 'ip' | 'ip6'): Omit<ParsedRule, 'chain'> {
  const matches: Match[] = [];
  for (const group of draft.groups) for (const match of moduleMatches(group.module, group.options, family)) matches.push(match);
  const actions: Action[] =
    draft.target === undefined
      ? []
      : [targetAction(draft.target.name, draft.target.goto, draft.target.group.options, declaredChains, family)];
  const comment = commentOf(matches);
  return {
    // A spread would leave room for 16 more in each of a hundred thousand lists.
    statements: none.concat(draft.generic, matches, actions),
    ...(comment === undefined ? {} : { comment }),
    ...(draft.counters === undefined ? {} : { counters: draft.counters }),
    ...(draft.position === undefined ? {} : { position: draft.position }),
  };
}

const none: readonly Statement[] = [];

/** All comments of the rule: Calico and others give one rule two. */
function commentOf(matches: readonly Match[]): string | undefined {
  let text: string | undefined;
  for (const match of matches) {
    if (match.kind === 'comment') text = text === undefined ? match.text : `${text} ${match.text}`;
  }
  return text;
}

function readDraft(reader: TokenReader): Draft {
  const draft: Draft = { generic: [], groups: [] };
  while (draft.problem === undefined && reader.peek() !== undefined) readWord(draft, reader);
  return draft;
}

function readWord(draft: Draft, reader: TokenReader): void {
  const negated = takeNegation(reader);
  const token = reader.next();
  if (token === undefined) draft.problem = 'ends in an exclamation mark';
  else if (token.quoted || !token.text.startsWith('-')) draft.problem = `unexpected word ${token.text}`;
  else if (token.text.startsWith('--')) readLongOption(draft, token.text.slice(2), negated, reader);
  else readShortOption(draft, token.text, negated, reader);
}

/** Long names of the options that belong to the rule itself (iptables(8)); iptables-save never prints them, people do. */
const shortNames = new Map<string, string>(
  Object.entries({
    append: '-A',
    insert: '-I',
    protocol: '-p',
    proto: '-p',
    source: '-s',
    src: '-s',
    destination: '-d',
    dst: '-d',
    'in-interface': '-i',
    'out-interface': '-o',
    match: '-m',
    jump: '-j',
    goto: '-g',
    fragment: '-f',
    table: '-t',
  }),
);

function readLongOption(draft: Draft, name: string, negated: boolean, reader: TokenReader): void {
  const current = draft.target?.group ?? draft.groups.at(-1);
  const short = shortNames.get(name);
  // `--proto` and the like are options of `-m policy` too.
  if (short !== undefined && (current === undefined || current.module !== 'policy')) {
    readShortOption(draft, short, negated, reader);
    return;
  }
  groupFor(draft, name).options.push(readOption(name, negated, reader));
}

/** Options that a `-p tcp` brings without `-m tcp`. */
const protocolOptions = new Set([
  'sport',
  'dport',
  'source-port',
  'destination-port',
  'syn',
  'tcp-flags',
  'tcp-option',
  'icmp-type',
  'icmpv6-type',
  'chunk-types',
]);
const portModules = new Set(['tcp', 'udp', 'udplite', 'sctp', 'dccp', 'icmp', 'icmp6']);

function groupFor(draft: Draft, option: string): Group {
  const current = draft.target?.group ?? draft.groups.at(-1);
  if (protocolOptions.has(option) && (current === undefined || !portModules.has(current.module))) {
    const existing = draft.groups.find((group) => portModules.has(group.module));
    return existing ?? addGroup(draft, draft.protocol === 'icmpv6' ? 'icmp6' : (draft.protocol ?? 'unknown'));
  }
  return current ?? addGroup(draft, 'unknown');
}

function addGroup(draft: Draft, module: string): Group {
  const group: Group = { module, options: [] };
  draft.groups.push(group);
  return group;
}

function readShortOption(draft: Draft, option: string, negatedBefore: boolean, reader: TokenReader): void {
  if (option === '-f') {
    draft.generic.push({ role: 'match', kind: 'fragment', negated: negatedBefore });
    return;
  }
  // Before iptables 1.4.3 the exclamation mark stood behind the option: `-s ! 10.0.0.0/8`.
  const negated = takeNegation(reader) || negatedBefore;
  const value = reader.value();
  if (value === undefined) draft.problem = `${option} has no value`;
  else applyShortOption(draft, option, value, negated, reader);
}

function applyShortOption(draft: Draft, option: string, value: string, negated: boolean, reader: TokenReader): void {
  // What iptables refuses, and what lines that lost their ends look like (`echo $(iptables-save)`).
  if ((draft.chain !== undefined && (option === '-A' || option === '-I')) || (draft.target && (option === '-j' || option === '-g'))) {
    draft.problem = `${option} stands in it twice: more than one rule on one line`;
  } else if (option === '-A' || option === '-I') {
    draft.chain = value;
    if (option === '-I') draft.position = /^\d+$/.test(reader.peek()?.text ?? '') ? Number(reader.value()) : 1;
  } else if (option === '-s' || option === '-d') {
    draft.generic.push(addressMatch(option === '-s' ? 'source' : 'destination', value, negated));
  } else if (option === '-i' || option === '-o') {
    draft.generic.push(interfaceMatch(option === '-i' ? 'in' : 'out', value, negated));
  } else if (option === '-p') {
    const match = protocolMatch(value, negated);
    if (match !== undefined) draft.generic.push(match);
    if (match?.kind === 'protocol' && !negated) draft.protocol = match.protocol;
  } else if (option === '-m') {
    addGroup(draft, value);
  } else if (option === '-j' || option === '-g') {
    draft.target = { name: value, goto: option === '-g', group: { module: value, options: [] } };
  } else if (option === '-c') {
    draft.counters = { packets: Number(value), bytes: Number(reader.value()) };
  } else if (option !== '-t') {
    draft.problem = `unknown option ${option}`;
  }
}
