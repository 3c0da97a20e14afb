import type { Parsed } from '../model/parsed.ts';
import type { FailureCause, PingError, PingOutput, PingRun } from '../model/probe.ts';
import { failureOfWords } from './failure-words.ts';
import { applyRules, type Line, type LineRule, linesOf } from './line-rules.ts';
import { shellMarkRules } from './shell-mark.ts';
import { endsInLine } from './text-lines.ts';

/**
 * Reads one or several runs of ping: iputils s20101006 to 20250605 (ping/ping.c `pr_icmph`, ping6_common.c) and BusyBox 1.28 to 1.37. Times are ms.
 * BusyBox hides ICMP errors: its 100 % loss may be any of them. `from` of an error is who sent it; "Destination Host Unreachable" from an own
 * address is an unanswered ARP. Complete when every run has its closing statistics or failed before its first packet.
 */
export function parsePing(text: string): Parsed<PingOutput> {
  const state: State = { runs: [], marks: [], otherLines: [], current: undefined };
  const unparsed = applyRules(linesOf(text), state, rules, 'no line of ping');
  const { runs, marks, otherLines } = state;
  const complete =
    endsInLine(text) &&
    unparsed.length === 0 &&
    runs.length > 0 &&
    runs.every((run) => run.statistics !== undefined || (run.target === undefined && run.errors.length > 0));
  return { value: { runs, marks, otherLines }, unparsed, complete };
}

interface State extends PingOutput {
  current: PingRun | undefined;
}

const rules: readonly LineRule<State>[] = [
  [
    /^PING (\S+?) ?\((?:(\S+) ?\()?([^()\s]+)\)+(?: from (\S+?)(?: \S+)?)?:? (?:(\d+)(?:\(\d+\))? (?:data )?bytes(?: of data\.?)?)/,
    (state, [, target = '', , address = '', , bytes = ''], at) => {
      const run = newRun(state, at);
      Object.assign(run, { target, address, payloadBytes: Number(bytes) } satisfies Partial<PingRun>);
    },
  ],
  [
    /^(\d+) bytes from (\S+?)(?: \(([^)]+)\))?: (?:icmp_)?seq=(\d+)(?: ttl=(\d+))?(?: time[=<]([\d.]+) ms)?(?: \((DUP!|truncated|BAD CHECKSUM!)\))*\s*$/,
    (state, [text = '', , from = '', ip = '', seq, ttl = '', time = ''], at) => {
      const reply = {
        line: at.line,
        from: ip || from,
        seq: Number(seq),
        ttl: ttl ? Number(ttl) : undefined,
        timeMs: time ? Number(time) : undefined,
      };
      runOf(state, at).replies.push({ ...reply, duplicate: text.includes('(DUP!)') });
    },
  ],
  [
    /^From (\S+?)(?: \(([^)]+)\))?:? icmp_seq=(\d+) (.+?)\s*$/i,
    (state, [, from = '', ip = '', seq, words = ''], at) => icmpError(state, at, words, ip || from, Number(seq)),
  ],
  [
    /^From (\S+?)(?: \(([^)]+)\))?:? (Destination .+|Packet filtered|Time to live exceeded|Redirect .+|Frag needed .+)$/,
    (state, [, from = '', ip = '', words = ''], at) => icmpError(state, at, words, ip || from, undefined),
  ],
  [
    /^(?:ping6?|\/bin\/ping): (?:local error: |sendmsg: |sendto: |connect: |recvmsg: )?([Mm]essage too (?:long|large)(?:,? mtu[:=] ?(\d+))?)$/,
    (state, [, words = '', mtu = ''], at) => ownError(state, at, words, {}, mtu),
  ],
  [/^(?:ping6?|\/bin\/ping): bad address '([^']*)'$/, (state, [text = '', name = ''], at) => ownError(state, at, text, { name })],
  [/^(?:ping6?|\/bin\/ping): unknown host (\S+)$/, (state, [text = '', name = ''], at) => ownError(state, at, text, { name })],
  [
    /^(?:ping6?|\/bin\/ping): [Ww]arning: .*$|^\^C|^WARNING: .*$|^no answer yet for icmp_seq=\d+$|^wrong data byte .*$|^, pipe \d+$|^pipe \d+$/i,
    (state, _groups, at) => state.otherLines.push(at.line),
  ],
  [
    /^(?:ping6?|\/bin\/ping): (?:(?:sendmsg|sendto|connect|recvmsg|socket|SO_BINDTODEVICE \S+): )?(?:(\S+): )?(.+)$/,
    (state, [, name = '', words = ''], at) => ownError(state, at, words, { name }),
  ],
  [/^connect: (.+)$/, (state, [, words = ''], at) => ownError(state, at, words, {})],
  [/^--- (\S+) ping statistics ---(.*)$/, (state, [, , rest = ''], at) => statisticsHead(state, rest, at)],
  [/^\d+ packets transmitted, \d+ (?:packets )?received.*$/, (state, _groups, at) => statistics(state, at)],
  [
    /^(?:rtt|round-trip) min\/avg\/max(?:\/mdev|\/stddev)? = ([\d.]+)\/([\d.]+)\/([\d.]+)(?:\/[\d.]+)? ms(?:, .*)?$/,
    (state, [, min, avg, max], { line }) => {
      const closing = state.runs.at(-1)?.statistics;
      if (!closing) return false;
      closing.rtt = { line, min: Number(min), avg: Number(avg), max: Number(max) };
      return undefined;
    },
  ],
  ...shellMarkRules,
];

