import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { guessKind } from '../../src/parse/guess.ts';
import { readRecordings } from '../../test/recordings/recording.ts';

/** A real output and what it is: its inputs go to that kind's parser first. */
export interface Sample {
  name: string;
  kind: string | undefined;
  text: string;
}

/** More of one output brings no new forms of lines, and would make inputs slow. */
const longest = 100_000;

const directories = [
  'fixtures/parse/ip',
  'fixtures/parse/netfilter',
  'fixtures/parse/probe',
  '../shared/outputs/ip',
  '../shared/outputs/nf',
  '../shared/corpora/samples',
];

/**
 * Every output of the project's fixtures, and of the collections and recordings beside the project where they are there: equal texts once, in one order on every machine.
 * Capture files are read as one character for each byte.
 */
export function readSamples(): Sample[] {
  const named = [...directories.flatMap(filesOf), ...recorded('../shared/recordings')];
  const byText = new Map(named.filter(({ text }) => text.trim() !== '').map((file) => [file.text, file]));
  return [...byText.values()].map(({ name, text }) => ({
    name,
    text,
    kind: name.includes('.pcap') ? 'pcap' : guessKind(text)?.kind,
  }));
}

function filesOf(directory: string): { name: string; text: string }[] {
  const names = existsSync(directory) ? readdirSync(directory).sort() : [];
  return names
    .filter((name) => /\.(?:txt|pcap|pcapng)$/.test(name))
    .map((name) => {
      const path = join(directory, name);
      return { name: path, text: readFileSync(path, name.endsWith('.txt') ? 'utf8' : 'latin1').slice(0, longest) };
    });
}

/** The commands of one healthy and one broken cluster of each kube-proxy mode: those of the others differ in few lines. */
function recorded(directory: string): { name: string; text: string }[] {
  if (!existsSync(directory)) return [];
  return readRecordings(directory)
    .filter(({ name }) => /healthy|stale/.test(name))
    .flatMap(({ name, files }) =>
      [...files]
        .filter(([path]) => path.endsWith('.txt') || path.endsWith('.err') || path.endsWith('.json'))
        .filter(([path]) => !path.startsWith('objects/'))
        .map(([path, text]) => ({ name: `${name}/${path}`, text: text.slice(0, longest) })),
    );
}
