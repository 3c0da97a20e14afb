import { type EvidenceRef, evidence } from '../model/evidence.ts';
import type { Reason } from '../model/observed.ts';
import type { FailureCause } from '../model/probe.ts';
import { parseCurl } from '../parse/curl.ts';
import { parseDevTcp } from '../parse/dev-tcp.ts';
import { parseDig } from '../parse/dig.ts';
import { parseNc } from '../parse/nc.ts';
import { parseNslookup } from '../parse/nslookup.ts';
import { parsePing } from '../parse/ping.ts';
import type { Entry } from '../snapshot/entry.ts';

export type Stage = 'name' | 'dns-server' | 'service' | 'endpoint' | 'payload' | 'node';
export interface Origin {
  kind: 'pod' | 'node';
  namespace: string | null;
  name: string;
}

/** One try of a probe. Lines are those of the entry. */
export interface Try {
  ok: boolean;
  /** Why it failed; `no-answer` = connected and nothing came back; DNS has its own words for answers that are no address. */
  cause: FailureCause | 'no-answer' | 'nxdomain' | 'servfail' | 'dns-refused' | 'no-address' | null;
  milliseconds: number | null;
  /** Lines that show the outcome. */
  lines: number[];
  /** The words of the tool. */
  text: string;
}

/** What one probe entry says. `unknown` when it was not, or could not be, made: never a failure of the network. */
export interface ProbeResult {
  id: string;
  stage: Stage;
  origin: Origin;
  /** Address and port, name, or DNS server. */
  target: string;
  command: string;
  tries: Try[];
  unknown: { reason: Reason; detail: string } | null;
  /** Only for `payload`. */
  payload?: Payload;
  /** Only for `name`: what was asked and what came, in order. */
  lookups?: Lookup[];
}

export interface Payload {
  device: string;
  mtu: number;
  small: boolean;
  /** Null when the large one was not tried. */
  full: boolean | null;
  /** Next-hop MTU and its reporter from an ICMP "fragmentation needed", where one came. */
  told: { mtu: number | undefined; from: string | undefined; line: number } | null;
  reassembled: number;
}

export interface Lookup {
  name: string;
  server: string;
  status: string;
  addresses: string[];
  line: number;
}

export const failed = (probe: ProbeResult): Try[] => probe.tries.filter((item) => !item.ok);
export const isFailing = (probe: ProbeResult): boolean => probe.unknown === null && failed(probe).length > 0;
export const isPassing = (probe: ProbeResult): boolean => probe.unknown === null && probe.tries.length > 0 && failed(probe).length === 0;

/** The lines of a probe that show its failures, for quotation. */
export const failureEvidence = (probe: ProbeResult, most = 3): EvidenceRef =>
  evidence(
    probe.id,
    ...failed(probe)
      .flatMap((item) => item.lines.slice(-1))
      .slice(0, most),
  );

/** Reads every `probe/…` entry. */
export function readProbes(entries: ReadonlyMap<string, Entry>): ProbeResult[] {
  return [...entries.values()].flatMap((entry) => {
    const match = /^probe\/(?:pod\/([^/]+)\/([^/]+)|node\/([^/]+))\/(name|dns-server|service|endpoint|payload|node)\/(.+)$/.exec(entry.key);
    if (!match) return [];
    const [, namespace, pod, node, stage, target] = match;
    const origin: Origin = pod
      ? { kind: 'pod', namespace: namespace ?? '', name: pod }
      : { kind: 'node', namespace: null, name: node ?? '' };
    const base = { id: entry.key, stage: stage as Stage, origin, target: target ?? '', command: entry.command };
    return [readProbe(base, entry)];
  });
}

type Base = Pick<ProbeResult, 'id' | 'stage' | 'origin' | 'target' | 'command'>;

function readProbe(base: Base, entry: Entry): ProbeResult {
  if (entry.failure) return { ...base, tries: [], unknown: entry.failure };
  if (entry.exit !== 0 && entry.stdout.trim() === '')
    return {
      ...base,
      tries: [],
      unknown: {
        reason: 'tool-failed',
        detail: entry.stderr.trim().split('\n').at(-1)?.slice(0, 200) || `the probe ended with ${entry.exit}`,
      },
    };
  if (/^k8snet: no tool/m.test(entry.stdout + entry.stderr))
    return { ...base, tries: [], unknown: { reason: 'tool-missing', detail: 'there is no tool for this probe' } };
  switch (base.stage) {
    case 'name':
      return readLookup(base, entry.stdout);
    case 'payload':
      return readPayload(base, entry.stdout);
    case 'node':
      return readReach(base, entry.stdout);
    default:
      return withTries(
        base,
        readTries(entry.stdout).flatMap((block) =>
          base.stage === 'dns-server' ? readDnsTries(block) : [unlessStarved(block, connectTryLimit, readConnectTry(block))],
        ),
      );
  }
}

