import { readdirSync, readFileSync } from 'node:fs';
import { execa } from 'execa';

/** Trace instances of ours on this machine: all nodes, of all clusters, share the kernel. */
export async function traceInstances(): Promise<string[]> {
  const list = 'mount -t tracefs k8snet-test /mnt && ls /mnt/instances';
  const { stdout } = await execa('unshare', ['-m', 'sh', '-c', list]);
  return stdout.split('\n').filter((name) => name.startsWith('k8snet-'));
}

/** Ids of processes of this machine of which a file in /proc says this. */
export function processesWhere(file: 'cgroup' | 'cmdline' | 'environ' | 'status', says: (text: string) => boolean): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return says(readFileSync(`/proc/${pid}/${file}`, 'utf8'));
    } catch {
      return false;
    }
  });
}

/** Directories that scripts of ours make for themselves (mktemp), in a directory for temporary files. */
export function scriptFiles(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => /^k8snet(-trace)?\.[A-Za-z0-9]{6}$/.test(name));
  } catch {
    return [];
  }
}
