import { describe, expect, it } from 'vitest';
import { checks } from '../../../src/checks/index.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import type { Trace } from '../../../src/model/trace.ts';
import type { Snapshot } from '../../../src/snapshot/snapshot.ts';
import { judgeFacts } from '../../../src/tree/judge.ts';
import { traceFlow } from '../../../src/walk/trace.ts';
import { edited, readBundle } from '../../checks/dns/bundle.ts';

const healthy = readBundle('cni-fw-between');

function tracesOf(snapshot: Snapshot): Trace[] {
  const { from, target } = snapshot.manifest.request;
  const client = { kind: 'pod', namespace: from.namespace ?? '', name: from.name } as const;
  const to = { kind: 'service', namespace: target.namespace, name: target.name, port: undefined } as const;
  return traceFlow(createFacts(snapshot), { from: client, to, protocol: 'tcp', packet: 'first' });
}

/** The recording with the output cut where `at` begins. */
const cutAt = (key: string, at: string): Snapshot =>
  edited(healthy, new RegExp(`^${key}$`), (text) => {
    const index = text.indexOf(at);
    if (index < 0) throw new Error(`${key} has no "${at}"`);
    return text.slice(0, index);
  });

const whysOf = (snapshot: Snapshot): string =>
  tracesOf(snapshot)
    .filter(({ disposition }) => disposition !== 'delivered')
    .map(({ disposition, why }) => `${disposition}: ${why}`)
    .join('\n');

/** A word in the middle of the line that an output is cut before or in, and what has to be said instead. */
const cuts: [what: string, key: string, at: string, says: RegExp][] = [
  [
    'an FDB without the entries of the tunnel',
    'node/n1/bridge-fdb',
    ' dev flannel.1',
    /^insufficient-info: .*its FDB \(bridge fdb\) was not read whole/m,
  ],
  ['neighbours without the far ends', 'node/n1/ip-neigh', ' dev flannel.1', /^insufficient-info: .*ip neigh of n1 was not read whole/m],
  [
    'devices without the ports of the bridge',
    'node/n1/ip-link',
    'bridge_slave',
    /^insufficient-info: .*devices of node n1 \(ip link\) were not read whole/m,
  ],
  ['devices cut in the port of the tunnel', 'node/n1/ip-link', '8472', /^insufficient-info: /m],
  [
    'devices of the far node without the tunnel',
    'node/n2/ip-link',
    'flannel.1',
    /^insufficient-info: .*devices of node n2 \(ip link\) were not read whole/m,
  ],
  [
    'devices of the far node cut in the kind of the tunnel',
    'node/n2/ip-link',
    'vxlan id',
    /^insufficient-info: .*devices of node n2 \(ip link\) were not read whole/m,
  ],
];

describe('an output that was cut does not say that something is not there', () => {
  it('has nothing to say of the recording as it is', () => {
    expect(whysOf(healthy)).toBe('');
  });

  it.each(cuts)('%s', (_, key, at, says) => {
    const whys = whysOf(cutAt(key, at));
    expect(whys).toMatch(says);
    expect(whys.split('\n').filter((why) => !why.startsWith('insufficient-info'))).toEqual([]);
  });

  it('devices that end with a whole line, where ip addr lists more', () => {
    const cut = edited(healthy, /^node\/n2\/ip-link$/, (text) => text.slice(0, text.search(/^\d+: flannel\.1/m)));
    expect(whysOf(cut)).toMatch(/^insufficient-info: .*devices of node n2 \(ip link\) were not read whole/);
  });

  it.each(cuts.filter(([, , , says]) => says.source.includes('whole')))('%s: diagnose takes no such loss for the cause', (_, key, at) => {
    const { findings } = judgeFacts(createFacts(cutAt(key, at)), checks);
    const titles = findings.map(({ fault }) => fault.title).join('\n');
    expect(titles).not.toMatch(/has no entry|no entry for it|nobody has|nothing on node|finds nobody/);
  });
});

describe('tables that were read whole', () => {
  it('say what is not there', () => {
    const withoutLine = (key: RegExp, line: RegExp): string => whysOf(edited(healthy, key, (text) => text.replace(line, '')));
    expect(withoutLine(/^node\/n1\/bridge-fdb$/, /^.* dev flannel\.1 dst 192\.168\.1\.12 .*\n/m)).toMatch(
      /^dropped: .*its FDB has no entry for /,
    );
    expect(withoutLine(/^node\/n1\/ip-neigh$/, /^10\.244\.2\.0 dev flannel\.1 .*\n/m)).toMatch(
      /^neighbour-unreachable: .*no entry for it, and nobody is asked through flannel\.1/,
    );
  });

  it.each(['FAILED', 'INCOMPLETE'])('say what an entry is that is %s', (state) => {
    const whys = whysOf(
      edited(healthy, /^node\/n1\/ip-neigh$/, (text) => text.replace(/^(10\.244\.2\.0 dev flannel\.1) .*$/m, `$1 ${state}`)),
    );
    expect(whys).toBe(
      `neighbour-unreachable: node n1 finds nobody for 10.244.2.0 on flannel.1: its entry is ${state}: "10.244.2.0 dev flannel.1 ${state}"`,
    );
  });
});
