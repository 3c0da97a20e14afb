import { gunzipSync, gzipSync } from 'node:zlib';
import { createTar, parseTar } from 'nanotar';
import { z } from 'zod';
import type { Entry } from './entry.ts';
import { type Manifest, manifestSchema, type Snapshot } from './snapshot.ts';

/** A bundle that can't be read, with a sentence for the user. */
export class BundleError extends Error {
  override name = 'BundleError';
}

const maximumBytes = 512 * 1024 * 1024;

/**
 * A snapshot as a .tgz: `manifest.json`, and one file for each standard output and non-empty standard error under `entries/`.
 * The files are there to be read by people; the manifest names which file belongs to which command.
 */
export function packSnapshot(snapshot: Snapshot): Uint8Array {
  const files: { name: string; data: string }[] = [];
  const entries = [...snapshot.entries.values()].map(({ stdout, stderr, ...meta }, index) => {
    const base = `entries/${String(index).padStart(4, '0')}-${meta.key.replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 80)}`;
    files.push({ name: `${base}.txt`, data: stdout });
    if (stderr !== '') files.push({ name: `${base}.err`, data: stderr });
    return { ...meta, stdout: `${base}.txt`, stderr: stderr === '' ? '' : `${base}.err` };
  });
  const manifest: Manifest = { ...snapshot.manifest, entries };
  return gzipSync(createTar([{ name: 'manifest.json', data: `${JSON.stringify(manifest, null, 1)}\n` }, ...files]));
}

/**
 * Reads what `packSnapshot` wrote.
 * @throws BundleError when it is no gzip, no tar, has no valid manifest, or lacks a file that the manifest names.
 */
export function unpackSnapshot(bytes: Uint8Array): Snapshot {
  const files = readTar(bytes);
  const text = files.get('manifest.json');
  if (text === undefined) throw new BundleError('the bundle has no manifest.json: it was not written by `k8snet record`');
  const { entries, ...manifest } = readManifest(text);
  return { manifest, entries: new Map(entries.map((meta) => [meta.key, readEntry(meta, files)])) };
}

function readTar(bytes: Uint8Array): Map<string, string> {
  try {
    const items = parseTar(gunzipSync(bytes, { maxOutputLength: maximumBytes }));
    return new Map(items.map((item) => [item.name, item.text ?? '']));
  } catch (error) {
    throw new BundleError(`the bundle is not a readable .tgz: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readManifest(text: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new BundleError('manifest.json in the bundle is not JSON: the file is damaged or cut off');
  }
  const result = manifestSchema.safeParse(json);
  if (!result.success)
    throw new BundleError(`manifest.json in the bundle is not of this version: ${z.prettifyError(result.error).split('\n')[0]}`);
  return result.data;
}

function readEntry(meta: Manifest['entries'][number], files: Map<string, string>): Entry {
  const { stdout, stderr, ...rest } = meta;
  const out = files.get(stdout);
  const err = stderr === '' ? '' : files.get(stderr);
  if (out === undefined || err === undefined)
    throw new BundleError(`the bundle lacks ${out === undefined ? stdout : stderr}, which its manifest names`);
  return { ...rest, stdout: out, stderr: err };
}
