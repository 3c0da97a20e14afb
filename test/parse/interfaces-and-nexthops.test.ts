import { describe, expect, it } from 'vitest';
import { parseIpNexthop } from '../../src/parse/ip-nexthop.ts';
import { parseNetstatInterfaces } from '../../src/parse/netstat-interfaces.ts';
import { understand } from '../../src/parse/understand.ts';
import { holdsForAnyText } from './properties.ts';

describe('parseIpNexthop', () => {
  // iproute2 6.1, one state in both forms
  const text = [
    'id 1 via 10.0.0.2 dev eth0 scope link ',
    'id 2 via 10.0.0.3 dev eth0 scope link onlink ',
    'id 3 blackhole ',
    'id 4 dev eth0 scope host ',
    'id 5 via fd00::2 dev eth0 scope link proto static ',
    'id 10 group 1/2,3 ',
    'id 11 group 1/2 type resilient buckets 32 idle_timer 60 unbalanced_timer 0 unbalanced_time 0 ',
    'id 20 via 10.9.9.9 scope link fdb',
    '',
  ].join('\n');
  const json =
    '[{"id":1,"gateway":"10.0.0.2","dev":"eth0","scope":"link","flags":[]},{"id":2,"gateway":"10.0.0.3","dev":"eth0","scope":"link","flags":["onlink"]},{"id":3,"blackhole":null,"flags":[]},{"id":4,"dev":"eth0","scope":"host","flags":[]},{"id":5,"gateway":"fd00::2","dev":"eth0","scope":"link","protocol":"static","flags":[]},{"id":10,"group":[{"id":1},{"id":2,"weight":3}],"flags":[]},{"id":11,"group":[{"id":1},{"id":2}],"type":"resilient","resilient_args":{"buckets":32,"idle_timer":60,"unbalanced_timer":0,"unbalanced_time":0},"flags":[]},{"id":20,"gateway":"10.9.9.9","scope":"link","flags":[],"fdb":null}]\n';
  holdsForAnyText(parseIpNexthop, [text]);

  it('reads the same of both forms', () => {
    const plain = (from: string) => parseIpNexthop(from).value.map(({ line: _line, text: _text, ...rest }) => rest);
    expect(plain(json)).toEqual(plain(text));
    expect([parseIpNexthop(text).complete, parseIpNexthop(json).complete]).toEqual([true, true]);
    expect(parseIpNexthop(text).value[5]?.group).toEqual([
      { id: 1, weight: 1 },
      { id: 2, weight: 3 },
    ]);
    expect([understand(text)?.kind, understand(json)?.kind]).toEqual(['ip-nexthop', 'ip-nexthop']);
  });
  it('does not take an unknown word for a flag', () =>
    expect(parseIpNexthop('id 1 via 10.0.0.2 dev eth0 nosuch\n').unparsed).toHaveLength(1));
});

describe('parseNetstatInterfaces', () => {
  // net-tools 2.10, and 1.60 with names that are cut and columns that do not stand under each other
  const text = [
    'Kernel Interface table',
    'Iface      MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg',
    'cni0      1450        7      0      2 0             9      0      0      0 BMRU',
    'flannel.  1450        0      0      0 0             0      0      8      0 BMRU',
    '',
  ].join('\n');
  holdsForAnyText(parseNetstatInterfaces, [text]);

  it('reads counters under the names of ip -s link', () => {
    const { value, complete } = parseNetstatInterfaces(text);
    expect(complete).toBe(true);
    expect(value.interfaces[0]).toMatchObject({
      name: 'cni0',
      mtu: 1450,
      flags: 'BMRU',
      counters: { rx: { packets: 7, dropped: 2 }, tx: { packets: 9 } },
    });
    expect(value.interfaces[1]?.counters.tx.dropped).toBe(8);
    expect(parseNetstatInterfaces(text.split('\n').slice(2).join('\n')).unparsed).toHaveLength(2);
  });
});
