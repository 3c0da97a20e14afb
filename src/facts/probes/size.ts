import type { PingRun } from '../../model/probe.ts';
import { parsePing } from '../../parse/ping.ts';
import type { Base, Narrow, Payload, ProbeResult, Try } from './probe.ts';

/** The MTU of the interface that has an address; undefined where it was not read. */
export type MtuOf = (address: string) => number | undefined;

/** Reads what src/collect/size-probe.ts prints: pings of a small and of the full size and, where that did not pass, of sizes between them. */
export function readPayload(base: Base, stdout: string, mtuOf: MtuOf): ProbeResult {
  const head = /^k8snet-mtu dev=(\S+) mtu=(\d+)$/m.exec(stdout);
  if (!head) return { ...base, tries: [], unknown: { reason: 'unparsed', detail: 'the device and its MTU were not told' } };
  if (head[1] === 'lo')
    return { ...base, tries: [], unknown: { reason: 'unsupported', detail: 'the address is the own one of who sends: no packet leaves' } };
  const mtu = Number(head[2]);
  const parts = partsOf(stdout);
  const pings = parts.filter((part) => part.kind === 'ping');
  const [small, full, ...others] = pings;
  const told = full?.run.errors.find((error) => error.cause === 'message-too-long' || error.mtu !== undefined);
  const narrow = small?.ok && full && !full.ok ? narrowOf([small, ...others, full], parts, stdout) : null;
  const payload: Payload = {
    device: head[1] as string,
    mtu,
    small: small?.ok ?? false,
    full: full ? full.ok : null,
    // Where the kernel refuses by what it has kept of the path, `sendmsg: Message too long` names no size.
    told: told && full ? { mtu: told.mtu ?? narrow?.cached?.mtu, from: told.from, line: told.line + full.offset } : null,
    reassembled: Math.max(0, counter(stdout, 'after') - counter(stdout, 'before')),
    narrow,
  };
  const tries: Try[] = [];
  // No echo at all is no statement about size: an endpoint may well leave pings unanswered.
  if (payload.small && payload.full !== null) {
    const ok = isEnough(payload, mtuOf(base.target));
    tries.push({
      ok,
      cause: ok ? null : 'timeout',
      milliseconds: null,
      lines: full?.run.statistics ? [full.run.statistics.line + full.offset] : [1],
      text: ok ? '' : `${mtu}-byte packets are lost, ${payload.narrow ? `those of ${payload.narrow.largest} bytes` : 'small ones'} arrive`,
    });
  }
  if (tries.some(({ ok }) => !ok) && lossUpTo(narrow?.largest ?? small?.size ?? 0, pings) > mostLossByChance)
    return {
      ...base,
      tries: [],
      unknown: { reason: 'unsupported', detail: 'packets of any size are lost now and then, so nothing can be said about large ones' },
      payload,
    };
  const unknown =
    tries.length > 0
      ? null
      : { reason: 'unsupported' as const, detail: 'small echo requests are not answered, so nothing can be said about large ones' };
  return { ...base, tries, unknown, payload };
}

/** A size that is too large is always lost, and what is smaller never is; where more than this share of the smaller ones is lost, size is not what decides. */
const mostLossByChance = 0.2;

/** Share of the packets up to a size that were not answered. */
function lossUpTo(size: number, pings: readonly Part[]): number {
  const counts = pings.filter((part) => part.size <= size).flatMap(({ run }) => run.statistics ?? []);
  const sum = (of: (item: (typeof counts)[number]) => number): number => counts.reduce((total, item) => total + of(item), 0);
  const sent = sum(({ transmitted }) => transmitted);
  return sent === 0 ? 0 : 1 - sum(({ received }) => received) / sent;
}

/**
 * Whether every packet that TCP sends gets through: those of full size do; or the sender was told of a size that does (RFC 1191); or all that the far end's
 * own interface takes do, to which its SYN holds the sender (MSS, RFC 9293, 3.7.1).
 */
function isEnough({ full, told, narrow, mtu }: Payload, farMtu: number | undefined): boolean {
  if (full) return true;
  if (told !== null && (narrow === null || told.mtu === undefined || narrow.largest >= Math.min(told.mtu, mtu))) return true;
  return narrow !== null && farMtu !== undefined && farMtu < mtu && narrow.largest >= farMtu;
}

interface Part {
  kind: 'ping' | 'reach';
  size: number;
  run: PingRun;
  ok: boolean;
  /** Lines of the entry before the part's first. */
  offset: number;
}

/** 20 bytes of IP and 8 of ICMP are around the data that ping counts. */
const headers = 28;

function partsOf(stdout: string): Part[] {
  const lines = stdout.split('\n');
  return lines.flatMap((line, index) => {
    const [, kind] = /^k8snet-(ping|reach) size=/.exec(line) ?? [];
    if (kind === undefined) return [];
    const end = lines.findIndex((text, at) => at > index && /^k8snet-/.test(text));
    const run = parsePing(lines.slice(index + 1, end < 0 ? undefined : end).join('\n')).value.runs.at(-1);
    if (!run) return [];
    const size = (run.payloadBytes ?? 0) + headers;
    return [{ kind: kind as Part['kind'], size, run, ok: (run.statistics?.received ?? run.replies.length) > 0, offset: index + 1 }];
  });
}

/** Null where only the full size was tried: then nothing is known but that it is too large. */
function narrowOf(pings: readonly Part[], parts: readonly Part[], stdout: string): Narrow | null {
  if (pings.length < 3) return null;
  const largest = pings.filter(({ ok }) => ok).reduce((best, part) => (part.size > best.size ? part : best));
  const above = pings.filter(({ ok, size }) => !ok && size > largest.size);
  const next = above.length > 0 ? above.reduce((best, part) => (part.size < best.size ? part : best)) : null;
  return {
    largest: largest.size,
    next: next?.size ?? null,
    lines: [largest, next].flatMap((part) =>
      part?.run.statistics ? [part.run.line, part.run.statistics.line].map((line) => line + part.offset) : [],
    ),
    reach: reachOf(parts.filter(({ kind }) => kind === 'reach')),
    cached: cachedOf(stdout),
  };
}

function reachOf([full, small]: readonly Part[]): Narrow['reach'] {
  // What the sender's own kernel refused was never on its way.
  if (!full || !small || full.run.errors.some(({ from }) => from === undefined)) return null;
  const reporter = (part: Part) => part.run.errors.find(({ text }) => /Time to live exceeded/i.test(text));
  const line = reporter(full)?.line ?? full.run.statistics?.line ?? 0;
  return { full: reporter(full)?.from ?? null, small: reporter(small)?.from ?? null, line: line + full.offset };
}

function cachedOf(stdout: string): Narrow['cached'] {
  const lines = stdout.split('\n');
  const start = lines.indexOf('k8snet-route');
  const at = lines.findIndex((line, index) => start >= 0 && index > start && /\bcache\b.*\bmtu (?:lock )?\d+/.test(line));
  return at < 0 ? null : { mtu: Number(/\bmtu (?:lock )?(\d+)/.exec(lines[at] ?? '')?.[1]), line: at + 1 };
}

const counter = (stdout: string, when: 'before' | 'after'): number =>
  Number(new RegExp(`^k8snet-${when} .*\\bReasmReqds=(\\d+)`, 'm').exec(stdout)?.[1] ?? 0);
