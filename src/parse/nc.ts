import type { Parsed } from '../model/parsed.ts';
import type { ConnectOutput, ProbeFailure } from '../model/probe.ts';
import { failureOfWords } from './failure-words.ts';
import { applyRules, type Line, type LineRule, linesOf } from './line-rules.ts';
import { shellMarkRules } from './shell-mark.ts';
import { endsInLine } from './text-lines.ts';

/**
 * Reads what `nc -v`, `-z` say on standard error: OpenBSD netcat 1.10x to 1.226, netcat-traditional 1.10-47, BusyBox 1.28 to 1.37 and ncat 7.x;
 * and BusyBox' telnet.
 * netcat-traditional and BusyBox hide ICMP errors behind "timed out", so their `couldBe` is wide. No line at all means neither open nor failed:
 * not complete.
 */
export function parseNc(text: string): Parsed<ConnectOutput> {
  const state: State = { attempts: [], marks: [], otherLines: [] };
  const unparsed = applyRules(linesOf(text), state, rules, 'no line of nc');
  return { value: state, unparsed, complete: endsInLine(text) && unparsed.length === 0 && state.attempts.length > 0 };
}

type State = ConnectOutput;
type Where = { address?: string; port?: string; name?: string };

const rules: readonly LineRule<State>[] = [
  // OpenBSD
  [
    /^Connection to (\S+)(?: \(([^)]+)\))? (\d+) port \[(?:tcp|udp)\/[^\]]*\] succeeded!/,
    (state, [, host = '', ip = '', port = ''], at) => open(state, at, hostOf(host, ip, port)),
  ],
  [
    /^nc: connect(?:x)? to (\S+)(?: \(([^)]+)\))? port (\d+) \((?:tcp|udp)\) (?:failed|timed out): (.+)$/,
    (state, [text = '', host = '', ip = '', port = '', words = ''], at) =>
      failed(state, at, text.includes(' timed out: ') ? `timed out: ${words}` : words, hostOf(host, ip, port)),
  ],
  [
    /^nc: getaddrinfo(?: for host "([^"]*)" port (\S+))?: (.+)$/,
    (state, [, name = '', port = '', words = ''], at) => nameFailed(state, at, words, { name, port: digits(port) }),
  ],
  // netcat-traditional
  [
    /^(\S+) \[([^\]]+)\] (\d+) \([^)]*\) open$/,
    (state, [, name = '', address = '', port = ''], at) => open(state, at, { name: known(name), address, port }),
  ],
  [
    /^(\S+) \[([^\]]+)\] (\d+) \([^)]*\) : (.+)$/,
    (state, [, name = '', address = '', port = '', words = ''], at) =>
      failedHidingIcmp(state, at, words, { name: known(name), address, port }),
  ],
  [/^(\S+): forward host lookup failed: (.+)$/, (state, [, name = '', words = ''], at) => nameFailed(state, at, words, { name })],
  [
    /^\S*:? ?inverse host lookup failed: .+$|^DNS fwd\/rev mismatch: .+$|^ ?sent \d+, rcvd \d+.*$|^listening on .+$/i,
    (state, _groups, at) => state.otherLines.push(at.line),
  ],
  // BusyBox
  [
    /^(\S+) \((\S+?):(\d+)\) open$/,
    (state, [, name = '', address = '', port = ''], at) => open(state, at, hostOf(name, bare(address), port)),
  ],
  [
    /^nc: (\S+) \((\S+?):(\d+)\): (.+)$/,
    (state, [, name = '', address = '', port = '', words = ''], at) => failed(state, at, words, hostOf(name, bare(address), port)),
  ],
  [
    /^(?:nc|telnet): can't connect to remote host(?: \(([^)]+)\))?: (.+)$/,
    (state, [, address = '', words = ''], at) => failed(state, at, words, { address }),
  ],
  [/^nc: (timed out)$/, (state, [, words = ''], at) => failedHidingIcmp(state, at, words, {})],
  [/^nc: bad address '([^']*)'$/, (state, [text = '', name = ''], at) => nameFailed(state, at, text, { name })],
  [/^punt!$/, (state, _groups, at) => state.otherLines.push(at.line)],
  // ncat
  [/^Ncat: Connected to (\S+):(\d+)\.$/, (state, [, address = '', port = ''], at) => open(state, at, { address, port })],
  [
    /^Ncat: Could not resolve hostname "([^"]*)": (.+?)(?: QUITTING\.)?$/,
    (state, [, name = '', words = ''], at) => nameFailed(state, at, words, { name }),
  ],
  [
    /^Ncat: (?:Version |\d+ bytes sent, |UDP packet sent successfully|Subject: |SHA-1 |Generating )/,
    (state, _groups, at) => state.otherLines.push(at.line),
  ],
  [/^Ncat: Connection to (\S+) failed: (.+?)\.$/, (state, [, address = '', words = ''], at) => failed(state, at, words, { address })],
  [/^Ncat: (?:Trying next address|Listening|Connection from).*$/, (state, _groups, at) => state.otherLines.push(at.line)],
  [/^Ncat: (.+?)\.$/, (state, [, words = ''], at) => failed(state, at, words, {})],
  [/^(?:nc|netcat|nc\.\w+): (.+)$/, (state, [, words = ''], at) => failed(state, at, words, {})],
  [/^no port\[s\] to connect to$/, (state, [text = ''], at) => failed(state, at, text, {})],
  ...shellMarkRules,
];

function open(state: State, { line }: Line, where: Where): undefined {
  state.attempts.push({ line, ...places(where), result: 'open', failure: undefined });
  return undefined;
}

function failed(state: State, { line }: Line, words: string, where: Where): undefined {
  return push(state, failureOfWords(line, words, where));
}

/** ICMP port, host, net, protocol unreachable and administratively prohibited all read "timed out" with these. */
function failedHidingIcmp(state: State, { line }: Line, words: string, where: Where): undefined {
  const failure = failureOfWords(line, words, where);
  if (failure.cause === 'timeout') failure.couldBe = ['timeout', 'refused', 'host-unreachable', 'net-unreachable', 'admin-prohibited'];
  return push(state, failure);
}

function nameFailed(state: State, { line }: Line, words: string, where: Where): undefined {
  return push(state, { ...failureOfWords(line, words, where), cause: 'name', couldBe: ['name'] });
}

function push(state: State, failure: ProbeFailure): undefined {
  const { line, address, name, port } = failure;
  state.attempts.push({ line, address, name, port, result: 'failed', failure });
  return undefined;
}

function places({ address = '', port = '', name = '' }: Where): {
  address: string | undefined;
  port: number | undefined;
  name: string | undefined;
} {
  return { address: address || undefined, port: port ? Number(port) : undefined, name: name || undefined };
}

/** The tool shows the name as it was given, which may be an address. */
function hostOf(host: string, ip: string, port: string): Where {
  const isAddress = /^[\d.]+$|:/.test(host);
  return isAddress ? { address: host, port } : { name: host, address: ip, port };
}

const known = (name: string): string => (name === '(UNKNOWN)' ? '' : name);
const digits = (port: string): string => (/^\d+$/.test(port) ? port : '');
const bare = (address: string): string => address.replace(/^\[|\]$/g, '');