function newRun(state: State, { line }: Line): PingRun {
  const run: PingRun = {
    line,
    target: undefined,
    address: undefined,
    payloadBytes: undefined,
    replies: [],
    errors: [],
    statistics: undefined,
  };
  state.runs.push(run);
  state.current = run;
  return run;
}

const runOf = (state: State, at: Line): PingRun => state.current ?? newRun(state, at);

/** ICMP and ICMPv6 errors in iputils' words, and fping's. */
const icmpCauses: readonly (readonly [RegExp, FailureCause])[] = [
  [/Prohibited|filtered|Administratively prohibited|Communication prohibited|policy/i, 'admin-prohibited'],
  [/Frag needed|Packet too big/i, 'message-too-long'],
  [/(?:Destination|ICMP) Host|Address unreachable|Source Host Isolated|Host Unknown/i, 'host-unreachable'],
  [/(?:Destination|ICMP) Net|: No route/i, 'net-unreachable'],
  [/Port Unreachable/i, 'refused'],
];

/** An ICMP error that a line tells, in the words of iputils or fping. */
export function icmpErrorOf(line: number, words: string, from: string | undefined, seq: number | undefined): PingError {
  const [, mtu] = /mtu ?[=:] ?(\d+)/.exec(words) ?? [];
  const cause = icmpCauses.find(([pattern]) => pattern.test(words))?.[1] ?? 'other';
  return { ...failureOfWords(line, words), cause, couldBe: [cause], from, seq, mtu: mtu === undefined ? undefined : Number(mtu) };
}

function icmpError(state: State, { line }: Line, words: string, from: string, seq: number | undefined): undefined {
  runOf(state, { line, text: '' }).errors.push(icmpErrorOf(line, words, from, seq));
  return undefined;
}

/** An error of the own host. Before the first line of a run it is all that ping says. */
function ownError(state: State, at: Line, words: string, where: { name?: string }, mtu = ''): undefined {
  const isLate = state.current !== undefined && /message too|not permitted|unreachable|invalid argument/i.test(words);
  const run = isLate && state.current ? state.current : newRun(state, at);
  run.errors.push({ ...failureOfWords(at.line, words, where), from: undefined, seq: undefined, mtu: mtu ? Number(mtu) : undefined });
  if (!isLate) state.current = undefined;
  return undefined;
}

/** A paste may have the figures on the heading's own line. */
function statisticsHead(state: State, rest: string, at: Line): undefined | false {
  state.otherLines.push(at.line);
  return rest.trim() === '' ? undefined : statistics(state, { line: at.line, text: rest.trim() });
}

function statistics(state: State, { line, text }: Line): undefined | false {
  const run = state.current;
  const [, transmitted, received] = /^(\d+) packets transmitted, (\d+) (?:packets )?received/.exec(text) ?? [];
  if (!run || transmitted === undefined) return false;
  const [, duplicates = '0'] = /[+ ](\d+) duplicates/.exec(text) ?? [];
  const [, errors = '0'] = /\+(\d+) errors/.exec(text) ?? [];
  const [, loss] = /([\d.]+)% packet loss/.exec(text) ?? [];
  run.statistics = {
    line,
    transmitted: Number(transmitted),
    received: Number(received),
    duplicates: Number(duplicates),
    errors: Number(errors),
    lossPercent: loss === undefined ? undefined : Number(loss),
    rtt: undefined,
  };
  state.current = undefined;
  return undefined;
}
