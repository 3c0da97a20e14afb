import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

/** A new empty directory that is removed when the tests of the file have ended, however they did. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'k8snet-test-'));
  made.push(directory);
  return directory;
}
