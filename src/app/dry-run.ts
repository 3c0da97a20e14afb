import { pathsFor } from '../collect/api-round.ts';
import { captureFilter } from '../collect/capture/filter.ts';
import { markedProbes } from '../collect/capture/probes.ts';
import { captureBounds, captureScript, captureSections } from '../collect/capture/script.ts';
import { flagArguments } from '../collect/kubectl.ts';
import { containerName, newNodePod, nodePodManifest } from '../collect/node-pod.ts';
import { functionsOf, type Namespace } from '../collect/prelude.ts';
import { connectProbe, dnsServerProbe, nameProbes, serviceTries } from '../collect/probe-sections.ts';
import { buildScript, type Section } from '../collect/script.ts';
import { nodeDetailSections, nodeSections, podSections } from '../collect/sections.ts';
import { quoteAll } from '../collect/shell.ts';
import { sizeProbe } from '../collect/size-probe.ts';
import { nodePodLifetime } from './cluster.ts';
import type { DiagnoseOptions } from './diagnose.ts';

/**
 * Every kubectl command of a run, the pod manifest and the scripts, without asking the cluster anything: what only the cluster knows
 * (nodes, addresses) stands as a name in capitals.
 */
export function dryRun(options: DiagnoseOptions, command: 'diagnose' | 'record' | 'capture'): string {
  const namespace = options.target.namespace ?? options.namespace ?? 'CONTEXT-NAMESPACE';
  const kubectl = (...args: string[]): string => `${options.kubectl} ${quoteAll([...flagArguments(options.flags), ...args])}`;
  const pod = { ...newNodePod('NODE', options.nodePodNamespace, options.image), name: 'k8snet-NODE-RANDOM' };
  const exec = (script: string): string[] => [
    `${kubectl('exec', '-i', '-n', pod.namespace, pod.name, '-c', containerName, '--', 'sh')} <<'SCRIPT'`,
    script,
    'SCRIPT',
  ];
  const looks = command !== 'capture';
  return [
    '# Nothing was sent to the cluster. Names in capitals are filled in from what the API says.',
    kubectl('config', 'view', '--minify', '--flatten', '--raw', '-o', 'json'),
    '# Read through the API (by client-node where it can use the kubeconfig, else by these commands):',
    ...pathsFor(namespace, options.target.name).map((path) => kubectl('get', '--raw', path)),
    looks
      ? "# For the client's node, and when something fails for the other nodes on the path, one pod each:"
      : '# For every node on the path, one pod each:',
    `${kubectl('create', '--raw', `/api/v1/namespaces/${pod.namespace}/pods`, '-f', '-')} <<'MANIFEST'`,
    JSON.stringify(nodePodManifest(pod, nodePodLifetime(options.limitMilliseconds / 1000)), null, 2),
    'MANIFEST',
    kubectl('get', '--raw', `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}`),
    ...(looks ? exec(lookScript(options.target.name, namespace)) : []),
    ...(command === 'capture' || options.capture ? captureScripts(exec) : []),
    ...(looks
      ? ['# Only when DNS servers are on the path and something fails:', kubectl('logs', '-n', 'kube-system', 'DNS-POD', '--tail=200')]
      : []),
    '# Always, at the end:',
    kubectl('delete', 'pod', '-n', pod.namespace, '--wait=false', '--ignore-not-found', pod.name),
    '',
  ].join('\n');
}

const client: Namespace = { name: 'client', containerIds: ['CONTAINER-ID'] };

function scriptOf(sections: readonly Section[]): string {
  return buildScript(sections, functionsOf('node-pod', [client]), 'NONCE').script;
}

/** What is read on a node and in the client, and the probes. */
function lookScript(service: string, namespace: string): string {
  const pod = 'pod/CLIENT-NAMESPACE/CLIENT';
  const sections = [
    ...nodeSections('NODE'),
    ...podSections('CLIENT-NAMESPACE', 'CLIENT', 'client', 'client'),
    ...nameProbes(pod, 'client', service, `${service}.${namespace}.svc.cluster.local`),
    dnsServerProbe(pod, 'client', 'DNS-SERVER', service, 6),
    connectProbe(pod, 'client', 'service', { address: 'CLUSTER-IP', port: 80, protocol: 'TCP', speaks: 'http' }, serviceTries),
    connectProbe(pod, 'client', 'endpoint', { address: 'ENDPOINT', port: 80, protocol: 'TCP', speaks: null }, 2),
    sizeProbe(pod, 'client', 'ENDPOINT'),
    ...nodeDetailSections('NODE'),
  ].filter((section) => section !== null);
  return scriptOf(sections);
}

/** Addresses for documentation (RFC 5737): a filter takes no names. */
const service = { address: '192.0.2.1', port: 80 };
const endpoint = { address: '192.0.2.2', port: 80 };
const datagram = { stage: 'service', protocol: 'UDP', datagram: true, target: service, sourcePort: 61_000, full: false } as const;

function captureScripts(exec: (script: string) => string[]): string[] {
  const tries = [
    { stage: 'service' as const, protocol: 'TCP' as const, target: service, sourcePort: 61_000, full: false },
    { stage: 'endpoint' as const, protocol: 'TCP' as const, target: endpoint, sourcePort: 61_001, full: true },
  ];
  const targets = [
    { key: 'capture/node/NODE', ns: 'host' },
    { key: 'capture/pod/CLIENT-NAMESPACE/CLIENT', ns: client.name },
  ];
  const filter = captureFilter({ protocol: 'TCP', ports: { first: 61_000, last: 61_001 }, backends: [endpoint, service] });
  const wanted = { snapLength: captureBounds.snapLength, targets, backends: [{ ...endpoint, place: null }], drops: true };
  const sections = captureSections('NODE', wanted);
  return [
    `# Captures on every node on the path, in it and in the pods of the path on it; here ${service.address} is the ClusterIP, and ${endpoint.address} an endpoint.`,
    '# They end when a line comes on standard input, or its end:',
    ...exec(captureScript(sections, [client], { nonce: 'NONCE', filter, idle: 'as-lost', ...wanted })),
    "# On the client's node, once all of them listen: the marked probe, some tries to the ClusterIP and two to each endpoint:",
    ...exec(scriptOf([markedProbes(client.name, tries, true, 'cluster.local')])),
    '# Where the port is UDP: of a DNS server, questions for names that begin with k8snet-; of another, one datagram for each try, of 12 bytes, with its own source port:',
    `# ${markedProbes(client.name, [datagram], false, 'cluster.local').command}`,
  ];
}
