import type { NslookupFailure, NslookupOutput, NslookupRun } from '../model/dns.ts';
import type { Parsed } from '../model/parsed.ts';
import { causeOfWords, failureOfWords } from './failure-words.ts';
import { applyRules, type Line, type LineRule, linesOf } from './line-rules.ts';
import { shellMarkRules } from './shell-mark.ts';
import { endsInLine } from './text-lines.ts';

/**
 * Reads nslookup of BIND 9.11 to 9.20 (bin/dig/nslookup.c), also with -debug, and of BusyBox 1.28 (`Address 1:`) and 1.29 to 1.37
 * (networking/nslookup.c), and `host` of BIND 9 (bin/dig/host.c). With 2>&1 or without. Old BusyBox' `can't resolve '(null)'` is a warning:
 * it only says that the server's own address has no reverse name.
 */
export function parseNslookup(text: string): Parsed<NslookupOutput> {
  const state: State = { runs: [], failures: [], warnings: [], marks: [], otherLines: [], current: undefined, name: '' };
  const unparsed = applyRules(linesOf(text), state, rules, 'no line of nslookup or host');
  const { runs, failures, warnings, marks, otherLines } = state;
  const complete = endsInLine(text) && unparsed.length === 0 && (failures.length > 0 || runs.some((run) => run.answers.length > 0));
  return { value: { runs, failures, warnings, marks, otherLines }, unparsed, complete };
}

interface State extends NslookupOutput {
  current: NslookupRun | undefined;
  /** The name that following Address lines belong to. */
  name: string;
}

