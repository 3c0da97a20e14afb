import { describe, expect, it } from 'vitest';
import { tunnelNeighbourWrong } from '../../../src/checks/cni/tunnel-neighbour-wrong.ts';
import { edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

const verdict = { status: 'fault', layer: 'cni', slug: 'tunnel-neighbour-wrong' };

describe('CNI004 tunnel-neighbour-wrong', () => {
  it('names the gateway that can not be resolved, with the route that needs it', () => {
    const snapshot = readBundle('cni-neighbour-missing');
    const [fault, ...more] = faultsOf(tunnelNeighbourWrong, snapshot);
    expect(more).toEqual([]);
    expect(fault.title).toBe("node n1 can't resolve 10.244.2.0 on flannel.1 (INCOMPLETE): what it sends to the pods of n2 is lost");
    expect(fault.where).toEqual({ kind: 'neighbour', name: 'flannel.1 10.244.2.0', node: 'n1' });
    expect(quoted(snapshot, fault).slice(0, 2)).toEqual([
      expect.stringContaining('10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink'),
      expect.stringContaining('10.244.2.0 dev flannel.1 INCOMPLETE'),
    ]);
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('says so too where there is no entry at all', () => {
    const none = edited(readBundle('cni-neighbour-missing'), /^node\/n1\/ip-neigh$/, (text) => text.replace(/^10\.244\.2\.0 .*\n/m, ''));
    expect(faultsOf(tunnelNeighbourWrong, none)[0].title).toContain('has no neighbour entry for 10.244.2.0 on flannel.1');
  });

  it("compares the MAC with the far device's own", () => {
    const snapshot = readBundle('cni-neighbour-wrong');
    const [fault] = faultsOf(tunnelNeighbourWrong, snapshot);
    expect(fault.title).toMatch(/^node n1 has 02:00:00:00:00:99 for 10\.244\.2\.0 on flannel\.1, and the VTEP of node n2 is /);
    expect(quoted(snapshot, fault).some((line) => line.includes('lladdr 02:00:00:00:00:99 PERMANENT'))).toBe(true);
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it("leaves a device whose MAC changed to CNI005, where the published one agrees with the peers'", () => {
    expect(resultOf(tunnelNeighbourWrong, readBundle('cni-vtep-mac-changed'))).not.toMatchObject({ state: 'fail' });
  });

  it('passes on a healthy cluster', () => {
    expect(resultOf(tunnelNeighbourWrong, readBundle('cni-odd-forward-policy'))).toMatchObject({ state: 'pass' });
  });

  it('cannot tell without the neighbours of a node', () => {
    const snapshot = readBundle('cni-neighbour-missing');
    expect(resultOf(tunnelNeighbourWrong, failing(snapshot, /^node\/n1\/ip-neigh$/, 'timeout'))).toMatchObject({
      state: 'unknown',
      reason: 'timeout',
    });
  });
});
