import { expect, test } from 'vitest';
import { type ConntrackView, copyConntrack, copyPacket, type Packet } from '../../src/model/packet.ts';

const view: Required<ConntrackView> = {
  state: 'new',
  status: ['dnat'],
  direction: 'reply',
  original: { source: '10.0.0.1', destination: '10.0.0.2' },
  reply: { source: '10.0.0.3', destination: '10.0.0.4' },
  attached: true,
  masqueradedBy: 'eth0',
  natSettled: ['source'],
};

const packet: Required<Packet> = {
  family: 'ip',
  source: '10.0.0.1',
  destination: '10.0.0.2',
  protocol: 'tcp',
  sourcePort: 1,
  destinationPort: 2,
  icmpType: 3,
  icmpCode: 4,
  tcpFlags: ['SYN'],
  inInterface: 'in',
  outInterface: 'out',
  bridgeIn: 'port1',
  bridgeOut: 'port2',
  mark: 5,
  unknown: ['mark'],
  connectionMark: 6,
  conntrack: view,
  length: 7,
  ttl: 8,
  dscp: 9,
  sourceMac: '02:00:00:00:00:01',
  fragment: true,
  owner: { uid: 10, gid: 11 },
};

// The copies are written out by hand: a field that is added to the type and not to them would be lost at the first rule that changes a packet.
test('a copy of a packet has every field that a packet can have', () => {
  expect(copyPacket(packet)).toEqual(packet);
  expect(copyPacket(packet)).not.toBe(packet);
});

test('a copy of a connection has every field that a connection can have', () => {
  expect(copyConntrack(view)).toEqual(view);
  expect(copyConntrack(view)).not.toBe(view);
});

test('what a packet leaves out, its copy leaves out too', () => {
  const bare: Packet = { family: 'ip', source: '', destination: '', protocol: 'tcp', mark: 0, conntrack: view };
  expect(Object.keys(copyPacket(bare)).sort()).toEqual(Object.keys(bare).sort());
});
