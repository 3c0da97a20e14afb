import type { Action, Chain, NetfilterRuleset, Rule, SetElement, Table } from '../model/netfilter.ts';
import { canonical, type Family } from './service-ports.ts';
import { jumpTarget, type Writer } from './writers.ts';

/** A rule or map element by which kube-proxy knows a front: `-A KUBE-SERVICES -d … --dport … -j …`, `10.96.0.1 . tcp . 443 : goto …`. */
export interface FrontEntry {
  line: number;
  text: string;
  address: string | null;
  protocol: string;
  port: number;
  /** The chain that it leads to; undefined for a verdict. */
  target: string | undefined;
  /** It translates, or it refuses for want of endpoints. */
  does: 'translate' | 'refuse';
}

const mapNames: Readonly<Record<string, FrontEntry['does']>> = {
  'service-ips': 'translate',
  'service-nodeports': 'translate',
  'no-endpoint-services': 'refuse',
  'no-endpoint-nodeports': 'refuse',
};

/** All entries of a writer, by `address protocol port` (`node` for ports of the node). */
export function frontEntries(writer: Writer, family: Family): Map<string, FrontEntry[]> {
  const entries = writer.mode === 'nftables' ? fromMaps(writer.ruleset, family) : fromChains(writer.ruleset, family);
  const byFront = new Map<string, FrontEntry[]>();
  for (const entry of entries) {
    const key = entryKey(entry);
    byFront.set(key, [...(byFront.get(key) ?? []), entry]);
  }
  return byFront;
}

export const entryKey = ({ address, protocol, port }: { address: string | null; protocol: string; port: number }): string =>
  `${address ?? 'node'} ${protocol} ${port}`;

function fromChains(ruleset: NetfilterRuleset, family: Family): FrontEntry[] {
  const chainsOf = (table: string, names: readonly string[]): Chain[] =>
    ruleset.tables
      .filter((item) => item.name === table && item.family === family)
      .flatMap((item) => item.chains.filter((chain) => names.includes(chain.name)));
  return [
    ...chainsOf('nat', ['KUBE-SERVICES', 'KUBE-NODEPORTS']).flatMap((chain) =>
      chain.rules.flatMap((rule) => fromRule(chain, rule, 'translate')),
    ),
    ...chainsOf('filter', ['KUBE-SERVICES', 'KUBE-EXTERNAL-SERVICES']).flatMap((chain) =>
      chain.rules.flatMap((rule) => fromRule(chain, rule, 'refuse')),
    ),
  ];
}

/** By the rule's text: only the words that kube-proxy writes are looked for, and a rule without them is no entry. */
function fromRule(chain: Chain, rule: Rule, does: FrontEntry['does']): FrontEntry[] {
  const port = / --dport (\d+)(?: |$)/.exec(rule.text)?.[1];
  const protocol = / -p (tcp|udp|sctp)(?: |$)/.exec(rule.text)?.[1];
  const destination = /(! )?-d ([0-9a-fA-F.:]+)(?:\/(\d+))? /.exec(rule.text);
  if (port === undefined || protocol === undefined || destination?.[1] !== undefined) return [];
  const isNodePort = chain.name === 'KUBE-NODEPORTS' || (destination === null && rule.text.includes('--dst-type LOCAL'));
  const isWhole = destination?.[3] === undefined || destination[3] === '32' || destination[3] === '128';
  const address = destination && isWhole && !isNodePort ? canonical(destination[2] as string) : undefined;
  if (!isNodePort && address === undefined) return [];
  const target = does === 'translate' ? jumpTarget(rule) : undefined;
  return [{ line: rule.line, text: rule.text, address: address ?? null, protocol, port: Number(port), target, does }];
}

function fromMaps(ruleset: NetfilterRuleset, family: Family): FrontEntry[] {
  return ruleset.tables
    .filter((table: Table) => table.name === 'kube-proxy' && table.family === family)
    .flatMap((table) => table.sets)
    .flatMap((set) => {
      const does = mapNames[set.name];
      return does === undefined ? [] : set.elements.flatMap((element) => fromElement(element, does));
    });
}

function fromElement(element: SetElement, does: FrontEntry['does']): FrontEntry[] {
  const words = element.key.map((value) => (value.type === 'literal' ? value.text : ''));
  const [first, second, third] = words;
  const [address, protocol, port] = words.length === 3 ? [canonical(first ?? ''), second, third] : [null, first, second];
  if (address === undefined || protocol === undefined || port === undefined || !/^\d+$/.test(port)) return [];
  const verdict = element.data !== undefined && !Array.isArray(element.data) ? element.data : undefined;
  return [{ line: element.line, text: words.join(' . '), address, protocol, port: Number(port), target: targetOf(verdict), does }];
}

const targetOf = (action: Action | undefined): string | undefined =>
  action?.kind === 'goto' || action?.kind === 'jump' ? action.chain : undefined;
