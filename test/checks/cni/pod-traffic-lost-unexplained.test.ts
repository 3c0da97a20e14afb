import { describe, expect, it } from 'vitest';
import { podTrafficLostUnexplained } from '../../../src/checks/cni/pod-traffic-lost-unexplained.ts';
import { checks } from '../../../src/checks/index.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import { judgeFacts } from '../../../src/tree/judge.ts';
import { failing, faultsOf, readBundle, resultOf, verdictOf, without } from '../dns/bundle.ts';

describe('CNI099 pod-traffic-lost-unexplained', () => {
  const unread = failing(readBundle('cni-fw-between'), /^node\/n2\/(iptables-save|nft|iptables-legacy-save|bridge-fdb)$/, 'forbidden');

  it('says what is lost and what was not seen, with low confidence', () => {
    const [fault, ...more] = faultsOf(podTrafficLostUnexplained, unread);
    expect(more).toEqual([]);
    expect(fault.title).toMatch(
      /^traffic from node n1 to pod address 10\.244\.2\.10 on node n2 gets no answer, for a reason that was not found \(not seen: CNI\d+ /,
    );
    expect(fault.where).toEqual({ kind: 'network', name: 'n1 <-> n2' });
    expect(verdictOf(unread)).toEqual({ status: 'fault', layer: 'cni', slug: 'pod-traffic-lost-unexplained' });
    expect(judgeFacts(createFacts(unread), checks).confidence).toBe('low');
  });

  it('still says so where the nodes were not read at all, as with an unknown CNI', () => {
    const blind = failing(readBundle('cni-fdb-wrong'), /^node\//, 'unsupported');
    expect(faultsOf(podTrafficLostUnexplained, blind)[0].title).toMatch(
      /^traffic from node n1 to pod address 10\.244\.2\.\d+ on node n2 gets no answer/,
    );
  });

  it('looks at one node where even pings are lost there', () => {
    const [fault] = faultsOf(
      podTrafficLostUnexplained,
      failing(readBundle('cni-forward-drop-legacy'), /^node\/n1\/iptables-legacy-save$/, 'tool-missing'),
    ).filter((item) => item.where.node === 'n1');
    expect(fault?.title).toMatch(/^pod address 10\.244\.1\.\d+ gets no packets on its own node n1/);
  });

  it('does not take refused connections, or a pod that is silent on its own node too, for a loss', () => {
    for (const name of ['app-loopback', 'app-wrong-port', 'dns-coredns-zero', 'dns-healthy'])
      expect(resultOf(podTrafficLostUnexplained, readBundle(name)), name).not.toMatchObject({ state: 'fail' });
  });

  it('passes where CNI008 explains it, on a healthy cluster, and has nothing to look at without probes', () => {
    expect(resultOf(podTrafficLostUnexplained, readBundle('cni-fw-between'))).toMatchObject({ state: 'pass' });
    expect(resultOf(podTrafficLostUnexplained, readBundle('cni-odd-forward-policy'))).toMatchObject({ state: 'pass' });
    const nobody = without(without(readBundle('cni-fw-between'), /^probe\//), /^api\/.*\/pods$/);
    expect(resultOf(podTrafficLostUnexplained, nobody)).toMatchObject({ state: 'skip' });
  });
});
