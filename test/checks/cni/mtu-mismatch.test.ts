import { describe, expect, it } from 'vitest';
import { mtuMismatch } from '../../../src/checks/cni/mtu-mismatch.ts';
import { checks } from '../../../src/checks/index.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import type { Snapshot } from '../../../src/snapshot/snapshot.ts';
import { judgeFacts } from '../../../src/tree/judge.ts';
import { edited, faultsOf, quoted, readBundle, resultOf, without } from '../dns/bundle.ts';

const verdictOf = (snapshot: Snapshot) => {
  const { status, findings } = judgeFacts(createFacts(snapshot), checks);
  return { status, findings: findings.map(({ meta, severity }) => `${meta.slug} ${severity}`) };
};
const asNote = { status: 'healthy', findings: ['mtu-mismatch note'] };

/** The recording of narrow tunnels as if nobody filtered the ICMP: what ping and the probe print then. */
const told = () =>
  edited(readBundle('cni-mtu'), /^probe\/pod\/.*\/payload\//, (text) => {
    const [, address = ''] = /PING (\S+)/.exec(text) ?? [];
    if (!text.includes('100% packet loss')) return text;
    const full = text.replace(
      /(PING \S+ \(\S+\) 1422\(1450\) bytes of data\.\n)/,
      '$1From 10.244.1.1 icmp_seq=1 Frag needed and DF set (mtu = 1400)\n',
    );
    return `${full.trimEnd()}
k8snet-ping size=1400
PING ${address} (${address}) 1372(1400) bytes of data.
1380 bytes from ${address}: icmp_seq=1 ttl=62 time=0.1 ms

--- ${address} ping statistics ---
2 packets transmitted, 2 received, 0% packet loss, time 20ms
k8snet-route
${address} via 10.244.1.1 dev eth0 src 10.244.1.9 uid 0
    cache expires 598sec mtu 1400
`;
  });

describe('CNI020 mtu-mismatch', () => {
  it('names the narrow tunnel of which the sender is told, and the size that it keeps to', () => {
    const snapshot = told();
    const [note] = faultsOf(mtuMismatch, snapshot);
    expect(note.title).toBe(
      'pods send 1450 bytes and flannel.1 on node n1 takes 1400; the sender is told (by 10.244.1.1, mtu 1400) and keeps to 1400 bytes: path MTU discovery works',
    );
    expect(note.where).toEqual({ kind: 'link', name: 'flannel.1 mtu 1400', node: 'n1' });
    expect(quoted(snapshot, note).join('\n')).toMatch(/Frag needed and DF set \(mtu = 1400\)[\s\S]*cache expires \d+sec mtu 1400/);
    expect(verdictOf(snapshot)).toEqual(asNote);
  });

  it('is a black hole where the size that is told does not pass either', () => {
    const smaller = edited(told(), /^probe\/pod\/.*\/payload\//, (text) =>
      text.replace(/(1372\(1400\) bytes of data\.\n)[^\n]*\n([\s\S]*) 2 received, 0%/, '$1$2 0 received, 100%'),
    );
    expect(judgeFacts(createFacts(smaller), checks).findings[0]?.meta.slug).toBe('mtu-black-hole');
  });

  it('takes the size that the kernel has kept where ping is refused without a word of it', () => {
    const refused = edited(told(), /^probe\/pod\/.*\/payload\//, (text) =>
      text
        .replace(/From 10\.244\.1\.1 icmp_seq=1 Frag needed[^\n]*/, 'ping: sendmsg: Message too long')
        .replace(/(1372\(1400\) bytes of data\.\n)[^\n]*\n([\s\S]*) 2 received, 0%/, '$1$2 0 received, 100%'),
    );
    expect(judgeFacts(createFacts(refused), checks).findings[0]?.meta.slug).toBe('mtu-black-hole');
  });

  it('says so where the tunnel packets pass in fragments', () => {
    const narrowCards = edited(readBundle('cni-odd-forward-policy'), /^node\/n\d\/ip-link$/, (text) =>
      text.replace(/(eth0@\S+ <[^>]*> mtu) 1500/, '$1 1450'),
    );
    const [note] = faultsOf(mtuMismatch, narrowCards);
    expect(note.title).toContain("eth0 on node n1 takes 1450 bytes, and the pods' 1450 are 1500 in the tunnel");
    expect(note.fix).toEqual(["set the CNI's MTU to at most 1400, and make the pods anew"]);
    expect(verdictOf(narrowCards)).toEqual(asNote);
  });

  it("does not take the receiving pod's own smaller MTU for a fault: TCP is told of it by the MSS", () => {
    const [note] = faultsOf(mtuMismatch, readBundle('mtu-far-pod'));
    expect(note.where).toMatchObject({ kind: 'link', name: expect.stringMatching(/^eth0 mtu 1400 of pod default\/web-/), node: 'n2' });
    expect(note.title).toContain('UDP and ICMP of more than 1404 bytes vanish');
    expect(verdictOf(readBundle('mtu-far-pod'))).toEqual(asNote);
  });

  it("is no such case where the other pod's interface was not read: then the loss is one", () => {
    const unread = without(readBundle('mtu-far-pod'), /^pod\/default\/web-[^/]+\/ip-addr$/);
    expect(resultOf(mtuMismatch, unread)).not.toMatchObject({ state: 'fail' });
    expect(judgeFacts(createFacts(unread), checks).status).toBe('fault');
  });

  it('passes where the difference is the overhead, and has nothing to say of packets that were lost or not sent', () => {
    expect(resultOf(mtuMismatch, readBundle('cni-odd-forward-policy'))).toMatchObject({ state: 'pass' });
    expect(resultOf(mtuMismatch, without(readBundle('cni-odd-forward-policy'), /^probe\/.*\/payload\//))).toMatchObject({ state: 'skip' });
  });
});
