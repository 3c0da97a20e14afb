import { parsePing } from '../../parse/ping.ts';
import type { Base, ProbeResult } from './probe.ts';

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
