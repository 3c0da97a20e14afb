import { pathsFor } from '../collect/api-round.ts';
import { flagArguments } from '../collect/kubectl.ts';
import { containerName, newNodePod, nodePodManifest } from '../collect/node-pod.ts';
import { prelude, setup } from '../collect/prelude.ts';
import { connectProbe, dnsServerProbe, nameProbes, serviceTries, sizeProbe } from '../collect/probe-sections.ts';
import { buildScript } from '../collect/script.ts';
import { nodeDetailSections, nodeSections, podSections } from '../collect/sections.ts';
import { quoteAll } from '../collect/shell.ts';
import type { DiagnoseOptions } from './diagnose.ts';

/**
 * Every kubectl command of a run, the pod manifest and the script, without asking the cluster anything: what only the cluster knows
 * (nodes, addresses) stands as a name in capitals.
 */
export function dryRun(options: DiagnoseOptions): string {
  const namespace = options.target.namespace ?? options.namespace ?? 'CONTEXT-NAMESPACE';
  const kubectl = (...args: string[]): string => `${options.kubectl} ${quoteAll([...flagArguments(options.flags), ...args])}`;
  const pod = { ...newNodePod('NODE', options.nodePodNamespace, options.image), name: 'k8snet-NODE-RANDOM' };
  const sections = [
    ...nodeSections('NODE'),
    ...podSections('CLIENT-NAMESPACE', 'CLIENT', 'client', 'client'),
    ...nameProbes('pod/CLIENT-NAMESPACE/CLIENT', 'client', options.target.name, `${options.target.name}.${namespace}.svc.cluster.local`),
    dnsServerProbe('pod/CLIENT-NAMESPACE/CLIENT', 'client', 'DNS-SERVER', options.target.name, 6),
    connectProbe(
      'pod/CLIENT-NAMESPACE/CLIENT',
      'client',
      'service',
      { address: 'CLUSTER-IP', port: 80, protocol: 'TCP', speaks: 'http' },
      serviceTries,
    ),
    connectProbe('pod/CLIENT-NAMESPACE/CLIENT', 'client', 'endpoint', { address: 'ENDPOINT', port: 80, protocol: 'TCP', speaks: null }, 2),
    sizeProbe('pod/CLIENT-NAMESPACE/CLIENT', 'client', 'ENDPOINT'),
    ...nodeDetailSections('NODE'),
  ].filter((section) => section !== null);
  const { script } = buildScript(
    sections,
    { prelude: prelude('node-pod'), setup: setup('node-pod', [{ name: 'client', containerIds: ['CONTAINER-ID'] }]) },
    'NONCE',
  );
  return [
    '# Nothing was sent to the cluster. Names in capitals are filled in from what the API says.',
    kubectl('config', 'view', '--minify', '--flatten', '--raw', '-o', 'json'),
    '# Read through the API (by client-node where it can use the kubeconfig, else by these commands):',
    ...pathsFor(namespace, options.target.name).map((path) => kubectl('get', '--raw', path)),
    "# For the client's node, and when something fails for the other nodes on the path, one pod each:",
    `${kubectl('create', '--raw', `/api/v1/namespaces/${pod.namespace}/pods`, '-f', '-')} <<'MANIFEST'`,
    JSON.stringify(nodePodManifest(pod, 600), null, 2),
    'MANIFEST',
    kubectl('get', '--raw', `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}`),
    `${kubectl('exec', '-i', '-n', pod.namespace, pod.name, '-c', containerName, '--', 'sh')} <<'SCRIPT'`,
    script,
    'SCRIPT',
    '# Only when DNS servers are on the path and something fails:',
    kubectl('logs', '-n', 'kube-system', 'DNS-POD', '--tail=200'),
    '# Always, at the end:',
    kubectl('delete', 'pod', '-n', pod.namespace, '--wait=false', '--ignore-not-found', pod.name),
    '',
  ].join('\n');
}
