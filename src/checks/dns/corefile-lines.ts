import { type Facts, objectEvidence } from '../../facts/facts.ts';
import type { CorefilePlugin } from '../../model/dns.ts';
import type { EvidenceRef } from '../../model/evidence.ts';
import { parseCorefile } from '../../parse/corefile.ts';

/** Plugins of that name in every server block of the Corefile. */
export function corefilePlugins(facts: Facts, name: string): CorefilePlugin[] {
  const { corefile } = facts.dns;
  if (corefile.state !== 'seen') return [];
  return parseCorefile(corefile.value).value.servers.flatMap((server) => server.plugins.filter((plugin) => plugin.name === name));
}

export const corefilePath = (facts: Facts, name: string): number[] => corefilePlugins(facts, name).map((plugin) => plugin.line);

/** Quotes lines of the Corefile as they stand in the ConfigMap. */
export function quoteCorefile(facts: Facts, lines: readonly number[]): EvidenceRef[] {
  const config = facts.configMap('coredns');
  const { corefile } = facts.dns;
  if (config.state !== 'seen' || corefile.state !== 'seen' || lines.length === 0) return [];
  const all = corefile.value.split('\n');
  const quoted = lines.flatMap((number) => (all[number - 1] === undefined ? [] : [{ number, text: all[number - 1] as string }]));
  const reference = objectEvidence('configmap', config.value, '.data.Corefile', '');
  return quoted.length > 0 && !('entry' in reference) ? [{ ...reference, lines: quoted }] : [];
}

/** The upstreams that CoreDNS sends the names of no other server block to: arguments of `forward .` (or the former `proxy .`). */
export function upstreams(facts: Facts): { line: number; to: string[] }[] {
  return ['forward', 'proxy']
    .flatMap((name) => corefilePlugins(facts, name))
    .filter((plugin) => plugin.args[0] === '.')
    .map((plugin) => ({ line: plugin.line, to: plugin.args.slice(1) }));
}

/** True when CoreDNS asks the resolvers of its own resolv.conf, which kubelet copies from the node (dnsPolicy Default). */
export const forwardsToFile = (facts: Facts): boolean => upstreams(facts).some(({ to }) => to.some((upstream) => upstream.startsWith('/')));
