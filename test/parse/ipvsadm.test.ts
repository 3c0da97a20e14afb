import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { VirtualServer } from '../../src/model/ipvs.ts';
import { parseIpset } from '../../src/parse/ipset.ts';
import { parseIpvsadm } from '../../src/parse/ipvsadm.ts';

const corpus = join(import.meta.dirname, '../../../shared/corpora/ipvs');

describe('parseIpvsadm', () => {
  it('reads -Ln, with persistence, weight 0 and IPv6', () => {
    const { value, complete } = parseIpvsadm(
      [
        'IP Virtual Server version 1.2.1 (size=4096)',
        'Prot LocalAddress:Port Scheduler Flags',
        '  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn',
        'TCP  10.96.0.1:443 rr persistent 10800',
        '  -> 192.168.1.11:6443            Masq    1      4          0         ',
        'SCTP [fd00::1]:80 rr',
        '  -> [fd00:10::1]:8080            Masq    0      1          2         ',
        'FWM  5 wlc',
        '',
      ].join('\n'),
    );
    expect(complete).toBe(true);
    expect(value).toMatchObject([
      {
        protocol: 'tcp',
        address: '10.96.0.1',
        port: 443,
        scheduler: 'rr',
        persistentTimeout: 10800,
        line: 4,
        realServers: [
          { address: '192.168.1.11', port: 6443, forward: 'masq', weight: 1, activeConnections: 4, inactiveConnections: 0, line: 5 },
        ],
      },
      { protocol: 'sctp', address: 'fd00::1', realServers: [{ address: 'fd00:10::1', weight: 0 }] },
      { protocol: 'fwmark', mark: 5, scheduler: 'wlc' },
    ]);
  });

  it('reads --stats and keeps a server whose port was cut without one', () => {
    const { value, complete } = parseIpvsadm(
      'TCP  10.96.0.1:443                  12      345      0    12345K        0\n  -> internal:9                       1        2        0        3        0\nTCP  internal: rr\n',
    );
    expect(complete).toBe(true);
    expect(value[0]).toMatchObject({ stats: { connections: 12, inPackets: 345, outPackets: 0, inBytes: 12345000, outBytes: 0 } });
    expect(value[1]).toEqual({ protocol: 'tcp', address: 'internal', scheduler: 'rr', flags: [], realServers: [], line: 3 });
  });

  it('leaves foreign lines unparsed', () => {
    expect(parseIpvsadm("Can't initialize ipvs: Protocol not available\n").unparsed).toMatchObject([{ line: 1 }]);
  });

  it.skipIf(!existsSync(corpus))('agrees with what kube-proxy programmed, in -Ln and -Sn, and ipset save with ipset list (corpus)', () => {
    const names = readdirSync(corpus).filter((name) => name.endsWith('.json'));
    for (const name of names) {
      const file = JSON.parse(readFileSync(join(corpus, name), 'utf8'));
      const wanted = file.expect.virtualServers.map(virtualServerWords).sort();
      for (const form of ['ipvsadm -Ln', 'ipvsadm -Sn']) {
        const { value, complete } = parseIpvsadm(file.rendered[form]);
        expect([complete, value.map(virtualServerWords).sort()], `${name} ${form}`).toEqual([true, wanted]);
      }
      const [save, list] = [parseIpset(file.saved['ipset save'] ?? ''), parseIpset(file.saved['ipset list'] ?? '')];
      const members = (sets: typeof save.value): unknown =>
        sets.map((set) => [set.name, set.type, set.family, set.members.map(({ parts }) => parts.join(',')).sort()]);
      expect([save.complete, list.complete, members(save.value)], name).toEqual([true, true, members(list.value)]);
    }
    expect(names.length).toBeGreaterThan(0);
  });
});

type Words = Pick<VirtualServer, 'address' | 'port' | 'scheduler' | 'persistentTimeout'> & {
  protocol: string;
  realServers: { address: string; port?: number; weight?: number }[];
};

const virtualServerWords = ({ protocol, address, port, scheduler, persistentTimeout, realServers }: Words): string =>
  `${protocol.toLowerCase()} ${address} ${port} ${scheduler} ${persistentTimeout || 0} ${realServers
    .map((real) => `${real.address} ${real.port} ${real.weight}`)
    .sort()
    .join(',')}`;