const rules: readonly LineRule<State>[] = [
  [
    /^;; communications error(?: to (\S+)#(\d+))?: (.+)$/,
    (state, [, address = '', port = '', words = ''], at) => fail(state, at, words, { address, port }),
  ],
  [/^;; (?:connection timed out; )?no servers could be reached$/, (state, [text = ''], at) => noServers(state, text.slice(3), at)],
  [
    /^;; (?:UDP|TCP) setup with (\S+?)#(\d+)\(\S+\) for (\S+) failed: (.+?)\.?$/,
    (state, [, address = '', port = '', , words = ''], at) => fail(state, at, words, { address, port }),
  ],
  [
    /^;; Got ([A-Z]+) reply from (\S+?),? *(?:trying next server)?$/,
    (state, [text = '', status = '', address = ''], at) => fail(state, at, text, { address }, status),
  ],
  [
    /^;; (?:Got recursion not available|Truncated, retrying|Warning|WARNING|Question section mismatch|Got bad packet|ID mismatch|BADCOOKIE).*$/,
    (state, [text = ''], at) => warn(state, text, at),
  ],
  [/^Server:\s*(\S*)\s*$/, (state, [, server = ''], at) => Object.assign(runFor(state, at, 'server'), { server })],
  [
    /^Address(?: 1)?:\s+(\S+?)(?:#(\d+)|:53)?(?:\s+(\S+))?\s*$/,
    (state, [, address = '', port = '', reverse = ''], at) => serverAddress(state, address, port, reverse, at),
  ],
  [/^Using domain server:$/, (state, _groups, at) => namedServerFollows(state, at)],
  [/^Aliases: *$|^Trying "[^"]*"$|^Received \d+ bytes from \S+ in \d+ ms$/, (state, _groups, at) => state.otherLines.push(at.line)],
  [
    /^Non-authoritative answer:\s*$|^Authoritative answers can be found from:$|^-{5,}$|^ +(?:QUESTIONS|ANSWERS|AUTHORITY RECORDS|ADDITIONAL RECORDS):$/,
    (state, _groups, at) => state.otherLines.push(at.line),
  ],
  [/^Name:\s+(\S+)\s*$/, (state, [, name = ''], at) => nameLine(state, name, at)],
  [
    /^(?:Address(?:es)?(?: \d+)?:\s+|\s+)([0-9a-f.:]+(?:%\w+)?)(?:\s+\S+)?\s*$/i,
    (state, [, address = ''], at) => addressLine(state, address, at),
  ],
  [
    /^(\S+)\s+(canonical name|name|service|mail exchanger|text|nameserver|rdata_\d+) = (.*)$/,
    (state, [, name = '', type = '', data = ''], at) => answer(state, name, type, data, at),
  ],
  [/^(\S+)\s+has (AAAA|IPv6) address (\S+)$/, (state, [, name = '', , data = ''], at) => answer(state, name, 'AAAA', data, at)],
  [/^(\S+) has address (\S+)$/, (state, [, name = '', data = ''], at) => answer(state, name, 'A', data, at)],
  [/^(\S+) is an alias for (\S+)\.$/, (state, [, name = '', data = ''], at) => answer(state, name, 'canonical name', data, at)],
  [/^(\S+) domain name pointer (\S+)$/, (state, [, name = '', data = ''], at) => answer(state, name, 'name', data, at)],
  [
    /^(\S+) (mail is handled by|has SRV record|descriptive text|name server|has SOA record|has HINFO record) ?(.*)$/,
    (state, [, name = '', type = '', data = ''], at) => answer(state, name, type, data, at),
  ],
  [/^\S+ has no (\S+) record$/, (state, [text = ''], at) => warn(state, text, at)],
  [
    /^\t(?:internet address|has AAAA address|canonical name|ttl|origin|mail addr|serial|refresh|retry|expire|minimum|nameserver|name|text|service)(?: = | )/,
    (state, _groups, at) => state.otherLines.push(at.line),
  ],
  [/^(?: {4}-> {2}\S+|\t\S+, type = \S+, class = \S+)$/, (state, _groups, at) => state.otherLines.push(at.line)],
  [/^\s+(?:origin|mail addr|serial|refresh|retry|expire|minimum) = \S+$/, (state, _groups, at) => state.otherLines.push(at.line)],
  [
    /^\*\* server can't find (\S+?): (\S+)$/,
    (state, [text = '', asked = '', status = ''], at) => fail(state, at, text, { name: asked }, status),
  ],
  [
    /^Host (\S+) not found: \d+\((\S+)\)$/,
    (state, [text = '', asked = '', status = ''], at) => fail(state, at, text, { name: asked }, status),
  ],
  [/^Host (\S+) not found: (.+)$/, (state, [text = '', asked = '', status = ''], at) => fail(state, at, text, { name: asked }, status)],
  [
    /^\*{2,3} [Cc]an't find (\S+): (.+)$/,
    (state, [text = '', asked = '', status = ''], at) => fail(state, at, text, { name: asked }, status),
  ],
  [/^nslookup: can't resolve '\(null\)'.*$/, (state, [text = ''], at) => warn(state, text, at)],
  [
    /^nslookup: can't resolve '([^']*)'(?:: (.+))?$/,
    (state, [text = '', asked = '', status = ''], at) => fail(state, at, text, { name: asked }, status),
  ],
  [
    /^nslookup: (?:write to|read from|can't connect to remote host) ['(]([^')]*)[')]: (.+)$/,
    (state, [, address = '', words = ''], at) => fail(state, at, words, { address }),
  ],
  [/^nslookup: (.+)$|^host: (.+)$/, (state, [, ...words], at) => fail(state, at, words.find(Boolean) ?? '', {})],
  [/^\*{3} (?:Request to|Default servers|.*unknown).*$/, (state, [text = ''], at) => fail(state, at, text, {})],
  ...shellMarkRules,
];

function runFor(state: State, at: Line, what: 'server' | 'answer'): NslookupRun {
  const isNew =
    state.current === undefined || (what === 'server' && (state.current.server !== undefined || state.current.answers.length > 0));
  if (isNew || state.current === undefined) {
    state.current = { line: at.line, server: undefined, serverAddress: undefined, serverPort: undefined, answers: [] };
    state.runs.push(state.current);
    state.name = '';
  }
  return state.current;
}

/** The first Address line behind Server is the server's own; anywhere else it is left to the rules below. */
function serverAddress(state: State, address: string, port: string, reverse: string, at: Line): undefined | false {
  const run = state.current;
  if (run?.server === undefined || run.serverAddress !== undefined || state.name !== '') return false;
  run.serverAddress = address;
  run.serverPort = Number(port || 53);
  state.otherLines.push(at.line);
  if (reverse) state.warnings.push({ line: at.line, text: at.text });
  return undefined;
}

/** `host NAME SERVER`: the Name and Address lines that follow are the server's. */
function namedServerFollows(state: State, at: Line): undefined {
  state.current = undefined;
  runFor(state, at, 'server').server = '';
  state.otherLines.push(at.line);
  return undefined;
}

function nameLine(state: State, name: string, at: Line): undefined {
  const run = runFor(state, at, 'answer');
  if (run.server === '') run.server = name;
  else state.name = name;
  state.otherLines.push(at.line);
  return undefined;
}

function addressLine(state: State, data: string, at: Line): undefined | false {
  if (state.name === '' || !/[.:]/.test(data)) return false;
  return answer(state, state.name, data.includes(':') ? 'AAAA' : 'A', data, at);
}

function answer(state: State, name: string, type: string, data: string, at: Line): undefined {
  runFor(state, at, 'answer').answers.push({ line: at.line, name, type, data });
  return undefined;
}

function fail(
  state: State,
  at: Line,
  words: string,
  where: { address?: string; port?: string; name?: string },
  status?: string,
): undefined {
  const failure: NslookupFailure = { ...failureOfWords(at.line, words, where), status, asked: where.name };
  const named = causeOfWords(status ?? words);
  if (status !== undefined) Object.assign(failure, named.cause === 'other' ? { cause: 'name', couldBe: ['name'] } : named);
  state.failures.push(failure);
  return undefined;
}

/** BIND 9.16 and BusyBox say "connection timed out" for every cause; from BIND 9.18 on the cause stands in the communications errors before. */
function noServers(state: State, text: string, at: Line): undefined {
  const told = state.failures.at(-1);
  const failure: NslookupFailure = { ...failureOfWords(at.line, text), status: undefined, asked: undefined };
  if (told && told.status === undefined) Object.assign(failure, { cause: told.cause, couldBe: told.couldBe });
  else failure.couldBe.push('refused', 'host-unreachable', 'net-unreachable', 'admin-prohibited');
  state.failures.push(failure);
  state.current = undefined;
  return undefined;
}

function warn(state: State, text: string, at: Line): undefined {
  state.warnings.push({ line: at.line, text });
  return undefined;
}
