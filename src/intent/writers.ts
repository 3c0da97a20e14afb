import type { Chain, NetfilterRuleset, Rule, RulesetSource, Table } from '../model/netfilter.ts';
import type { Family } from './service-ports.ts';
import type { ProxyMode } from './settings.ts';

/** One of the places in which kube-proxy may have written rules for Services. */
export interface Writer {
  source: RulesetSource;
  ruleset: NetfilterRuleset;
  /** `iptables` stands for the rules of ipvs mode too. */
  mode: 'iptables' | 'nftables';
}

/** The chain by which a packet comes to kube-proxy's translation, from each of the kernel's hooks. */
export const entryChain = (mode: Writer['mode']): string => (mode === 'nftables' ? 'services' : 'KUBE-SERVICES');

export const translationTable = (writer: Writer, family: Family): Table | undefined =>
  writer.ruleset.tables.find(
    (table) => (table.family === family || table.family === 'inet') && table.name === (writer.mode === 'nftables' ? 'kube-proxy' : 'nat'),
  );

/** A chain that kube-proxy writes for Services; those of kubelet (KUBE-FIREWALL, KUBE-KUBELET-CANARY) are none. */
const serviceChain =
  /^KUBE-(SERVICES|NODEPORTS|NODE-PORT|LOAD-BALANCER|EXTERNAL-SERVICES|PROXY-FIREWALL|SOURCE-RANGES-FIREWALL|FORWARD|POSTROUTING|MARK-MASQ|IPVS-FILTER|IPVS-OUT-FILTER|(SVC|SVL|SEP|EXT|FW|XLB)-[A-Z0-9]+)$/;

/** Whether kube-proxy wrote a rule, by where it stands. */
export const isOfKubeProxy = (place: { source: RulesetSource; table: string; chain: string }): boolean =>
  place.source === 'nft' ? place.table === 'kube-proxy' : serviceChain.test(place.chain);

/** The places that hold translation for Services at all: a chain KUBE-SERVICES of the nat table, or a table kube-proxy, that is not empty. */
export function writersOf(rulesets: readonly NetfilterRuleset[], family: Family): Writer[] {
  return rulesets.flatMap((ruleset): Writer[] => {
    const writer: Writer = { source: ruleset.source, ruleset, mode: ruleset.source === 'nft' ? 'nftables' : 'iptables' };
    const table = translationTable(writer, family);
    if (table === undefined) return [];
    const holds = table.chains.some((chain) => chain.name === entryChain(writer.mode) || isEndpointChain(chain));
    return holds ? [writer] : [];
  });
}

const isEndpointChain = (chain: Chain): boolean => /^KUBE-(SVC|SVL|SEP|EXT)-/.test(chain.name) && chain.rules.length > 0;

/** Which writers are the ones of the mode that kube-proxy runs in, and which are left over from another. */
export function partWriters(writers: readonly Writer[], mode: ProxyMode): { current: Writer[]; leftover: Writer[] } {
  const wanted = mode === 'nftables' ? 'nftables' : 'iptables';
  return {
    current: writers.filter((writer) => writer.mode === wanted),
    leftover: writers.filter((writer) => writer.mode !== wanted),
  };
}

/** The same rules without the jumps that lead into kube-proxy's translation: what the node would do if this writer had left nothing. */
export function withoutTranslation(ruleset: NetfilterRuleset): NetfilterRuleset {
  if (ruleset.source === 'nft') return { ...ruleset, tables: ruleset.tables.filter((table) => table.name !== 'kube-proxy') };
  return {
    ...ruleset,
    tables: ruleset.tables.map((table) =>
      table.name === 'nat'
        ? { ...table, chains: table.chains.map((chain) => ({ ...chain, rules: chain.rules.filter((rule) => !jumpsInto(rule)) })) }
        : table,
    ),
  };
}

const jumpsInto = (rule: Rule): boolean => jumpTarget(rule) === 'KUBE-SERVICES';

/** The chain that a rule jumps or goes to. */
export function jumpTarget(rule: Rule): string | undefined {
  for (const statement of rule.statements)
    if (statement.role === 'action' && (statement.kind === 'jump' || statement.kind === 'goto')) return statement.chain;
  return undefined;
}
