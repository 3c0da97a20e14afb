import { redactObject } from '../../src/collect/redact.ts';
import { apiKey, apiPaths, systemNamespace } from '../../src/model/object-paths.ts';
import { choosePort, endpointsOf, findDnsService, readList, readObject } from '../../src/parse/objects.ts';
import { endpointSliceSchema, podSchema, serviceSchema } from '../../src/schema/kubernetes.ts';
import type { Entry } from '../../src/snapshot/entry.ts';
import type { Snapshot } from '../../src/snapshot/snapshot.ts';
import { probeEntries } from './probes.ts';
import { type Output, outputOf, type Recording } from './recording.ts';

/**
 * A recording as a snapshot: the same keys and forms as the collector's (src/collect). What was not recorded has no entry, so that it is
 * `not-collected` to everything that judges.
 */
export function toSnapshot(recording: Recording): Snapshot {
  const entries = new Map<string, Entry>();
  const add = (items: readonly Entry[]) => {
    for (const item of items) entries.set(item.key, item);
  };
  add(apiEntries(recording));
  add(namespaceEntries(recording));
  add(logEntries(recording));

  const service = readObject(entries.get(apiKey(apiPaths.service('default', 'my-service'))), serviceSchema);
  const slices = readList(entries.get(apiKey(apiPaths.endpointSlices('default'))), endpointSliceSchema);
  const pods = readList(entries.get(apiKey(apiPaths.pods('default'))), podSchema);
  const system = readList(entries.get(apiKey(apiPaths.services(systemNamespace))), serviceSchema);
  const clusterDns = system.state === 'seen' ? findDnsService(system.value)?.spec.clusterIPs : undefined;
  const port = service.state === 'seen' ? choosePort(service.value, null) : undefined;
  const endpoints = slices.state === 'seen' ? endpointsOf(slices.value, 'my-service', port?.name ?? null) : [];
  add(probeEntries(recording, service.state === 'seen' ? service.value.spec.clusterIP : undefined, clusterDns ?? [], endpoints));
  const client = pods.state === 'seen' ? pods.value.find((pod) => pod.metadata.name === 'client') : undefined;
  return { manifest: manifestOf(recording, client?.spec.nodeName ?? null), entries };
}

