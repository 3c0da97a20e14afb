import { describe, expect, it } from 'vitest';
import { dnsPodBad } from '../../../src/checks/dns/dns-pod-bad.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import { broken, faultsOf, quoted, readBundle, resultOf, verdictOf, without } from './bundle.ts';

const snapshot = readBundle('dns-pod-bad');
const bad = /DNS pod kube-system\/(\S+) \((\S+)\)/.exec(faultsOf(dnsPodBad, snapshot)[0].title) ?? [];

describe('DNS008 dns-pod-bad', () => {
  it('names the one pod that does not answer, and its own rule', () => {
    const [fault, ...more] = faultsOf(dnsPodBad, snapshot);
    expect(more).toEqual([]);
    expect(fault.title).toContain(
      '1 of 2 behind 10.96.0.10, does not answer: its own rule "-A INPUT -p udp -m udp --dport 53 -j DROP" (filter INPUT) stops queries',
    );
    expect(fault.where).toMatchObject({ kind: 'Pod', namespace: 'kube-system', name: bad[1] });
    expect(quoted(snapshot, fault)).toEqual(
      expect.arrayContaining([expect.stringContaining('-A INPUT -p udp -m udp --dport 53 -j DROP'), expect.stringContaining('timed out')]),
    );
    const ids = broken(createFacts(snapshot), fault);
    expect(ids).toEqual(
      expect.arrayContaining([
        `probe/pod/default/client/dns-server/${bad[2]}`,
        'probe/pod/default/client/dns-server/10.96.0.10',
        'probe/pod/default/client/name/my-service',
      ]),
    );
    expect(ids.filter((id) => /dns-server\/10\.244/.test(id) && !id.endsWith(`/${bad[2]}`))).toEqual([]);
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'dns', slug: 'dns-pod-bad' });
  });

  it("takes the silence towards the pod's own node for proof where no rule was read", () => {
    const [fault] = faultsOf(dnsPodBad, without(snapshot, new RegExp(`^pod/kube-system/${bad[1]}/iptables-save$`)));
    expect(fault.title).toContain('does not answer, not even from its own node');
  });

  it('cannot tell the pod from the way to it without a witness', () => {
    const unwitnessed = without(
      without(snapshot, new RegExp(`^pod/kube-system/${bad[1]}/iptables-save$`)),
      new RegExp(`^probe/node/.*/dns-server/${bad[2]}$`),
    );
    expect(resultOf(dnsPodBad, unwitnessed)).toMatchObject({ state: 'unknown', reason: 'not-collected' });
  });

  it('passes where every DNS pod answers', () => {
    expect(resultOf(dnsPodBad, readBundle('dns-search-list'))).toMatchObject({ state: 'pass' });
  });

  it('is not asked where none answers', () => {
    expect(resultOf(dnsPodBad, readBundle('dns-port-filtered'))).toMatchObject({ state: 'skip' });
  });
});
