import { parsePing } from '../../parse/ping.ts';
import type { Base, Payload, ProbeResult, Try } from './probe.ts';

export function readPayload(base: Base, stdout: string): ProbeResult {
  const lines = stdout.split('\n');
  const head = /^k8snet-mtu dev=(\S+) mtu=(\d+)$/m.exec(stdout);
  if (!head) return { ...base, tries: [], unknown: { reason: 'unparsed', detail: 'the device and its MTU were not told' } };
  if (head[1] === 'lo')
    return { ...base, tries: [], unknown: { reason: 'unsupported', detail: 'the address is the own one of who sends: no packet leaves' } };
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

export function readReach(base: Base, stdout: string): ProbeResult {
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
