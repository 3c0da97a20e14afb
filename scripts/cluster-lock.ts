import { once } from 'node:events';
import { execa } from 'execa';

/** Others that wait for the cluster get it after so long. */
const longestHeld = 240_000;

/** Waits for the lock (flock(1)), unless it is held since less than that; `free` gives it back in any case. */
export function createLock(file: string | undefined): { take: () => Promise<void>; free: () => Promise<void> } {
  let since = 0;
  let free = async (): Promise<void> => {};
  const take = async (): Promise<void> => {
    if (file === undefined || (since > 0 && Date.now() - since < longestHeld)) return;
    await free();
    const holder = execa('flock', ['-w', '1800', file, 'sh', '-c', 'echo locked; exec cat'], { reject: false, buffer: false });
    await Promise.race([once(holder.stdout, 'data'), holder]);
    if (holder.exitCode !== null) throw new Error(`${file} was not to be had within half an hour`);
    since = Date.now();
    free = async () => {
      holder.stdin.end();
      await holder;
      since = 0;
      free = async () => {};
    };
  };
  return { take, free: () => free() };
}
