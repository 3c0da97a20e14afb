import { describe, expect, it } from 'vitest';
import { podAddressesExhausted } from '../../../src/checks/cni/pod-addresses-exhausted.ts';
import { edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

describe('CNI019 pod-addresses-exhausted', () => {
  const snapshot = readBundle('cni-addresses-exhausted');

  it('is a note that quotes the event of a pod that waits', () => {
    const [fault, ...more] = faultsOf(podAddressesExhausted, snapshot);
    expect(more).toEqual([]);
    expect(fault.noteOnly).toBe(true);
    expect(fault.title).toBe(
      'node n3 has no pod addresses left: pod newcomer can\'t start ("no IP addresses available in range set: 10.244.3.1-10.244.3.254")',
    );
    expect(quoted(snapshot, fault)[0]).toContain('Failed to create pod sandbox');
    expect(verdictOf(snapshot)).toMatchObject({ status: 'healthy' });
  });

  it('does not mind an event of a pod that runs by now, or is gone', () => {
    const running = edited(snapshot, /namespaces\/default\/pods$/, (text) => text.replaceAll('"phase":"Pending"', '"phase":"Running"'));
    expect(resultOf(podAddressesExhausted, running)).toMatchObject({ state: 'pass' });
  });

  it('passes on a healthy cluster, and cannot tell without events', () => {
    expect(resultOf(podAddressesExhausted, readBundle('cni-odd-forward-policy'))).toMatchObject({ state: 'pass' });
    expect(resultOf(podAddressesExhausted, failing(snapshot, /\/events/, 'forbidden'))).toMatchObject({
      state: 'unknown',
      reason: 'forbidden',
    });
  });
});