const withTries = (base: Base, tries: (Try | null | 'starved')[]): ProbeResult => {
  const known = tries.filter((item) => item !== null && item !== 'starved');
  if (known.length > 0) return { ...base, tries: known, unknown: null };
  const starved = tries.includes('starved');
  return {
    ...base,
    tries: [],
    unknown: starved
      ? { reason: 'timeout', detail: 'the machine that probed was too busy to keep its own time limits' }
      : { reason: 'unparsed', detail: 'the output of the probe was not understood' },
  };
};

/**
 * A time-out counts only where the tool could keep its own limit: on a machine that is short of CPU, tries end late by seconds, and what they say
 * is about that machine and not about the network.
 */
const unlessStarved = (block: Block, limitMilliseconds: number, item: Try | null): Try | null | 'starved' =>
  item !== null && (item.cause === 'timeout' || item.cause === 'no-answer') && block.milliseconds > limitMilliseconds + 3000
    ? 'starved'
    : item;

/** Limits of one try in src/collect/probe-sections.ts: connect 4 s, an answer 2 s more; a DNS query 2 s. */
const connectTryLimit = 6000;
const dnsTryLimit = 3000;

interface Block {
  rc: number;
  milliseconds: number;
  tool: string;
  text: string;
  /** 1-based line of the entry on which `text` begins. */
  first: number;
}

/** Takes the output of the `tries` function apart (src/collect/prelude.ts). */
function readTries(stdout: string): Block[] {
  const lines = stdout.split('\n');
  const blocks: Block[] = [];
  lines.forEach((line, index) => {
    const match = /^k8snet-try \d+ rc=(\d+) cs=(-?\d+)$/.exec(line);
    if (!match) return;
    const end = lines.findIndex((later, at) => at > index && later.startsWith('k8snet-try '));
    const body = lines.slice(index + 1, end < 0 ? undefined : end);
    const tool = /^tool=(\w+)$/.exec(body[0] ?? '')?.[1] ?? '';
    blocks.push({
      rc: Number(match[1]),
      milliseconds: Number(match[2]) * 10,
      tool,
      text: (tool ? body.slice(1) : body).join('\n'),
      first: index + (tool ? 3 : 2),
    });
  });
  return blocks;
}

function readConnectTry(block: Block): Try | null {
  // The tool was never started in the namespace: that says nothing about the network.
  if (block.rc === 125 || /^(nsenter|k8snet): /m.test(block.text)) return null;
  switch (block.tool) {
    case 'nchttp':
      return readAnswerTry(block);
    case 'curl':
      return readCurlTry(block);
    case 'nc':
    case 'bash': {
      const attempt = (block.tool === 'nc' ? parseNc(block.text) : parseDevTcp(block.text)).value.attempts.at(-1);
      if (block.rc === 0) return good(block, [attempt?.line ?? 1]);
      // `timeout` ended it before the kernel gave up.
      if (block.rc === 124 || (!attempt?.failure && block.milliseconds > 2500))
        return bad(block, 'timeout', [attempt?.line ?? 1], attempt?.failure?.text ?? 'no answer in time');
      return attempt?.failure ? bad(block, attempt.failure.cause, [attempt.failure.line], attempt.failure.text) : null;
    }
    case 'wget':
      return block.rc === 0
        ? good(block, [1])
        : bad(
            block,
            /refused/.test(block.text)
              ? 'refused'
              : /timed out/.test(block.text)
                ? 'timeout'
                : /No route/.test(block.text)
                  ? 'host-unreachable'
                  : 'other',
            [1],
            block.text.split('\n')[0] ?? '',
          );
    default:
      return null;
  }
}

