import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { processesWhere } from '../../test/cluster/leftovers.ts';

export interface Sent {
  sent: number;
  failed: number;
  seconds: number;
  /** What one packet cost its sender, in the best twentieth of its milliseconds: others use the machine too. */
  nanoseconds: number;
}

export interface Traffic {
  send: (kind: 'udp' | 'tcp', to: { address: string; port: number; sourcePort: number }, rate: number, seconds: number) => Promise<Sent>;
  close: () => Promise<void>;
}

/** A UDP port that nobody else uses. */
export const sinkPort = 7777;

/** Builds the sender, and opens a sink in the receiving pod; both pods by container id. */
export async function openTraffic(from: string, to: string): Promise<Traffic> {
  const directory = mkdtempSync(join(tmpdir(), 'k8snet-bench-'));
  const sender = join(directory, 'sender');
  await execa('go', ['build', '-o', sender, 'scripts/bench-capture/sender.go']);
  const sink = execa('nsenter', [...into(to), sender, 'sink', String(sinkPort)], { stdin: 'pipe', reject: false, buffer: false });
  await new Promise((resolve) => sink.stdout.once('data', resolve));
  return {
    send: async (kind, { address, port, sourcePort }, rate, seconds) => {
      const words = [kind, address, port, sourcePort, rate, seconds].map(String);
      return JSON.parse((await execa('nsenter', [...into(from), sender, ...words])).stdout) as Sent;
    },
    close: async () => {
      sink.stdin.end();
      await sink;
      rmSync(directory, { recursive: true });
    },
  };
}

function into(container: string): string[] {
  const [pid] = processesWhere('cgroup', (text) => text.includes(container));
  if (pid === undefined) throw new Error(`no process of container ${container}`);
  return ['-t', pid, '-n', '--'];
}
