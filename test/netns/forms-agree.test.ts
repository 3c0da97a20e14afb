import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { image, inImage } from '../../scripts/roundtrip/image.ts';
import type { Parsed } from '../../src/model/parsed.ts';
import { parseBridgeFdb } from '../../src/parse/bridge-fdb.ts';
import { parseBridgeLink } from '../../src/parse/bridge-link.ts';
import { parseBridgeMdb } from '../../src/parse/bridge-mdb.ts';
import { parseBridgeVlan } from '../../src/parse/bridge-vlan.ts';
import { parseIpAddr } from '../../src/parse/ip-addr.ts';
import { parseIpLink } from '../../src/parse/ip-link.ts';
import { parseIpNeigh } from '../../src/parse/ip-neigh.ts';
import { parseIpNetns } from '../../src/parse/ip-netns.ts';
import { parseIpRoute } from '../../src/parse/ip-route.ts';
import { parseIpRule } from '../../src/parse/ip-rule.ts';
import { parseNftJson } from '../../src/parse/nft-json.ts';
import { parseNftText } from '../../src/parse/nft-text.ts';
import { differences, type Exception, nftExceptions, sizeOf } from '../parse/forms.ts';
import { describeAsRoot, printedIn } from './namespace.ts';

const setup = [
  readFileSync(join(import.meta.dirname, 'state.sh'), 'utf8'),
  'ip link add eth0 type bridge',
  `nft -f '${join(import.meta.dirname, 'rules/every-statement.nft')}'`,
].join('\n');

/** What one of the forms lacks, or what goes on between the two. Versions: iproute2 6.1 and 6.15. */
const exceptions: Exception[] = [
  { path: /^\*\.mtuLocked$/, why: 'the JSON has the MTU of a route without its lock' },
  { path: /^\*\.counters\.rx\.(missed|overrun)$/, why: '-s shows missed in text and overrun in JSON; -s -s shows both' },
  { path: /^\*\.portDetails\.mcast_fast_leave$/, why: 'the JSON says fastleave only, which the text says too' },
  {
    path: /^\*\.details\.(text|type|pi|vnet_hdr|multi_queue|persist)$/,
    why: 'the details of other kinds are kept as words of the text, and by name in JSON',
  },
  {
    path: /^\*\.details\.(no)?(udpcsum|udp6zerocsum[rt]x|remcsum[rt]x|localbypass)$/,
    why: 'the text of iproute2 6.15 has only what is not as usual',
  },
  { path: /_timer$|Lifetime$|^\*\.(?:other\.timer|used\.\w+|probes|expires)$/, why: 'time goes on between the two' },
  { path: /^\*\.counters\.[rt]x\.\w+$/, why: 'packets go on between the two' },
];

/** Each command in both forms; the least number of plain values that it has to give, so that an empty answer is no agreement. */
const commands: [command: string, parse: (text: string) => Parsed<unknown>, atLeast: number][] = [
  ['ip route show table all', parseIpRoute, 300],
  ['ip -6 route show table all', parseIpRoute, 150],
  ['ip -d route show table all', parseIpRoute, 300],
  ['ip rule', parseIpRule, 80],
  ['ip -6 rule', parseIpRule, 10],
  ['ip addr', parseIpAddr, 200],
  ['ip -d -s addr', parseIpAddr, 400],
  ['ip link', parseIpLink, 150],
  ['ip -d link', parseIpLink, 300],
  ['ip -s -s link', parseIpLink, 200],
  ['ip neigh', parseIpNeigh, 20],
  ['ip -s neigh', parseIpNeigh, 20],
  ['ip neigh show proxy', parseIpNeigh, 2],
  // The image sees no namespaces by name.
  ['ip netns', parseIpNetns, 0],
  ['bridge fdb', parseBridgeFdb, 100],
  ['bridge -d -s fdb', parseBridgeFdb, 100],
  ['bridge link', parseBridgeLink, 15],
  ['bridge -d link', parseBridgeLink, 30],
  // A kernel without VLAN filtering has none.
  ['bridge vlan', parseBridgeVlan, 0],
  ['bridge mdb', parseBridgeMdb, 20],
  ['bridge -d -s mdb', parseBridgeMdb, 20],
];

const tools = [
  { name: 'tools of the machine', before: '' },
  ...(existsSync(image) ? [{ name: 'tools of the image', before: `${inImage} ` }] : []),
];

describeAsRoot('text and JSON of one state of a namespace', () => {
  // Once more where the kernel did something between the two commands: an address that ceases to be tentative, a group that is joined.
  it.each(tools)('parse to the same, for every table that ip and bridge show ($name)', { retry: 2 }, ({ before }) => {
    const printed = printedIn(
      setup,
      commands.flatMap(([command]) => [`${before}${command}`, `${before}${command.replace(' ', ' -j ')}`]),
    );
    commands.forEach(([command, parse, atLeast], index) => {
      const [text, json] = [parse(printed[2 * index]?.stdout ?? ''), parse(printed[2 * index + 1]?.stdout ?? '')];
      expect([text.unparsed, json.unparsed], command).toEqual([[], []]);
      expect(differences(text, json, exceptions), command).toEqual([]);
      expect(sizeOf(text), command).toBeGreaterThanOrEqual(atLeast);
    });
  });

  it('parse to the same, for every statement of nft', () => {
    const [text, json] = printedIn(setup, ['nft list ruleset', 'nft -j list ruleset']);
    const [fromText, fromJson] = [parseNftText(text?.stdout ?? ''), parseNftJson(json?.stdout ?? '')];
    expect([fromText.unparsed, fromJson.unparsed]).toEqual([[], []]);
    expect(differences(fromText, fromJson, nftExceptions)).toEqual([]);
    expect(sizeOf(fromText)).toBeGreaterThan(1500);
  });
});
