import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { temporaryDirectory } from '../../temporary.ts';
import {
  adminKubeconfig,
  apply,
  closeAll,
  diagnose,
  expectHealthyBut,
  expectUnknown,
  freshNamespace,
  mustKubectl,
  nodePodsLeft,
  reason,
  skipped,
} from './run.ts';

/** What k8snet needs at most, an item for each that may be taken away. kubectl exec is a GET (WebSocket) or a POST (SPDY) of pods/exec. */
const needs = {
  services: [{ apiGroups: [''], resources: ['services'], verbs: ['get', 'list'] }],
  endpointslices: [{ apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list'] }],
  pods: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }],
  nodes: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list'] }],
  configmaps: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }],
  events: [{ apiGroups: [''], resources: ['events'], verbs: ['list'] }],
  deployments: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['list'] }],
  daemonsets: [{ apiGroups: ['apps'], resources: ['daemonsets'], verbs: ['list'] }],
  networkpolicies: [{ apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['list'] }],
  'pods-exec': [{ apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] }],
  'create-pods': [{ apiGroups: [''], resources: ['pods'], verbs: ['create', 'delete'] }],
} as const;
type Need = keyof typeof needs;

const namespace = 'k8snet-rbac';
const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' };
const names = [...(Object.keys(needs) as Need[]).map((need) => `without-${need}`), 'exec-in-default-only'];

/** A ServiceAccount that may do everything but one thing, by a real ClusterRole. */
function account(name: string, rules: readonly object[]): object[] {
  const subject = { kind: 'ServiceAccount', name, namespace };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    { ...rbac, kind: 'ClusterRole', metadata: { name: `${namespace}-${name}` }, rules },
    {
      ...rbac,
      kind: 'ClusterRoleBinding',
      metadata: { name: `${namespace}-${name}` },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: `${namespace}-${name}` },
      subjects: [subject],
    },
  ];
}

const allBut = (...without: Need[]): object[] =>
  (Object.keys(needs) as Need[]).filter((need) => !without.includes(need)).flatMap((need) => [...needs[need]]);

async function kubeconfigOf(name: string): Promise<string> {
  const token = (await mustKubectl(['create', 'token', name, '-n', namespace])).trim();
  const file = parse(readFileSync(await adminKubeconfig(), 'utf8')) as { users: { user: Record<string, string> }[] };
  for (const item of file.users) item.user = { token };
  const path = join(temporaryDirectory(), 'kubeconfig');
  writeFileSync(path, JSON.stringify(file), { mode: 0o600 });
  return path;
}

const without = async (need: Need, more: readonly string[] = []) => diagnose({ KUBECONFIG: await kubeconfigOf(`without-${need}`) }, more);

describe.skipIf(reason !== undefined)(`a role that lacks something${skipped}`, () => {
  beforeAll(async () => {
    await freshNamespace(namespace);
    await apply(
      ...(Object.keys(needs) as Need[]).flatMap((need) => account(`without-${need}`, allBut(need))),
      ...account('exec-in-default-only', allBut('pods-exec')),
      { ...rbac, kind: 'Role', metadata: { name: namespace, namespace: 'default' }, rules: needs['pods-exec'] },
      {
        ...rbac,
        kind: 'RoleBinding',
        metadata: { name: namespace, namespace: 'default' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: namespace },
        subjects: [{ kind: 'ServiceAccount', name: 'exec-in-default-only', namespace }],
      },
    );
  });
  afterEach(async () => {
    expect(await nodePodsLeft()).toEqual([]);
  });
  afterAll(async () => {
    const cluster = names.map((name) => `${namespace}-${name}`);
    await mustKubectl(['delete', 'clusterrole,clusterrolebinding', '--ignore-not-found', '--wait=false', ...cluster]);
    await mustKubectl(['delete', 'role,rolebinding', '-n', 'default', '--ignore-not-found', '--wait=false', namespace]);
    await mustKubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']);
    await closeAll();
  });

  it.each([
    ['endpointslices', /endpointslices of default, endpointslices of kube-system: not read \(forbidden to User "system:serviceaccount:/],
    ['nodes', /^nodes: not read \(forbidden to User/m],
    ['configmaps', /configmap kube-system\/coredns, configmap kube-system\/kube-proxy: not read \(forbidden to User/],
    ['events', /^events of default: not read \(forbidden to User/m],
    ['deployments', /^deployments of kube-system: not read \(forbidden to User/m],
    ['daemonsets', /^daemonsets of kube-system: not read \(forbidden to User/m],
    ['networkpolicies', /^networkpolicies of default: not read \(forbidden to User/m],
  ] as const)('no %s: the verdict stands on the probes, and what was lost is said', async (need, lost) => {
    const run = await without(need);
    expectHealthyBut(run, lost);
    expect(run.report.findings).toEqual([]);
  });

  it('no services: unknown, and not "there is no Service"', async () => {
    expectUnknown(await without('services'), /Service default\/my-service could not be read: services "my-service" is forbidden: User/);
  });

  it('no pods: unknown, and not "there is no pod" (which would be exit code 2)', async () => {
    expectUnknown(await without('pods'), /whether there is a pod default\/client could not be read: pods "client" is forbidden/);
    const kubeconfig = await kubeconfigOf('without-pods');
    const unnamed = await diagnose({ KUBECONFIG: kubeconfig }, [], ['diagnose', 'my-service', '-o', 'json']);
    expectUnknown(unnamed, /no connection to the Service was tried|no probe could be sent/);
    expect(unnamed.report.from).toMatchObject({ kind: 'Node', why: expect.stringContaining('could not be read') });
    const deployment = await diagnose({ KUBECONFIG: kubeconfig }, [], ['diagnose', 'my-service', '--from', 'deploy/web', '-o', 'json']);
    expectUnknown(deployment, /the pods of namespace default could not be read/);
  });

  it('no pods/exec: unknown, every way of looking is said to be shut', async () => {
    const run = await without('pods-exec');
    expectUnknown(run, /the name was not looked up from pod\/default\/client/);
    const [first, ...others] = run.report.coverage.nodes;
    expect(first).toMatchObject({ name: 'n1', access: 'none', detail: expect.stringMatching(/exec into it brought nothing: .*forbidden/) });
    // No pods are made on the other nodes in vain.
    for (const node of others) expect(node).toMatchObject({ access: 'none', detail: expect.stringMatching(/^not tried: /) });
    expect(run.report.coverage.lost.join('\n')).toMatch(/pod default\/client: it could not be entered, so no probe was sent from it/);
  });

  it('pods/exec in the namespace of the client only: the client itself is the way in', async () => {
    const run = await diagnose({ KUBECONFIG: await kubeconfigOf('exec-in-default-only') });
    expectHealthyBut(run, /node n1: its rules, routes and devices could not be read/);
    expect(run.report.coverage.access).toBe('client-pod');
  });

  it('no creating of pods: reads the node through a pod that is there, and probes by exec into the client', async () => {
    const run = await without('create-pods');
    expectHealthyBut(run, /node n1: read from a pod that was already there.*forbidden/);
    expect(run.report.coverage).toMatchObject({ access: 'host-network-pod', nodes: [{ name: 'n1', access: 'host-network-pod' }] });
    expect(run.report.coverage.nodes[0]?.detail).toMatch(/kube-system\/kube-proxy-/);
  });
});