/** nc with a request on its standard input: what it says of the connection, then the first bytes that came back. */
function readAnswerTry(block: Block): Try | null {
  const attempt = parseNc(block.text).value.attempts.at(-1);
  if (attempt?.failure && attempt.result === 'failed')
    return bad(block, attempt.failure.cause, [attempt.failure.line], attempt.failure.text);
  const lines = block.text.split('\n');
  const answer = lines.findIndex((line) => line.trim() !== '' && !/succeeded!|^nc: /.test(line));
  if (answer >= 0) return good(block, [answer + 1]);
  if (attempt?.result !== 'open') return block.milliseconds > 2500 ? bad(block, 'timeout', [1], 'no answer in time') : null;
  if (/reset by peer/i.test(block.text)) return bad(block, 'reset', lineOf(block, /reset by peer/i), 'reset after connecting');
  // nc ends by its own idle limit where nothing came; a peer that closes at once did answer, in its way.
  return block.milliseconds >= answerLimit - 500
    ? bad(block, 'no-answer', [attempt.line], 'connected, and no byte came back in time')
    : good(block, [attempt.line]);
}

/** `nc -w`, in src/collect/probe-sections.ts. */
const answerLimit = 4000;

/** curl: a response, or an answer that is no HTTP, means that the application answers; a connection without a byte is `no-answer`. */
function readCurlTry(block: Block): Try | null {
  const { value } = parseCurl(block.text);
  const attempt = value.attempts.at(-1);
  const connected = value.attempts.find((item) => item.result === 'connected');
  const first = value.responses[0];
  if (first) return good(block, [first.line], connectTime(block.text));
  const error = value.errors.at(-1);
  if (connected) {
    const silent = /timed out|timeout/i.test(block.text) && block.rc === 28;
    if (silent)
      return bad(block, 'no-answer', lineOf(block, /timed out/i, error?.line), error?.text ?? 'connected, and no byte came back in time');
    if (block.rc === 56 || /reset by peer/.test(block.text))
      return bad(block, 'reset', lineOf(block, /reset/i, error?.line), error?.text ?? 'reset after connecting');
    // 52, 1, 8, 35, 60, 92…: something did answer, or closed the connection in order: not a matter of the network.
    return good(block, [connected.line], connectTime(block.text));
  }
  if (attempt?.failure || error) {
    const failure = attempt?.failure ?? error;
    return bad(block, failure?.cause ?? 'other', [failure?.line ?? 1], failure?.text ?? '');
  }
  if (block.rc === 28 || /timed out/i.test(block.text)) return bad(block, 'timeout', lineOf(block, /timed out/i), 'Connection timed out');
  return block.rc === 0 ? good(block, [1]) : null;
}

const connectTime = (text: string): number | undefined => {
  const match = /\bconnect=([\d.]+)/.exec(text);
  return match ? Math.round(Number(match[1]) * 100_000) / 100 : undefined;
};

const lineOf = (block: Block, pattern: RegExp, fallback = 1): number[] => {
  const at = block.text.split('\n').findIndex((line) => pattern.test(line));
  return [at >= 0 ? at + 1 : fallback];
};

const good = (block: Block, lines: number[], milliseconds: number | undefined = block.milliseconds): Try => ({
  ok: true,
  cause: null,
  milliseconds: milliseconds ?? null,
  lines: shift(block, lines),
  text: '',
});
const bad = (block: Block, cause: NonNullable<Try['cause']>, lines: number[], text: string): Try => ({
  ok: false,
  cause,
  milliseconds: block.milliseconds,
  lines: shift(block, lines),
  text,
});
const shift = (block: Block, lines: number[]): number[] => lines.map((line) => line + block.first - 1);

/**
 * One process may have asked several times: a question ends in "Got answer" or in "no servers could be reached", whose cause stands in a line
 * before it (dig 9.16 to 9.20).
 */
function readDnsTries(block: Block): (Try | null | 'starved')[] {
  const parts = block.tool === 'dig' ? digParts(block) : [block];
  return (parts.length > 0 ? parts : [block]).map((part) => unlessStarved(part, dnsTryLimit, readDnsTry(part)));
}

function digParts(block: Block): Block[] {
  const lines = block.text.split('\n');
  const parts: { from: number; to: number }[] = [];
  let error = 0;
  lines.forEach((line, index) => {
    const open = parts.at(-1);
    if (/^;; Got answer:/.test(line)) parts.push({ from: index, to: lines.length });
    else if (/no servers could be reached/.test(line))
      parts.push({ from: /connection timed out/.test(line) ? index : error, to: index + 1 });
    else if (/^;; communications error/.test(line)) error = index;
    if (open && open !== parts.at(-1)) open.to = Math.min(open.to, index);
  });
  return parts.map(({ from, to }) => ({
    ...block,
    milliseconds: Math.round(block.milliseconds / parts.length),
    text: lines.slice(from, to).join('\n'),
    first: block.first + from,
  }));
}

