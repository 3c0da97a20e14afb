import type { KubeletConfig } from '../model/cluster-config.ts';
import type { Parsed } from '../model/parsed.ts';
import { settingAt, settingsBelow, settingsOf } from './settings.ts';
import { unwrapConfigMap } from './unwrap-config-map.ts';

/**
 * Reads KubeletConfiguration v1beta1 as YAML or JSON (Kubernetes 1.10 to 1.36), /var/lib/kubelet/config.yaml, the ConfigMap `kubelet-config` with it under
 * `kubelet`, or the answer of the node's /configz (`{"kubeletconfig": …}`).
 */
export function parseKubeletConfig(text: string): Parsed<KubeletConfig> {
  const { text: inner, firstLine, outerLines } = unwrapConfigMap(text, ['kubelet', 'config.yaml']);
  const { settings, otherLines, unparsed } = settingsOf(inner, firstLine);
  const fromConfigz = settings.length > 0 && settings.every((setting) => setting.path.startsWith('kubeletconfig.'));
  const bare = fromConfigz ? settings.map((setting) => ({ ...setting, path: setting.path.slice('kubeletconfig.'.length) })) : settings;
  const at = (path: string) => settingAt(bare, path);
  const value: KubeletConfig = {
    settings: bare,
    otherLines: [...outerLines, ...otherLines],
    clusterDns: settingsBelow(bare, 'clusterDNS').map((setting) => ({ line: setting.line, address: String(setting.value) })),
    clusterDomain: at('clusterDomain'),
    resolvConf: at('resolvConf') ?? at('resolverConfig'),
    podCidr: at('podCIDR'),
    makeIptablesUtilChains: at('makeIPTablesUtilChains'),
  };
  const isKind = fromConfigz || at('kind')?.value === 'KubeletConfiguration';
  return { value, unparsed, complete: unparsed.length === 0 && isKind };
}