function manifestOf(recording: Recording, node: string | null): Snapshot['manifest'] {
  const nodes = [...new Set([...recording.files.keys()].flatMap((path) => /^nodes\/([^/]+)\//.exec(path)?.[1] ?? []))].sort();
  return {
    apiVersion: 'k8snet.dev/v1',
    kind: 'Snapshot',
    k8snet: '0.1.0',
    startedAt: recording.recordedAt,
    seconds: 0,
    phases: [],
    request: {
      target: { kind: 'Service', namespace: 'default', name: 'my-service' },
      port: null,
      from: { kind: 'Pod', namespace: 'default', name: 'client', node, why: 'the client of the recording' },
    },
    access: { best: 'recording', nodes: nodes.map((name) => ({ name, access: 'recording', image: null, detail: null })), lost: [] },
  };
}

type ListedObject = { metadata: { name: string; namespace?: string }; type?: string };

function apiEntries(recording: Recording): Entry[] {
  const items = (kind: string): ListedObject[] | undefined => {
    const text = recording.files.get(`objects/${kind}.json`);
    return text === undefined ? undefined : (redactObject(JSON.parse(text)) as { items: ListedObject[] }).items;
  };
  const list = (path: string, kind: string, wanted: (item: ListedObject) => boolean): Entry[] => {
    const all = items(kind);
    return all === undefined ? [] : [apiEntry(path, { kind: 'List', items: all.filter(wanted) })];
  };
  const one = (path: string, kind: string, name: string, namespace: string): Entry[] => {
    const all = items(kind);
    if (all === undefined) return [];
    return [
      apiEntry(
        path,
        all.find((item) => item.metadata.name === name && item.metadata.namespace === namespace),
      ),
    ];
  };
  const within = (namespace: string) => (item: ListedObject) => item.metadata.namespace === namespace;
  return [
    ...one(apiPaths.service('default', 'my-service'), 'services', 'my-service', 'default'),
    ...['default', systemNamespace].flatMap((namespace) => [
      ...list(apiPaths.endpointSlices(namespace), 'endpointslices', within(namespace)),
      ...list(apiPaths.pods(namespace), 'pods', within(namespace)),
    ]),
    ...list(apiPaths.nodes, 'nodes', () => true),
    ...list(apiPaths.services(systemNamespace), 'services', within(systemNamespace)),
    ...['coredns', 'kube-proxy'].flatMap((name) => one(apiPaths.configMap(systemNamespace, name), 'configmaps', name, systemNamespace)),
    ...list(apiPaths.deployments(systemNamespace), 'deployments', within(systemNamespace)),
    ...list(apiPaths.daemonSets(systemNamespace), 'daemonsets', within(systemNamespace)),
    ...list(apiPaths.warnings('default'), 'events', (item) => within('default')(item) && item.type === 'Warning'),
    ...list(apiPaths.networkPolicies('default'), 'networkpolicies', within('default')),
  ];
}

const apiEntry = (path: string, body: unknown): Entry => ({
  key: apiKey(path),
  command: `kubectl get --raw '${path}'`,
  on: { kind: 'api', name: 'API server' },
  exit: body === undefined ? 404 : 0,
  stdout: body === undefined ? '' : `${JSON.stringify(body)}\n`,
  stderr: '',
});

/** Key of the collector's entry, the recorded file, and the command. */
const nodeCommands: readonly (readonly [string, string, string])[] = [
  ['iptables-save', 'iptables-save.txt', 'iptables-nft-save -c'],
  ['iptables-legacy-save', 'iptables-legacy-save.txt', 'iptables-legacy-save -c'],
  ['ip6tables-save', 'ip6tables-save.txt', 'ip6tables-save -c'],
  ['nft', 'nft-list-ruleset.txt', 'nft list ruleset'],
  ['nft-json', 'nft-j-list-ruleset.json', 'nft -j list ruleset'],
  ['ip-addr', 'ip-addr.txt', 'ip addr'],
  ['ip-link', 'ip-d-link.txt', 'ip -d link'],
  ['ip-route', 'ip-route-all.txt', 'ip route show table all'],
  ['ip-rule', 'ip-rule.txt', 'ip rule'],
  ['ip-neigh', 'ip-neigh.txt', 'ip neigh'],
  ['bridge-fdb', 'bridge-fdb.txt', 'bridge fdb'],
  ['bridge-link', 'bridge-link.txt', 'bridge -d link'],
  ['sysctl', 'sysctl.txt', 'sysctl net'],
  ['conntrack', 'conntrack-L.txt', 'conntrack -L'],
  ['conntrack-stats', 'conntrack-S.txt', 'conntrack -S'],
  ['ss', 'ss-lntup.txt', 'ss -lntup'],
  ['nstat', 'nstat.txt', 'nstat -az'],
  ['cni-config', 'cni-conf.txt', 'head -n 200 /etc/cni/net.d/*.conf*'],
  ['cni-bin', 'cni-bin.txt', 'ls /opt/cni/bin'],
  ['cni-addresses', 'ipam.txt', 'ls /var/lib/cni/networks/*'],
];

const podCommands: readonly (readonly [string, string, string])[] = [
  ['resolv.conf', 'resolv.conf', 'cat /etc/resolv.conf'],
  ['ip-addr', 'ip-addr.txt', 'ip addr'],
  ['ip-route', 'ip-route.txt', 'ip route'],
  ['ip-neigh', 'ip-neigh.txt', 'ip neigh'],
  ['ss', 'ss-lntu.txt', 'ss -lntu'],
];

function namespaceEntries(recording: Recording): Entry[] {
  const places = [...recording.files.keys()].flatMap((path) => /^(?:nodes\/[^/]+|pods\/[^/]+\/[^/]+)(?=\/)/.exec(path)?.[0] ?? []);
  return [...new Set(places)].flatMap((place) => {
    const [kind, first = '', second = ''] = place.split('/');
    const commands = kind === 'nodes' ? nodeCommands : podCommands;
    const prefix = kind === 'nodes' ? `node/${first}` : `pod/${first}/${second}`;
    const on: Entry['on'] = kind === 'nodes' ? { kind: 'node', name: first } : { kind: 'pod', namespace: first, name: second };
    return commands.flatMap(([name, file, command]) => {
      const output = outputOf(recording, `${place}/${file}`);
      return output ? [entryOf(`${prefix}/${name}`, command, on, output)] : [];
    });
  });
}

const entryOf = (key: string, command: string, on: Entry['on'], output: Output): Entry => ({ key, command, on, ...output });

/** `kubectl logs --prefix` of all CoreDNS pods, as one log for each. */
function logEntries(recording: Recording): Entry[] {
  const logs = new Map<string, string>();
  for (const line of (recording.files.get('objects/logs-coredns.txt') ?? '').split('\n')) {
    const match = /^\[pod\/([^/]+)\/[^\]]+\] (.*)$/.exec(line);
    if (match) logs.set(match[1] as string, `${logs.get(match[1] as string) ?? ''}${match[2]}\n`);
  }
  return [...logs].map(([pod, stdout]) =>
    entryOf(
      `pod/${systemNamespace}/${pod}/log`,
      `kubectl logs -n ${systemNamespace} ${pod} --tail=200`,
      { kind: 'api', name: 'API server' },
      { stdout, stderr: '', exit: 0 },
    ),
  );
}