function readDnsTry(block: Block): Try | null {
  const answer = readDnsAnswer(block.tool, block.text, block.rc);
  if (!answer) return null;
  const { status, line, text } = answer;
  if (status === 'NOERROR' && answer.addresses.length > 0) return good(block, [line], answer.milliseconds);
  return bad(block, causeOfStatus(status), [line], text);
}

const causeOfStatus = (status: string): NonNullable<Try['cause']> => {
  switch (status) {
    case 'NXDOMAIN':
      return 'nxdomain';
    case 'SERVFAIL':
      return 'servfail';
    case 'REFUSED':
      return 'dns-refused';
    case 'NOERROR':
      return 'no-address';
    case 'connection-refused':
      return 'refused';
    case 'timeout':
      return 'timeout';
    case 'host-unreachable':
      return 'host-unreachable';
    case 'net-unreachable':
      return 'net-unreachable';
    default:
      return 'other';
  }
};

/** Status of one answer: the DNS response code, or what kept the answer away. */
function readDnsAnswer(
  tool: string,
  text: string,
  rc: number,
): { status: string; addresses: string[]; line: number; text: string; milliseconds?: number | undefined } | null {
  if (tool === 'nslookup') {
    const { value } = parseNslookup(text);
    const answers = value.runs.flatMap((run) => run.answers);
    const addresses = answers.filter((item) => item.type === 'A').map((item) => item.data);
    if (addresses.length > 0) return { status: 'NOERROR', addresses, line: answers[0]?.line ?? 1, text: '' };
    const failure = value.failures.at(-1);
    if (failure)
      return {
        status: failure.status === 'No answer' ? 'NOERROR' : (failure.status ?? transport(failure.cause)),
        addresses: [],
        line: failure.line,
        text: failure.text,
      };
    return rc === 124 || rc === 143 ? { status: 'timeout', addresses: [], line: 1, text: 'no answer in time' } : null;
  }
  const run = parseDig(text).value.runs.at(-1);
  if (!run) return null;
  if (run.header) {
    const addresses = run.records.filter((record) => record.section === 'answer' && record.type === 'A').map((record) => record.data);
    const cname = run.records.some((record) => record.section === 'answer' && record.type === 'CNAME');
    const answer = run.records.find((record) => record.section === 'answer');
    return {
      status: run.header.status,
      addresses: addresses.length > 0 ? addresses : cname ? ['(alias only)'] : [],
      line: answer?.line ?? run.header.line,
      text: `status: ${run.header.status}`,
      milliseconds: run.queryTimeMs,
    };
  }
  const failure = run.failures.at(-1);
  const first = run.failures[0] ?? failure;
  return failure && first ? { status: transport(first.cause), addresses: [], line: first.line, text: first.text } : null;
}

const transport = (cause: FailureCause): string => (cause === 'refused' ? 'connection-refused' : cause);

/** Takes the output of the `lookup` function apart: what a resolver asked, in order, until an address came. */
function readLookup(base: Base, stdout: string): ProbeResult {
  const lines = stdout.split('\n');
  const lookups: Lookup[] = [];
  let milliseconds = 0;
  let lastLine = 1;
  let lastText = '';
  let cause: Try['cause'] = null;
  for (const [index, line] of lines.entries()) {
    const query = /^k8snet-query name=(\S+) server=(\S+)$/.exec(line);
    if (!query) continue;
    const end = lines.findIndex((later, at) => at > index && later.startsWith('k8snet-answer '));
    const body = lines.slice(index + 1, end < 0 ? undefined : end);
    const tool = /^tool=(\w+)$/.exec(body[0] ?? '')?.[1] ?? '';
    const closing = /^k8snet-answer rc=(\d+) cs=(-?\d+)$/.exec(lines[end] ?? '');
    const answer = readDnsAnswer(tool, body.slice(1).join('\n'), Number(closing?.[1] ?? 0));
    milliseconds += Number(closing?.[2] ?? 0) * 10;
    const status = answer?.status ?? 'unparsed';
    lastLine = (answer?.line ?? 1) + index + 2;
    lastText = answer?.text ?? '';
    cause = causeOfStatus(status);
    lookups.push({ name: query[1] as string, server: query[2] as string, status, addresses: answer?.addresses ?? [], line: lastLine });
  }
  if (lookups.length === 0) {
    const detail = stdout.trim() === '' ? 'the resolver configuration names no server' : 'the output of the probe was not understood';
    return { ...base, tries: [], unknown: { reason: stdout.trim() === '' ? 'not-collected' : 'unparsed', detail } };
  }
  const resolved = lookups.find((lookup) => lookup.addresses.length > 0);
  if (!resolved && lookups.every((lookup) => lookup.status === 'unparsed'))
    return { ...base, tries: [], unknown: { reason: 'unparsed', detail: 'the output of the lookup was not understood' } };
  if (!resolved && cause === 'timeout' && milliseconds > lookups.length * (dnsTryLimit + 3000))
    return {
      ...base,
      tries: [],
      unknown: { reason: 'timeout', detail: 'the machine that probed was too busy to keep its own time limits' },
    };
  const item: Try = resolved
    ? { ok: true, cause: null, milliseconds, lines: [resolved.line], text: '' }
    : { ok: false, cause, milliseconds, lines: [lastLine], text: lastText };
  return { ...base, tries: [item], unknown: null, lookups };
}

