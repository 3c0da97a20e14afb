import type { KubeProxyConfig } from '../model/cluster-config.ts';
import type { Parsed } from '../model/parsed.ts';
import { settingAt, settingsBelow, settingsOf } from './settings.ts';
import { unwrapConfigMap } from './unwrap-config-map.ts';

/**
 * Reads KubeProxyConfiguration v1alpha1 as YAML or JSON (Kubernetes 1.10 to 1.36, staging/src/k8s.io/kube-proxy/config/v1alpha1/types.go), or the ConfigMap
 * with it under `config.conf` (kubeadm) or `config`. Complete when the document is whole and is of that kind.
 */
export function parseKubeProxyConfig(text: string): Parsed<KubeProxyConfig> {
  const { text: inner, firstLine, outerLines } = unwrapConfigMap(text, ['config.conf', 'config', 'kube-proxy-config.yaml']);
  const { settings, otherLines, unparsed } = settingsOf(inner, firstLine);
  const at = (path: string) => settingAt(settings, path);
  const cidrs = String(at('clusterCIDR')?.value ?? '');
  const value: KubeProxyConfig = {
    settings,
    otherLines: [...outerLines, ...otherLines],
    mode: at('mode'),
    clusterCidrs: cidrs === '' || cidrs === 'null' ? [] : cidrs.split(',').map((cidr) => cidr.trim()),
    detectLocalMode: at('detectLocalMode'),
    nodePortAddresses: settingsBelow(settings, 'nodePortAddresses').map((setting) => String(setting.value)),
    masqueradeAll: at('iptables.masqueradeAll') ?? at('linux.masqueradeAll'),
    strictArp: at('ipvs.strictARP'),
    ipvsScheduler: at('ipvs.scheduler'),
    localhostNodePorts: at('iptables.localhostNodePorts'),
    conntrackMaxPerCore: at('conntrack.maxPerCore') ?? at('linux.conntrack.maxPerCore'),
    conntrackMin: at('conntrack.min') ?? at('linux.conntrack.min'),
  };
  const isKind = at('kind')?.value === 'KubeProxyConfiguration';
  return { value, unparsed, complete: unparsed.length === 0 && isKind };
}
