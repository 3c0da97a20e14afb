import { describe, expect, it } from 'vitest';
import { failed, isFailing, isPassing, readProbes } from '../../src/facts/probe-results.ts';
import type { Entry } from '../../src/snapshot/entry.ts';
import { readBundle } from '../checks/dns/bundle.ts';

/** The client's probes of a recorded fault: what is broken is known, and so is what the kernel told the client. */
const probesOf = (bundle: string, stage: string) =>
  readProbes(readBundle(bundle).entries).filter((probe) => probe.stage === stage && probe.id.startsWith('probe/pod/default/client/'));
const causes = (bundle: string, stage: string): (string | null)[][] =>
  probesOf(bundle, stage).map((probe) => [...new Set(probe.tries.map((item) => item.cause))].sort());

describe('probes of recorded faults', () => {
  it('pass on a healthy cluster, at every stage', () => {
    for (const stage of ['name', 'dns-server', 'service', 'endpoint', 'payload'])
      expect(probesOf('dns-healthy', stage).every(isPassing), stage).toBe(true);
  });

  it.each([
    ['a port that nothing listens on', 'app-wrong-port', 'endpoint', [['refused'], ['refused'], ['refused']]],
    ['an application that never answers', 'app-never-answers', 'service', [['no-answer']]],
    ['no DNS endpoint: kube-proxy rejects', 'dns-coredns-zero', 'dns-server', [['refused']]],
    ['an upstream that is gone', 'dns-upstream-wrong', 'name', [[null], [null], ['servfail']]],
    ['a route that is missing to one of three', 'cni-route-missing', 'endpoint', [[null], ['timeout'], [null]]],
    ['a veth that is down', 'cni-pod-veth-down', 'endpoint', [[null], ['host-unreachable', 'timeout'], [null]]],
    ['full-size packets that vanish to two of three', 'cni-mtu', 'payload', [[null], ['timeout'], ['timeout']]],
  ])('%s', (_, bundle, stage, expected) => {
    expect(causes(bundle, stage)).toEqual(expected);
  });

  it('quote the line that shows the failure', () => {
    const { entries } = readBundle('app-wrong-port');
    for (const probe of readProbes(entries).filter(isFailing)) {
      const lines = entries.get(probe.id)?.stdout.split('\n') ?? [];
      for (const item of failed(probe)) expect(lines[(item.lines.at(-1) ?? 0) - 1]).toMatch(/refused/i);
    }
  });
});

describe('a probe that was not made is unknown, and never a failure of the network', () => {
  const id = 'probe/pod/default/client/endpoint/10.0.0.1:80';
  const entry = (changes: Partial<Entry>): Entry => ({
    key: id,
    command: 'nc -vz 10.0.0.1 80',
    on: { kind: 'pod', namespace: 'default', name: 'client' },
    exit: 0,
    stdout: '',
    stderr: '',
    ...changes,
  });
  const timedOut = (centiseconds: number) =>
    `k8snet-try 1 rc=1 cs=${centiseconds}\ntool=nc\nnc: connect to 10.0.0.1 port 80 (tcp) timed out: Operation now in progress\n`;

  it.each([
    ['the exec failed', { failure: { reason: 'timeout' as const, detail: 'no answer' } }, 'timeout'],
    ['no tool', { stdout: 'k8snet-try 1 rc=127 cs=1\nk8snet: no tool that can connect (nc, bash, curl, wget)\n' }, 'tool-missing'],
    ['the shell failed', { exit: 2, stderr: 'sh: syntax error\n' }, 'tool-failed'],
    ['words of no known tool', { stdout: 'k8snet-try 1 rc=1 cs=1\ntool=nc\nsurprise\n' }, 'unparsed'],
    ['the prober could not keep its own limit', { stdout: timedOut(1200) }, 'timeout'],
  ])('%s', (_, changes, reason) => {
    const [probe] = readProbes(new Map([[id, entry(changes)]]));
    expect(probe).toMatchObject({ tries: [], unknown: { reason } });
    expect(probe && (isFailing(probe) || isPassing(probe))).toBe(false);
  });

  it('a time-out within its limit is a failure', () => {
    const [probe] = readProbes(new Map([[id, entry({ stdout: timedOut(401) })]]));
    expect(probe).toMatchObject({ unknown: null, tries: [{ ok: false, cause: 'timeout' }] });
  });
});
