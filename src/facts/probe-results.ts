import { type EvidenceRef, evidence } from '../model/evidence.ts';
import type { Entry } from '../snapshot/entry.ts';
import { readConnectTry } from './probes/connect.ts';
import { readDnsTries, readLookup } from './probes/dns.ts';
import { readReach } from './probes/echo.ts';
import type { Base, Origin, ProbeResult, Stage, Try } from './probes/probe.ts';
import { type MtuOf, readPayload } from './probes/size.ts';
import { readTries, unlessStarved, withTries } from './probes/tries.ts';

export type { Payload, ProbeResult, Try } from './probes/probe.ts';

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

/** Reads every `probe/…` entry. `mtuOf` tells the MTU of the interface that has an address, where that is known. */
export function readProbes(entries: ReadonlyMap<string, Entry>, mtuOf: MtuOf = () => undefined): ProbeResult[] {
  return [...entries.values()].flatMap((entry) => {
    const match = /^probe\/(?:pod\/([^/]+)\/([^/]+)|node\/([^/]+))\/(name|dns-server|service|endpoint|payload|node)\/(.+)$/.exec(entry.key);
    if (!match) return [];
    const [, namespace, pod, node, stage, target] = match;
    const origin: Origin = pod
      ? { kind: 'pod', namespace: namespace ?? '', name: pod }
      : { kind: 'node', namespace: null, name: node ?? '' };
    const base = { id: entry.key, stage: stage as Stage, origin, target: target ?? '', command: entry.command };
    return [readProbe(base, entry, mtuOf)];
  });
}

function readProbe(base: Base, entry: Entry, mtuOf: MtuOf): ProbeResult {
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
      return readPayload(base, entry.stdout, mtuOf);
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

/** Limits of one try in src/collect/probe-sections.ts: connect 4 s, an answer 2 s more. */
const connectTryLimit = 6000;
