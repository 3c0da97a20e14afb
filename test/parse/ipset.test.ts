import { describe, expect, it } from 'vitest';
import { newConnection } from '../../src/model/packet.ts';
import { parseIpset } from '../../src/parse/ipset.ts';
import { ipsetLookups } from '../../src/walk/netfilter/ipset.ts';
import { sample } from './netfilter-samples.ts';

const saved = [
  'create KUBE-CLUSTER-IP hash:ip,port family inet hashsize 1024 maxelem 65536',
  'add KUBE-CLUSTER-IP 10.43.0.10,udp:53 comment "kube-system/kube-dns:dns"',
  'create nets hash:net family inet hashsize 1024 maxelem 65536',
  'add nets 10.0.0.0/8',
  'add nets 10.5.0.0/16 nomatch',
  'create KUBE-NODE-PORT-TCP bitmap:port range 0-65535',
  'add KUBE-NODE-PORT-TCP 31080',
  'create weave-;rGqyMIl1HN^cfDki~Z$3]6!N hash:ip family inet hashsize 1024 maxelem 65536',
  '',
].join('\n');

describe('parseIpset', () => {
  it('reads ipset save', () => {
    const { value, complete } = parseIpset(saved);
    expect(complete).toBe(true);
    expect(value.map(({ name, type, members }) => [name, type, members.length])).toEqual([
      ['KUBE-CLUSTER-IP', 'hash:ip,port', 1],
      ['nets', 'hash:net', 2],
      ['KUBE-NODE-PORT-TCP', 'bitmap:port', 1],
      ['weave-;rGqyMIl1HN^cfDki~Z$3]6!N', 'hash:ip', 0],
    ]);
    expect(value[0]?.members[0]).toEqual({ line: 2, parts: ['10.43.0.10', 'udp:53'], nomatch: false, comment: 'kube-system/kube-dns:dns' });
  });

  it('finds the configured sets in the JSON of ipset', () => {
    const { text, truth } = sample('105');
    const { value, complete } = parseIpset(text);
    const sets = truth.sets as Record<string, { type: string; members: string[] }>;
    expect(complete).toBe(true);
    expect(Object.fromEntries(value.map((set) => [set.name, set.type]))).toEqual(
      Object.fromEntries(Object.entries(sets).map(([name, set]) => [name, set.type])),
    );
    const clusterIps = value.find((set) => set.name === 'KUBE-CLUSTER-IP')?.members.map((member) => member.parts.join(','));
    expect(clusterIps?.sort()).toEqual(sets['KUBE-CLUSTER-IP']?.members.map((member) => member.split(' ')[0]).sort());
  });

  it('never takes a refusal for "no sets", nor a cut list for a whole one', () => {
    expect(parseIpset(sample('103').text)).toMatchObject({ complete: false, value: [] });
    const list =
      'Name: a\nType: hash:ip\nRevision: 5\nHeader: family inet hashsize 1024\nSize in memory: 200\nReferences: 1\nNumber of entries: 3\nMembers:\n10.0.0.1\n';
    expect(parseIpset(list)).toMatchObject({ complete: false, value: [{ references: 1, members: [{ line: 9 }] }] });
  });
});

describe('ipsetLookups', () => {
  const sets = ipsetLookups(parseIpset(saved).value);
  const packet = newConnection({
    family: 'ip',
    source: '10.1.1.1',
    destination: '10.43.0.10',
    protocol: 'udp',
    sourcePort: 40000,
    destinationPort: 53,
  });

  it('asks the parts of a set in the given directions', () => {
    const clusterIps = sets.get('KUBE-CLUSTER-IP');
    expect(clusterIps?.contains(packet, ['dst', 'dst'])).toBe(true);
    expect(clusterIps?.contains({ ...packet, protocol: 'tcp' }, ['dst', 'dst'])).toBe(false);
    // One direction for a set of two parts never matches: kubernetes/kubernetes#54203.
    expect(clusterIps?.contains(packet, ['dst'])).toBe(false);
  });

  it('follows the longest prefix, and leaves open what the packet does not say', () => {
    const nets = sets.get('nets');
    expect(nets?.contains(packet, ['src'])).toBe(true);
    expect(nets?.contains({ ...packet, source: '10.5.1.1' }, ['src'])).toBe(false);
    expect(sets.get('KUBE-NODE-PORT-TCP')?.contains({ ...packet, destinationPort: 31080 }, ['dst'])).toBe(true);
    const { destinationPort: _, ...portless } = packet;
    expect(sets.get('KUBE-NODE-PORT-TCP')?.contains(portless, ['dst'])).toBe(undefined);
  });
});
