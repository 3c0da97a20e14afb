import type { Action, Counters, Match, SetElement } from './netfilter-statements.ts';
import type { HasLine } from './parsed.ts';

/** Which tool printed the rules; `iptables` where the text does not say which backend (iptables before 1.8, pasted rules). */
export type RulesetSource = 'iptables-nft' | 'iptables-legacy' | 'iptables' | 'nft';

export type TableFamily = 'ip' | 'ip6' | 'inet' | 'arp' | 'bridge' | 'netdev';

export type Hook = 'ingress' | 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting' | 'egress';

/** All tables that one output shows. One model for iptables-save, iptables -S and -L, `nft list ruleset` and `nft -j list ruleset`. */
export interface NetfilterRuleset {
  source: RulesetSource;
  /** Version that the output names (`1.8.9`), where it does. */
  toolVersion?: string;
  /** The family of an iptables or ip6tables output; an nft ruleset holds tables of several families. */
  family: 'ip' | 'ip6' | 'mixed';
  tables: Table[];
  /** Lines in which the tool says that it does not show everything. */
  warnings: RulesetWarning[];
  /**
   * `family table chain` of every base chain that nf_tables has, in the order in which they were made, where tables of it are left out here
   * because another output shows them better. Chains of one priority are called in the reverse of this order.
   */
  baseChainOrder?: readonly string[];
  /** Lines that hold nothing of their own: headings, comments, COMMIT, closing braces, settings of a set. */
  otherLines: number[];
}

export interface RulesetWarning extends HasLine {
  /** legacy-tables-present: look with iptables-legacy-save too. incompatible-table: the table was NOT shown, use nft. */
  kind: 'legacy-tables-present' | 'incompatible-table' | 'managed-by-iptables-nft' | 'tool-message';
  table?: string;
  text: string;
}

export interface Table extends HasLine {
  family: TableFamily;
  name: string;
  /** True when nft prints xtables rules here: it loses arguments, comments and even negations, so iptables-save is to be read instead. */
  lossy: boolean;
  /** A table with `flags dormant` is loaded but no hook calls it. */
  dormant: boolean;
  /** Set by the parser: the table was printed to its end (COMMIT or closing brace). */
  closed: boolean;
  comment?: string;
  chains: Chain[];
  sets: NamedSet[];
  flowtables: Flowtable[];
  /** Counters, quotas, ct helpers and the like, kept as text. */
  objects: NamedObject[];
}

export interface Chain extends HasLine {
  name: string;
  base?: BaseChain;
  counters?: Counters;
  comment?: string;
  /** Number of references that `iptables -L` prints for user chains. */
  references?: number;
  rules: Rule[];
}

export interface BaseChain {
  type: 'filter' | 'nat' | 'route';
  hook: Hook;
  priority: number;
  policy: 'accept' | 'drop' | 'unknown';
  devices: string[];
}

export interface Rule extends HasLine {
  /** The rule as printed, without counters in brackets before it and without indentation. */
  text: string;
  /** Rule number where the tool printed one (`iptables -L --line-numbers`) or handle (`nft -a`, `nft -j`). */
  handle?: number;
  counters?: Counters;
  /** nft: the statement before which the counter stands, as an index; it counts the packets for which all before it held. */
  counterAt?: number;
  comment?: string;
  /** Matches and actions in the order in which the kernel runs them. */
  statements: Statement[];
}

export type Statement = Match | Action;

/** A named set, map or verdict map of nft, or an ipset. */
export interface NamedSet extends HasLine {
  name: string;
  kind: 'set' | 'map';
  /** `ipv4_addr . inet_proto . inet_service` is three entries; a `typeof` set keeps its expressions as words. */
  keyType: string[];
  /** For a map: `verdict`, `ipv4_addr`, …; concatenations as several entries. */
  dataType: string[];
  flags: string[];
  /** Seconds after which an element that the kernel adds goes away. */
  timeout?: number;
  /** Seconds between two searches of the kernel for elements that are due. */
  gcInterval?: number;
  /** Most elements that it takes. */
  size?: number;
  autoMerge?: boolean;
  policy?: 'memory' | 'performance';
  /** What each element holds besides its key (`counter`, `limit rate 5/second`), in the words of nft. */
  statements?: string[];
  comment?: string;
  elements: SetElement[];
  /** False when the output was cut inside the elements or `-t` (terse) left them out. */
  elementsKnown: boolean;
}

export interface Flowtable extends HasLine {
  name: string;
  hook: Hook;
  priority: number;
  devices: string[];
  /** `offload`, `counter` */
  flags: string[];
}

export interface NamedObject extends HasLine {
  /** `counter`, `quota`, `limit`, `ct helper`, … */
  type: string;
  name: string;
  comment?: string;
  /** What stands between its braces in a listing, a line each. */
  text: string;
}

export type {
  Action,
  AddressMask,
  CompareOperator,
  Counters,
  Expression,
  Match,
  ModuleOption,
  NatTarget,
  NumberRange,
  SetElement,
  SetReference,
  Value,
} from './netfilter-statements.ts';

/** Finds a table by name and family (`ip` unless said otherwise). */
export const findTable = (ruleset: NetfilterRuleset, name: string, family: TableFamily = 'ip'): Table | undefined =>
  ruleset.tables.find((table) => table.name === name && table.family === family);

export const findChain = (table: Table, name: string): Chain | undefined => table.chains.find((chain) => chain.name === name);

/** The statements of a rule that only decide whether it applies. */
export const matchesOf = (rule: Rule): Match[] => rule.statements.filter((statement) => statement.role === 'match');