function readPayload(base: Base, stdout: string): ProbeResult {
  const lines = stdout.split('\n');
  const head = /^k8snet-mtu dev=(\S+) mtu=(\d+)$/m.exec(stdout);
  if (!head) return { ...base, tries: [], unknown: { reason: 'unparsed', detail: 'the device and its MTU were not told' } };
  const starts = lines.flatMap((line, index) => (/^k8snet-ping size=/.test(line) ? [index] : []));
  const [small, full] = starts.map((start) => {
    const end = lines.findIndex((line, at) => at > start && /^k8snet-(ping|after)/.test(line));
    const run = parsePing(lines.slice(start + 1, end < 0 ? undefined : end).join('\n')).value.runs.at(-1);
    return run ? { ok: (run.statistics?.received ?? run.replies.length) > 0, run, offset: start + 1 } : null;
  });
  const reassembled = Math.max(0, counter(stdout, 'after') - counter(stdout, 'before'));
  const told = full?.run.errors.find((error) => error.cause === 'message-too-long' || error.mtu !== undefined);
  const payload: Payload = {
    device: head[1] as string,
    mtu: Number(head[2]),
    small: small?.ok ?? false,
    full: full ? full.ok : null,
    told: told && full ? { mtu: told.mtu, from: told.from, line: told.line + full.offset } : null,
    reassembled,
  };
  const at = (part: typeof full) => (part?.run.statistics ? [part.run.statistics.line + part.offset] : [1]);
  const tries: Try[] = [];
  // No echo at all is no statement about size: an endpoint may well leave pings unanswered.
  // A sender that is told sends smaller packets: path MTU discovery does its work (RFC 1191), and nothing is lost.
  const fits = payload.full === true || payload.told !== null;
  if (payload.small && payload.full !== null)
    tries.push({
      ok: fits,
      cause: fits ? null : 'timeout',
      milliseconds: null,
      lines: at(full),
      text: fits ? '' : `${payload.mtu}-byte packets are lost, small ones arrive`,
    });
  const unknown =
    tries.length > 0
      ? null
      : { reason: 'unsupported' as const, detail: 'small echo requests are not answered, so nothing can be said about large ones' };
  return { ...base, tries, unknown, payload };
}

const counter = (stdout: string, when: 'before' | 'after'): number =>
  Number(new RegExp(`^k8snet-${when} .*\\bReasmReqds=(\\d+)`, 'm').exec(stdout)?.[1] ?? 0);

function readReach(base: Base, stdout: string): ProbeResult {
  const run = parsePing(stdout).value.runs.at(-1);
  if (!run?.statistics) return { ...base, tries: [], unknown: { reason: 'unparsed', detail: 'the output of ping was not understood' } };
  const ok = run.statistics.received > 0;
  const error = run.errors[0];
  return {
    ...base,
    tries: [
      {
        ok,
        cause: ok ? null : (error?.cause ?? 'timeout'),
        milliseconds: run.statistics.rtt?.avg ?? null,
        lines: [error?.line ?? run.statistics.line],
        text: error?.text ?? (ok ? '' : 'no echo reply'),
      },
    ],
    unknown: null,
  };
}
