import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { verifyReportSchema } from '../../src/schema/verify.ts';
import { ensureBuilt, k8snet } from './built.ts';

const root = new URL('../..', import.meta.url).pathname;
const at = (name: string): string => join(root, 'fixtures/bundles', `${name}.tgz`);
const oneSentence = /^k8snet: [^\n]+\n$/;

beforeAll(ensureBuilt, 120_000);

describe('verify --bundle', () => {
  it.each([
    ['svc-targetport', 0, 'healthy'],
    ['proxy-jump-flushed', 1, 'fault'],
    ['cni-node-cut', 3, 'unknown'],
  ])('%s ends with %i', async (name, exit, status) => {
    const run = await k8snet(['verify', '--bundle', at(name), '-o', 'json']);
    expect(run).toMatchObject({ exit, stderr: '' });
    expect(verifyReportSchema.parse(JSON.parse(run.stdout)).verdict.status).toBe(status);
  });

  it('tells a person node, kind, line, peers and what to do', async () => {
    const { stdout } = await k8snet(['verify', '--bundle', at('proxy-rule-missing')]);
    expect(stdout).toMatch(/^FAULT: node n1: no rule of kube-proxy translates ClusterIP 10\.96\.75\.144:80\/tcp/);
    expect(stdout).toMatch(/node n1 \$ iptables-nft-save -c\n +\d+ \| :KUBE-SERVICES - /);
    expect(stdout).toContain('n2, n3 do as the API means: n1 differs from its peers');
    expect(stdout).toContain('fix (k8snet changes nothing itself)');
    expect(stdout).toMatch(/DIFFERS +n1 +IPv4 +iptables/);
  });

  it('makes a ticket of it', async () => {
    const { exit, stdout } = await k8snet(['verify', '--bundle', at('proxy-stale'), '-o', 'markdown']);
    expect(exit).toBe(1);
    expect(stdout).toMatch(/^## FAULT: node n1/);
    expect(stdout).toContain('### Fault stale-endpoint: ');
    expect(stdout).toContain('| `n1` | IPv4 | iptables | differs |');
  });

  it('judges only the Services and nodes that are named', async () => {
    const scope = async (...words: string[]) =>
      JSON.parse((await k8snet(['verify', ...words, '--bundle', at('proxy-rule-missing'), '-o', 'json'])).stdout);
    expect((await scope('svc/kube-dns', '-n', 'kube-system')).verdict.status).toBe('healthy');
    expect((await scope('my-service')).verdict.status).toBe('fault');
    expect((await scope('--node', 'n2')).scope.nodes).toEqual(['n2']);
    expect((await scope('-n', 'kube-system')).scope.services).toBe(1);
  });

  it('says of a Service without a ClusterIP that there is nothing to verify', async () => {
    const { exit, stdout } = await k8snet(['verify', 'svc/my-external', '--bundle', at('svc-externalname-ip')]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^HEALTHY: there is nothing to verify: Service default\/my-external has no ClusterIP/);
    expect(stdout).toMatch(/Not checked\n +- Service default\/my-external: another name for 192\.0\.2\.10/);
    expect(stdout).toMatch(/as-intended +n1 +IPv4 +\S+ +no address of a Service to walk to/);
    const empty = await k8snet(['verify', '-n', 'empty', '--bundle', at('svc-externalname-ip')]);
    expect(empty).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^HEALTHY: there is nothing to verify: there is no Service\n/) });
    expect(stdout + empty.stdout).not.toContain('0 of 0');
  });

  it.each([
    [['svc/other'], /does not hold all of svc\/other/],
    [['--node', 'n9'], /holds nothing of node "n9"/],
    [['--node', 'N_9'], /not the name of a node/],
    [['svc/my-service', '-A'], /name Services, or all with -A, not both/],
    [['svc/my-service:80'], /all ports of a Service are verified/],
    [['pod/x'], /Services, not pod/],
  ])('refuses %j with a sentence and exit code 2', async (words, sentence) => {
    const run = await k8snet(['verify', ...words, '--bundle', at('svc-targetport')]);
    expect(run).toMatchObject({ exit: 2, stdout: '' });
    expect(run.stderr).toMatch(oneSentence);
    expect(run.stderr).toMatch(sentence);
  });
});
