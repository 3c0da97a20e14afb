import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseTar } from 'nanotar';

/** One recording: commands and what they printed, as files (`nodes/n1/iptables-save.txt`), with standard error in `….err` and the exit status in `….rc`. */
export interface Recording {
  name: string;
  /** `layer|cause|place`, or that the cluster is healthy. */
  truth: string;
  /** RFC 3339, of the recording's own files. */
  recordedAt: string;
  /** Path below the recording's directory -> text. */
  files: ReadonlyMap<string, string>;
}

/** Every `*.tgz` of a directory, in order of name. */
export const readRecordings = (directory: string): Recording[] =>
  readdirSync(directory)
    .filter((file) => file.endsWith('.tgz'))
    .sort()
    .map((file) => readRecording(basename(file, '.tgz'), readFileSync(join(directory, file))));

export function readRecording(name: string, bytes: Uint8Array): Recording {
  const items = parseTar(gunzipSync(bytes)).filter((item) => item.type === 'file');
  const files = new Map(items.map((item) => [item.name.replace(/^(?:\.\/)?[^/]+\//, ''), item.text]));
  const truth = files.get('truth.txt')?.trim();
  if (truth === undefined) throw new Error(`${name} has no truth.txt: it is no recording`);
  return { name, truth, recordedAt: new Date((items[0]?.attrs?.mtime ?? 0) * 1000).toISOString(), files };
}

export interface Output {
  stdout: string;
  stderr: string;
  exit: number;
}

/** What one command printed; undefined when it was not recorded. The line that kubectl adds to standard error is not the command's. */
export function outputOf(recording: Recording, path: string): Output | undefined {
  const stdout = recording.files.get(path);
  const stderr = recording.files.get(`${path}.err`);
  if (stdout === undefined && stderr === undefined) return undefined;
  const exit = Number(/exit (\d+)/.exec(recording.files.get(`${path}.rc`) ?? '')?.[1] ?? 0);
  return { stdout: stdout ?? '', stderr: (stderr ?? '').replace(/^command terminated with exit code \d+\n?/gm, ''), exit };
}
