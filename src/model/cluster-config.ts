import type { HasLine } from './parsed.ts';

/** One scalar of a YAML or JSON document: where it stands, as `conntrack.maxPerCore` or `plugins.0.mtu`. */
export interface Setting extends HasLine {
  path: string;
  value: string | number | boolean | null;
}

/** A configuration file: every scalar of it, and which lines are only its frame (keys of maps, brackets). */
export interface Settings {
  settings: Setting[];
  otherLines: number[];
}

/** KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1), or the ConfigMap that holds it. Undefined = not set there. */
export interface KubeProxyConfig extends Settings {
  /** `''` means the platform's default, iptables on Linux. */
  mode: Setting | undefined;
  /** One per address family. */
  clusterCidrs: string[];
  detectLocalMode: Setting | undefined;
  nodePortAddresses: string[];
  masqueradeAll: Setting | undefined;
  strictArp: Setting | undefined;
  ipvsScheduler: Setting | undefined;
  localhostNodePorts: Setting | undefined;
  conntrackMaxPerCore: Setting | undefined;
  conntrackMin: Setting | undefined;
}

/** KubeletConfiguration (kubelet.config.k8s.io/v1beta1), or the ConfigMap that holds it. */
export interface KubeletConfig extends Settings {
  clusterDns: (HasLine & { address: string })[];
  clusterDomain: Setting | undefined;
  /** The node's file that Default and CoreDNS pods get. */
  resolvConf: Setting | undefined;
  podCidr: Setting | undefined;
  makeIptablesUtilChains: Setting | undefined;
}

/** One plugin of a CNI configuration. */
export interface CniPlugin extends HasLine {
  type: string;
  bridge: string | undefined;
  mtu: number | undefined;
  hairpinMode: boolean | undefined;
  ipMasq: boolean | undefined;
  isGateway: boolean | undefined;
  isDefaultGateway: boolean | undefined;
  ipamType: string | undefined;
  /** `ipam.subnet` and `ipam.ranges[][].subnet`. */
  subnets: (HasLine & { subnet: string })[];
  routes: string[];
  capabilities: string[];
  /** What flannel (`delegate`) and Multus (`delegates`) hand on to. */
  delegates: CniPlugin[];
}

export interface CniFile extends HasLine {
  /** From a `== PATH` heading. */
  path: string | undefined;
  /** `conflist` has a list of plugins, `conf` is one. */
  form: 'conf' | 'conflist';
  name: string | undefined;
  cniVersion: string | undefined;
  plugins: CniPlugin[];
  settings: Setting[];
}

export interface CniConfig {
  files: CniFile[];
  otherLines: number[];
}

/** One entry of a klog log. */
export interface KlogEntry extends HasLine {
  /** More than one where a value spans lines. */
  lines: number[];
  level: 'info' | 'warning' | 'error' | 'fatal';
  /** `1121 02:46:05.984662`, as printed. */
  time: string;
  /** `proxier.go:241`. */
  source: string;
  message: string;
  fields: Record<string, string>;
}

/** What an entry of kube-proxy's log tells. */
export interface KubeProxyFinding extends HasLine {
  kind:
    | 'mode'
    | 'sync-failed'
    | 'api-unreachable'
    | 'conntrack-cleanup-failed'
    | 'nodeport-bind-failed'
    | 'caches-synced'
    | 'config-incomplete'
    | 'version'
    | 'fell-back';
  /** For `mode`: iptables, ipvs, nftables. Else the message. */
  detail: string;
}

export interface KubeProxyLog {
  entries: KlogEntry[];
  findings: KubeProxyFinding[];
  otherLines: number[];
}

export const sandboxFailures = [
  'no-addresses-left',
  'network-not-ready',
  'plugin-missing',
  'subnet-file-missing',
  'agent-unreachable',
  'api-unauthorized',
  'api-unreachable',
  'address-in-use',
  'interface-exists',
  'sandbox-changed',
  'other',
] as const;
export type SandboxFailure = (typeof sandboxFailures)[number];

/** An event or log line about a pod's network. */
export interface SandboxEvent extends HasLine {
  type: string | undefined;
  reason: string | undefined;
  age: string | undefined;
  from: string | undefined;
  message: string;
  /** Undefined = not about the pod network. */
  failure: SandboxFailure | undefined;
  /** How often, from `(x8 over 100s)`. */
  count: number | undefined;
  /** Address range, plugin name or path that the message names. */
  detail: string | undefined;
}
