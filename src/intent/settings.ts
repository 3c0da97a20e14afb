import type { Family } from './service-ports.ts';

export type ProxyMode = 'iptables' | 'nftables' | 'ipvs';

/**
 * How kube-proxy tells traffic of this cluster's pods from other traffic (`--detect-local-mode`). `none`: it does not, and then it masquerades
 * nothing to a ClusterIP and treats pods as strangers under externalTrafficPolicy Local. `unknown`: nobody told; nothing is claimed then.
 */
export type LocalDetector =
  | { kind: 'cidr'; cidrs: Partial<Record<Family, string>> }
  | { kind: 'bridge'; device: string }
  | { kind: 'prefix'; prefix: string }
  | { kind: 'none' }
  | { kind: 'unknown'; why: string };

/** What kube-proxy of one node was told (KubeProxyConfiguration v1alpha1 with its defaults of Kubernetes 1.36). */
export interface ProxySettings {
  mode: ProxyMode;
  localDetector: LocalDetector;
  masqueradeAll: boolean;
  /** NodePorts on 127.0.0.0/8: IPv4 in iptables mode only. */
  localhostNodePorts: boolean;
  /** `primary` is the default of nftables mode, `all` that of the others. */
  nodePortAddresses: 'all' | 'primary' | readonly string[];
  /** nftables mode drops packets to addresses of these ranges that no Service has; null: not known. */
  serviceCIDRs: readonly string[] | null;
  scheduler: string;
  /** Seconds after which kube-proxy has surely written a change. */
  syncPeriod: number;
}

/** What kube-proxy does where its configuration does not say. */
export const defaultSettings = (mode: ProxyMode): ProxySettings => ({
  mode,
  localDetector: { kind: 'none' },
  masqueradeAll: false,
  localhostNodePorts: true,
  nodePortAddresses: mode === 'nftables' ? 'primary' : 'all',
  serviceCIDRs: null,
  scheduler: 'rr',
  syncPeriod: 30,
});
