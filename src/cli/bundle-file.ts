import { readFile, writeFile } from 'node:fs/promises';
import { UsageError } from '../collect/errors.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/** A file that the user named. @throws UsageError when it can't be read */
export async function readNamed(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new UsageError(`${file} can't be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

/** The recording in a file. @throws UsageError when it can't be read, BundleError when it is none */
export async function readBundle(file: string): Promise<Snapshot> {
  const [{ unpackSnapshot }, bytes] = await Promise.all([import('../snapshot/archive.ts'), readNamed(file)]);
  return unpackSnapshot(bytes);
}

/** Writes a recording. @throws UsageError when it can't be written */
export async function writeBundle(file: string, snapshot: Snapshot): Promise<void> {
  const { packSnapshot } = await import('../snapshot/archive.ts');
  try {
    await writeFile(file, packSnapshot(snapshot));
  } catch (error) {
    throw new UsageError(`${file} can't be written: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}
