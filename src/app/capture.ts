import type { CaptureReport } from '../schema/capture-report.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { captured } from '../walk/capture/captured.ts';
import { type World, withCluster } from './cluster.ts';
import { collectorOf, type DiagnoseOptions } from './diagnose.ts';

export interface CaptureResult {
  snapshot: Snapshot;
  /** A string says why nothing could be captured. */
  report: CaptureReport | string;
}

/** A marked probe, captured on its whole way, and what that tells; nothing of the nodes' tables is read. */
export async function capture(options: DiagnoseOptions, world: World): Promise<CaptureResult> {
  return withCluster(
    options,
    world,
    (reached) => collectorOf(options, reached).capture(),
    (snapshot) => ({ snapshot, report: captureOf(snapshot) ?? 'nothing was captured' }),
  );
}

/** What the captures of a recording tell: undefined where it holds none, a string where none could be made. */
export const captureOf = (snapshot: Snapshot): CaptureReport | string | undefined => captured(snapshot);

/** The capture files of a snapshot, by a name that says place and node. */
export function captureFiles(snapshot: Snapshot): { name: string; bytes: Uint8Array }[] {
  return [...snapshot.entries.values()].flatMap((entry) => {
    const [, name] = /^capture\/(.+)\/pcap$/.exec(entry.key) ?? [];
    if (name === undefined || entry.failure || entry.exit !== 0) return [];
    return [{ name: `${name.replaceAll(/[^A-Za-z0-9.-]/g, '_')}.pcap`, bytes: Buffer.from(entry.stdout, 'base64') }];
  });
}
