import { spawnSync } from 'node:child_process';
import { prelude } from '../../src/collect/prelude.ts';
import { buildScript, readScriptOutput, type Section } from '../../src/collect/script.ts';
import { nodeSections, podSections } from '../../src/collect/sections.ts';
import { apiKey, apiPaths } from '../../src/model/object-paths.ts';
import type { Entry, RanOn } from '../../src/snapshot/entry.ts';
import type { Snapshot } from '../../src/snapshot/snapshot.ts';
import { spaceOf } from './build.ts';
import type { Plan } from './plan.ts';

/** What a walk reads; the others of the collector's sections speak of the machine and not of a namespace. */
const wanted = new Set(
  'iptables-save iptables-legacy-save nft ip-addr ip-link ip-route ip-rule ip-neigh bridge-fdb bridge-link sysctl ss'.split(' '),
);

/** The state of all namespaces as a snapshot: the collector's own sections and frames, run in each namespace. */
export function collect(plan: Plan): Snapshot {
  const entries = new Map<string, Entry>();
  const add = (items: readonly Entry[]): void => {
    for (const item of items) entries.set(item.key, item);
  };
  add(apiEntries(plan));
  for (const { name } of plan.nodes) add(read(name, nodeSections(name), { kind: 'node', name }));
  for (const { name } of plan.pods) add(read(name, podSections('default', name, 'p', name), { kind: 'pod', namespace: 'default', name }));
  return {
    entries,
    manifest: {
      apiVersion: 'k8snet.dev/v1',
      kind: 'Snapshot',
      k8snet: '0.0.0',
      startedAt: '2026-01-01T00:00:00Z',
      seconds: 0,
      phases: [],
      request: { target: { kind: 'Service', namespace: 'default', name: plan.flow.target.name }, port: null, from: nobody },
      access: { best: 'recording', nodes: [], lost: [] },
    },
  };
}

/** The flow is named by its own; the snapshot was taken for nobody. */
const nobody = { kind: 'none' as const, name: 'none', node: null, why: 'a topology' };

function read(name: string, all: readonly Section[], on: RanOn): Entry[] {
  const sections = all.filter(({ key }) => wanted.has(key.split('/').at(-1) ?? ''));
  const { nonce, script } = buildScript(sections, { prelude: prelude('host-network-pod'), setup: '' });
  const { stdout } = spawnSync('ip', ['netns', 'exec', spaceOf(name), 'sh'], { input: script, maxBuffer: 1 << 26 });
  const outputs = readScriptOutput(sections, nonce, stdout);
  return sections.flatMap(({ key, command }) => {
    const output = outputs.get(key);
    return output ? [{ key, command, on, ...output }] : [];
  });
}

/** Nodes, pods and the Service, as the API lists them. */
function apiEntries({ nodes, pods, service }: Plan): Entry[] {
  const listed = {
    [apiPaths.nodes]: nodes.map(({ name, address, podNetwork }) => ({
      metadata: { name },
      spec: { podCIDR: podNetwork },
      status: { addresses: [{ type: 'InternalIP', address }] },
    })),
    [apiPaths.pods('default')]: pods.map(({ name, node, address }) => ({
      metadata: { name, namespace: 'default' },
      spec: { nodeName: node, containers: [] },
      status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }] },
    })),
    [apiPaths.services('default')]: service
      ? [
          {
            metadata: { name: 'my-service', namespace: 'default' },
            spec: { clusterIP: service.address, ports: [{ port: service.port, protocol: 'TCP' }] },
          },
        ]
      : [],
  };
  return Object.entries(listed).map(([path, items]) => ({
    key: apiKey(path),
    command: `kubectl get --raw '${path}'`,
    on: { kind: 'api', name: 'API server' },
    exit: 0,
    stdout: JSON.stringify({ kind: 'List', items }),
    stderr: '',
  }));
}
