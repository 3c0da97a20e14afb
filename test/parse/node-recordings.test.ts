import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parseTar } from 'nanotar';
import { describe, expect, it } from 'vitest';
import { type Parser, parsers } from './node-outputs.ts';
import { unquoted } from './quoted-lines.ts';

/** Recordings of a real three-node cluster, healthy and broken in known ways; skipped where they are not at hand. */
const directory = '../shared/recordings';
const archives = existsSync(directory) ? readdirSync(directory).filter((file) => file.endsWith('.tgz')) : [];

const files: Record<string, Parser> = {
  'bridge-fdb.json': parsers.parseBridgeFdb,
  'bridge-fdb.txt': parsers.parseBridgeFdb,
  'bridge-link.txt': parsers.parseBridgeLink,
  'conntrack-C.txt': parsers.parseConntrackCount,
  'conntrack-L.txt': parsers.parseConntrack,
  'conntrack-S.txt': parsers.parseConntrackStats,
  'ethtool-k-eth0.txt': parsers.parseEthtool,
  'ip-addr.json': parsers.parseIpAddr,
  'ip-addr.txt': parsers.parseIpAddr,
  'ip-d-link.json': parsers.parseIpLink,
  'ip-d-link.txt': parsers.parseIpLink,
  'ip-neigh.json': parsers.parseIpNeigh,
  'ip-neigh.txt': parsers.parseIpNeigh,
  'ip-route-all.json': parsers.parseIpRoute,
  'ip-route-all.txt': parsers.parseIpRoute,
  'ip-route.txt': parsers.parseIpRoute,
  'ip-rule.txt': parsers.parseIpRule,
  'netdev.txt': parsers.parseProcNetDev,
  'netstat-s.txt': parsers.parseProcNetSnmp,
  'nstat.txt': parsers.parseNstat,
  'sockets-tcp.txt': parsers.parseProcNetSockets,
  'ss-lntu.txt': parsers.parseSs,
  'ss-lntup.txt': parsers.parseSs,
  'sysctl.txt': parsers.parseSysctl,
};

describe.skipIf(archives.length === 0)('recordings of a real cluster (../shared/recordings, skipped where missing)', () => {
  it.each(archives)('%s: every output of every node and pod is read whole', (archive) => {
    let read = 0;
    for (const { name, data } of parseTar(gunzipSync(readFileSync(`${directory}/${archive}`)))) {
      const [, place] = /\/(nodes|pods)\//.exec(name) ?? [];
      const parse = files[name.split('/').at(-1) ?? ''];
      if (place === undefined || parse === undefined || data === undefined) continue;
      const text = new TextDecoder().decode(data);
      const parsed = parse(text);
      read += 1;
      expect(parsed.unparsed, name).toEqual([]);
      expect(parsed.complete, name).toBe(true);
      expect(unquoted(text, parsed), name).toEqual([]);
    }
    expect(read).toBeGreaterThan(60);
  });

  it('text and JSON of a node agree', () => {
    const entries = parseTar(gunzipSync(readFileSync(`${directory}/${archives[0]}`)));
    const textOf = (file: string): string => new TextDecoder().decode(entries.find(({ name }) => name.endsWith(`/nodes/n1/${file}`))?.data);
    const shape = (file: string): unknown =>
      parsers
        .parseIpRoute(textOf(file))
        .value.map(({ dst, type, via, dev, table, src, family }) => ({ dst, type, via, dev, table, src, family }));
    expect(shape('ip-route-all.json')).toEqual(shape('ip-route-all.txt'));
    const links = (file: string): unknown =>
      parsers.parseIpLink(textOf(file)).value.map(({ name, kind, vxlan, portKind, portDetails, peer, mtu, master }) => ({
        name,
        kind,
        vxlan,
        portKind,
        hairpin: portDetails.hairpin,
        peer,
        mtu,
        master,
      }));
    expect(links('ip-d-link.json')).toEqual(links('ip-d-link.txt'));
    const fdb = (file: string): unknown =>
      parsers.parseBridgeFdb(textOf(file)).value.map(({ line: _line, text: _text, ...entry }) => entry);
    expect(fdb('bridge-fdb.json')).toEqual(fdb('bridge-fdb.txt'));
  });
});
