import type { Facts } from '../facts/facts.ts';
import type { KubeProxyConfig } from '../model/cluster-config.ts';
import { addressMask } from '../model/netfilter-address.ts';
import { systemNamespace } from '../model/object-paths.ts';
import { parseKubeProxyConfig } from '../parse/kube-proxy-config.ts';
import type { Node } from '../schema/kubernetes.ts';
import type { Family } from './service-ports.ts';
import { defaultSettings, type LocalDetector, type ProxyMode, type ProxySettings } from './settings.ts';
import type { Writer } from './writers.ts';

export type SettingsResult = { settings: ProxySettings } | { unknown: string };

/** kube-proxy's configuration from its ConfigMap (kubeadm's name); undefined where there is none, or it was not understood. */
export function proxyConfigOf(facts: Facts): KubeProxyConfig | undefined {
  const map = facts.configMap('kube-proxy');
  if (map.state !== 'seen') return undefined;
  const text = map.value.data?.['config.conf'] ?? map.value.data?.config;
  const parsed = text === undefined ? undefined : parseKubeProxyConfig(text);
  return parsed?.complete ? parsed.value : undefined;
}

/**
 * What kube-proxy of a node was told. Its mode by the running process where it answers (127.0.0.1:10249/proxyMode), else by its configuration,
 * else by the only rules that there are on it, or on the other nodes; unknown where none of them tells, as where something else is in its place.
 */
export function settingsOf(
  facts: Facts,
  node: Node,
  config: KubeProxyConfig | undefined,
  writers: { own: readonly Writer[]; ofPeers: readonly (readonly Writer[])[] },
): SettingsResult {
  const peers = new Set(writers.ofPeers.flatMap((list) => onlyMode(list) ?? []));
  const ofPeers = peers.size === 1 ? [...peers][0] : undefined;
  const mode = liveMode(facts, node.metadata.name) ?? configuredMode(config) ?? onlyMode(writers.own) ?? ofPeers;
  if (mode === undefined)
    return { unknown: 'the mode of kube-proxy is not known: neither its process, its configuration nor rules of it were seen' };
  const base = defaultSettings(mode);
  const value = (path: string): string | undefined => {
    const setting = config?.settings.find((item) => item.path === path)?.value;
    return setting === undefined || setting === null || setting === '' ? undefined : String(setting);
  };
  const [first] = config?.nodePortAddresses ?? [];
  return {
    settings: {
      ...base,
      localDetector:
        config === undefined
          ? { kind: 'unknown', why: "kube-proxy's configuration was not read, and so not how it tells pods from others" }
          : detectorOf(config, node, value),
      masqueradeAll: (value(`${mode}.masqueradeAll`) ?? value('linux.masqueradeAll')) === 'true',
      localhostNodePorts: value('iptables.localhostNodePorts') !== 'false',
      nodePortAddresses: first === undefined ? base.nodePortAddresses : first === 'primary' ? 'primary' : (config?.nodePortAddresses ?? []),
      scheduler: value('ipvs.scheduler') ?? base.scheduler,
      syncPeriod: seconds(value(`${mode}.syncPeriod`)) || base.syncPeriod,
    },
  };
}

/** Something in the cluster shows that kube-proxy belongs to it: its pods, its DaemonSet, its process, or its rules on any node. */
export function hasKubeProxy(facts: Facts, writersOnNodes: number): boolean {
  const pods = facts.pods(systemNamespace);
  const sets = facts.daemonSets();
  const named = (name: string): boolean => name.startsWith('kube-proxy');
  return (
    writersOnNodes > 0 ||
    (pods.state === 'seen' && pods.value.some((pod) => named(pod.metadata.name))) ||
    (sets.state === 'seen' && sets.value.some((set) => named(set.metadata.name))) ||
    facts.nodesSeen().some((node) => liveMode(facts, node) !== undefined)
  );
}

const modes: readonly string[] = ['iptables', 'nftables', 'ipvs'] satisfies ProxyMode[];

function liveMode(facts: Facts, node: string): ProxyMode | undefined {
  const entry = facts.nodeNet(node).entry('kube-proxy-mode');
  const text = entry && !entry.failure && entry.exit === 0 ? entry.stdout.trim() : '';
  return modes.includes(text) ? (text as ProxyMode) : undefined;
}

function configuredMode(config: KubeProxyConfig | undefined): ProxyMode | undefined {
  if (config === undefined) return undefined;
  const text = String(config.mode?.value ?? '');
  return text === '' || text === 'null' ? 'iptables' : modes.includes(text) ? (text as ProxyMode) : undefined;
}

function onlyMode(writers: readonly Writer[]): ProxyMode | undefined {
  const found = new Set(writers.map(({ mode }) => mode));
  return found.size === 1 ? [...found][0] : undefined;
}

/** `--detect-local-mode` (getLocalDetectors in cmd/kube-proxy/app/server_linux.go): ClusterCIDR unless something else is named. */
function detectorOf(config: KubeProxyConfig, node: Node, value: (path: string) => string | undefined): LocalDetector {
  switch (String(config.detectLocalMode?.value ?? '')) {
    case '':
    case 'null':
    case 'ClusterCIDR':
      return byRanges(config.clusterCidrs);
    case 'NodeCIDR':
      return byRanges(node.spec.podCIDRs ?? (node.spec.podCIDR === undefined ? [] : [node.spec.podCIDR]));
    case 'BridgeInterface':
      return { kind: 'bridge', device: value('detectLocal.bridgeInterface') ?? '' };
    case 'InterfaceNamePrefix':
      return { kind: 'prefix', prefix: value('detectLocal.interfaceNamePrefix') ?? '' };
    default:
      return { kind: 'unknown', why: `detectLocalMode ${String(config.detectLocalMode?.value)} is not known here` };
  }
}

/** The first range of each family; a family without one is not told apart. */
function byRanges(ranges: readonly string[]): LocalDetector {
  const of = (family: Family): string | undefined => ranges.find((range) => addressMask(range)?.family === family);
  const [ip, ip6] = [of('ip'), of('ip6')];
  if (ip === undefined && ip6 === undefined) return { kind: 'none' };
  return { kind: 'cidr', cidrs: { ...(ip === undefined ? {} : { ip }), ...(ip6 === undefined ? {} : { ip6 }) } };
}

const units: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 0.001 };

/** Seconds of a Go duration (`30s`, `1m30s`); 0 for none, which means the default. */
const seconds = (text: string | undefined): number =>
  [...(text ?? '').matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * (units[unit ?? ''] ?? 0),
    0,
  );
