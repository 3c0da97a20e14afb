import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { unpackSnapshot } from '../../../src/snapshot/archive.ts';
import { temporaryDirectory } from '../../temporary.ts';
import type { Rule } from '../api-proxy.ts';
import {
  adminKubeconfig,
  closeAll,
  diagnose,
  diagnoseThrough,
  expectHealthy,
  expectHealthyBut,
  expectUnknown,
  kubectlPath,
  nodePodsLeft,
  reason,
  skipped,
  start,
} from './run.ts';

const spdy = { K8SNET_KUBECTL: `${kubectlPath}-1.29` };

/** A program in kubectl's place. `$KUBECTL` is the real one. */
function stub(script: string): string {
  const path = join(temporaryDirectory(), 'kubectl');
  writeFileSync(path, `#!/bin/sh\nKUBECTL=${kubectlPath}\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe.skipIf(reason !== undefined)(`kubectl${skipped}`, () => {
  afterEach(async () => {
    expect(await nodePodsLeft()).toEqual([]);
  });
  afterAll(closeAll);

  it('of another minor (1.29, which execs over SPDY): the same verdict', async () => {
    const run = await diagnose({ KUBECONFIG: await adminKubeconfig(), ...spdy });
    expectHealthy(run);
    expect(run.report.coverage.access).toBe('node-pod');
  });

  it('that is too old for a flag: exit code 2, and says that it is too old', async () => {
    // What kubectl prints for a flag that it does not know; no real one is old enough to lack --flatten.
    const old = stub('echo "error: unknown flag: --flatten" >&2; echo "See \'kubectl config view --help\' for usage." >&2; exit 1');
    const run = await start(['diagnose', 'my-service'], { KUBECONFIG: await adminKubeconfig(), K8SNET_KUBECTL: old }).ended;
    expect(run).toMatchObject({ exit: 2, stdout: '' });
    expect(run.stderr).toBe('k8snet: kubectl is too old (error: unknown flag: --flatten): k8snet needs 1.27 or later\n');
  });

  it('that hangs: our limit ends it and what it started', async () => {
    const hanging = stub('sleep 300 & wait');
    const run = await diagnose({ KUBECONFIG: await adminKubeconfig(), K8SNET_KUBECTL: hanging }, ['--timeout', '3s']);
    expectUnknown(run, /out of time after 3 s \(--timeout\): interrupted while kubectl was asked for the kubeconfig/);
    expect(run.seconds).toBeLessThan(15);
  });
});

const exec: Rule = { exec: true, give: { kind: 'hang' } };

describe.skipIf(reason !== undefined)(`kubectl exec${skipped}`, () => {
  afterEach(async () => {
    expect(await nodePodsLeft()).toEqual([]);
  });
  afterAll(closeAll);

  it('that never answers: ended by our limit, the pods deleted, nothing claimed', async () => {
    const run = await diagnoseThrough([exec], ['--timeout', '12s']);
    expectUnknown(run, /the name was not looked up from pod\/default\/client/);
    expect(run.report.coverage.lost).toContain('the run was ended after 12 s (--timeout)');
    expect(run.seconds).toBeLessThan(40);
  });

  it.each([
    ['WebSocket: kubectl says so', {}],
    ['SPDY: kubectl ends with 0', spdy],
  ] as const)('whose output is cut once (%s): asked for again, and all is there', async (_, env) => {
    const run = await diagnoseThrough([{ exec: true, give: { kind: 'cut-stream', afterBytes: 12_000 }, times: 1 }], [], env);
    expectHealthy(run);
    expect(
      run.proxy
        .requests()
        .filter(({ path }) => /\/exec\?/.test(path))
        .map(({ got }) => got),
    ).toEqual(['cut-stream', undefined]);
  });

  it.each([
    ['WebSocket', {}],
    ['SPDY', spdy],
  ] as const)('whose output is always cut (%s): unknown, and never an empty output', async (_, env) => {
    const run = await diagnoseThrough([{ exec: true, give: { kind: 'cut-stream', afterBytes: 3000 } }], [], env);
    expectUnknown(run, /the name was not looked up|no connection to the Service was tried/);
    for (const probe of run.report.probes) expect(probe.tries, probe.id).toBe(0);
    expect(run.report.notChecked.length).toBeGreaterThan(0);
  });

  it('that loses the status frame: kubectl ends with 0, each section has its own exit code', async () => {
    expectHealthy(await diagnoseThrough([{ exec: true, give: { kind: 'drop-status' } }]));
  });

  it('into a node pod that finds no process of the client pod (a sandboxed runtime): the client itself is the way in', async () => {
    // The container ids in the script are changed on the way, so that no process on the node has them.
    const blind = stub(
      'case " $* " in *" exec "*k8snet-*) sed -E "s/-e [0-9a-f]{64}/-e 0000000000000000/g" | "$KUBECTL" "$@";; *) exec "$KUBECTL" "$@";; esac',
    );
    const run = await diagnose({ KUBECONFIG: await adminKubeconfig(), K8SNET_KUBECTL: blind });
    expectHealthyBut(run, /pod default\/client: probed with the tools of its own image/);
    expect(run.report.coverage.nodes).toMatchObject([{ name: 'n1', access: 'node-pod' }]);
  });

  it("into a node pod whose image lacks the tools: the node's own are taken", async () => {
    // Removed in the container of the node pod before the script comes; arguments: exec -i -n NAMESPACE POD -c node -- sh.
    const tools =
      'iptables iptables-save iptables-nft-save iptables-legacy-save ip6tables-save xtables-nft-multi xtables-legacy-multi ip bridge conntrack ss';
    const remove = `for t in ${tools}; do for d in /usr/local/sbin /usr/sbin /sbin /usr/bin /bin; do rm -f $d/$t; done; done`;
    const bare = stub(
      `case " $* " in *" exec -i "*k8snet-*) "$KUBECTL" exec -n "$4" "$5" -c node -- sh -c '${remove}' </dev/null;; esac; exec "$KUBECTL" "$@"`,
    );
    const file = join(temporaryDirectory(), 'bare.tgz');
    const run = await diagnose({ KUBECONFIG: await adminKubeconfig(), K8SNET_KUBECTL: bare }, ['--record', file]);
    expectHealthy(run);
    const { entries } = unpackSnapshot(readFileSync(file));
    expect(entries.get('node/n1/iptables-save')).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/:KUBE-SERVICES [\s\S]*\nCOMMIT\n/),
    });
    expect(entries.get('node/n1/ip-route')).toMatchObject({ exit: 0, stdout: expect.stringContaining('10.244.2.0/24') });
    expect(entries.get('pod/default/client/ip-addr')).toMatchObject({ exit: 0, stdout: expect.stringContaining('10.244.1.') });
  });
});
