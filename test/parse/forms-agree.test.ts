import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NetfilterRuleset } from '../../src/model/netfilter.ts';
import type { Parsed } from '../../src/model/parsed.ts';
import { parseBridgeFdb } from '../../src/parse/bridge-fdb.ts';
import { parseIpAddr } from '../../src/parse/ip-addr.ts';
import { parseIpLink } from '../../src/parse/ip-link.ts';
import { parseIpNeigh } from '../../src/parse/ip-neigh.ts';
import { parseIpRoute } from '../../src/parse/ip-route.ts';
import { parseIpRule } from '../../src/parse/ip-rule.ts';
import { parseNftJson } from '../../src/parse/nft-json.ts';
import { parseNftText } from '../../src/parse/nft-text.ts';
import { readRecordings } from '../recordings/recording.ts';
import { differences, type Exception, nftExceptions, sizeOf } from './forms.ts';

const shared = join(import.meta.dirname, '../../../shared');

/** Names of the two files of one reading, and what both are read with. */
const forms: [text: string, json: string, parse: (text: string) => Parsed<unknown>][] = [
  ['ip-route-all.txt', 'ip-route-all.json', parseIpRoute],
  ['ip-addr.txt', 'ip-addr.json', parseIpAddr],
  ['ip-d-link.txt', 'ip-d-link.json', parseIpLink],
  ['ip-neigh.txt', 'ip-neigh.json', parseIpNeigh],
  ['bridge-fdb.txt', 'bridge-fdb.json', parseBridgeFdb],
];

const recordedExceptions: Exception[] = [
  { path: /^\*\.(mtuLocked|other\.rto_min)$/, why: 'the JSON has metrics of a route without their locks' },
  { path: /^\*\.addresses\.\*\.protocol$/, why: 'iproute2 6.15, of which a JSON fixture is, names who added an address' },
  { path: /^\*\.netns$/, why: 'the text names the namespace of the other end, the JSON of iproute2 6.1 numbers it' },
  { path: /_timer$/, why: 'time goes on between the two' },
  { path: /^\*\.portDetails\.mcast_fast_leave$/, why: 'the JSON of iproute2 6.1 says fastleave only' },
];

/** Tables of iptables-nft aside: nft shows their rules with losses, which differ between its forms. */
const own = (parsed: Parsed<NetfilterRuleset>): Parsed<NetfilterRuleset> => ({
  ...parsed,
  value: { ...parsed.value, tables: parsed.value.tables.filter((table) => !table.lossy) },
});

const fixtures = join(import.meta.dirname, '../../fixtures/parse/ip');
const fixture = (number: string): string => {
  const name = readdirSync(fixtures).find((file) => file.startsWith(`ip-${number}-`) && file.endsWith('.txt')) ?? expect.fail(number);
  return readFileSync(join(fixtures, name), 'utf8');
};

describe('text and JSON of one state (fixtures)', () => {
  it.each<[string, string, string, (text: string) => Parsed<unknown>]>([
    ['ip route', '001', '003', parseIpRoute],
    ['ip rule', '034', '035', parseIpRule],
    ['ip neigh', '046', '048', parseIpNeigh],
    ['ip addr', '055', '056', parseIpAddr],
    ['ip -6 route', '028', '029', parseIpRoute],
  ])('%s is read alike', (_command, text, json, parse) => {
    const [fromText, fromJson] = [parse(fixture(text)), parse(fixture(json))];
    expect(sizeOf(fromText)).toBeGreaterThan(20);
    expect(differences(fromText, fromJson, recordedExceptions)).toEqual([]);
  });
});

describe.skipIf(!existsSync(join(shared, 'recordings')))('text and JSON of one state (../shared/recordings, skipped where missing)', () => {
  const recordings = existsSync(join(shared, 'recordings')) ? readRecordings(join(shared, 'recordings')) : [];
  const fileOf = (name: string, path: string): string =>
    recordings.find((recording) => recording.name === name)?.files.get(path) ?? expect.fail(`${name} has no ${path}`);

  it.each(recordings.map(({ name }) => name))('ip and bridge are read alike on every node of %s', (name) => {
    for (const node of ['n1', 'n2', 'n3']) {
      for (const [text, json, parse] of forms) {
        const [fromText, fromJson] = [parse(fileOf(name, `nodes/${node}/${text}`)), parse(fileOf(name, `nodes/${node}/${json}`))];
        expect(sizeOf(fromText), `${node} ${text}`).toBeGreaterThan(3);
        expect(differences(fromText, fromJson, recordedExceptions), `${node} ${text}`).toEqual([]);
      }
    }
  });

  it.each(recordings.map(({ name }) => name))('nft is read alike on every node of %s', (name) => {
    for (const node of ['n1', 'n2', 'n3']) {
      const fromText = own(parseNftText(fileOf(name, `nodes/${node}/nft-list-ruleset.txt`)));
      const fromJson = own(parseNftJson(fileOf(name, `nodes/${node}/nft-j-list-ruleset.json`)));
      expect(differences(fromText, fromJson, nftExceptions), node).toEqual([]);
    }
  });
});

interface CorpusFile {
  saved: Record<string, string>;
  savedJsonFiles: Record<string, string>;
}

describe.skipIf(!existsSync(join(shared, 'corpora')))(
  'text and JSON of rules of kube-proxy (../shared/corpora, skipped where missing)',
  () => {
    const directory = join(shared, 'corpora/nftables');
    const cases = existsSync(directory) ? readdirSync(directory).filter((file) => !/\.nft-[\d.]+\.json$/.test(file)) : [];

    it.each(cases)('%s is read alike, as two versions of nft printed it', (file) => {
      const { saved, savedJsonFiles } = JSON.parse(readFileSync(join(directory, file), 'utf8')) as CorpusFile;
      for (const [tool, jsonFile] of Object.entries(savedJsonFiles)) {
        const version = /\d+\.\d+\.\d+/.exec(tool)?.[0] ?? '';
        const fromText = parseNftText(saved[`nft list ruleset (${version})`] ?? expect.fail(version));
        const fromJson = parseNftJson(readFileSync(join(directory, jsonFile), 'utf8'));
        expect([fromText.complete, fromJson.complete], version).toEqual([true, true]);
        expect(sizeOf(fromText)).toBeGreaterThan(150);
        expect(differences(fromText, fromJson, nftExceptions), version).toEqual([]);
      }
    });
  },
);
