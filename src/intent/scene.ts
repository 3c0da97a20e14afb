import { type EvidenceRef, evidence } from '../model/evidence.ts';
import type { Chain, Hook, Table } from '../model/netfilter.ts';
import type { Decision } from '../walk/netfilter.ts';
import type { Difference, DifferenceKind } from './compare.ts';
import type { FrontEntry } from './entries.ts';
import type { NodePlan } from './node-plan.ts';
import type { NodeTables } from './node-tables.ts';
import type { Writer } from './writers.ts';

/** Why a flow does what it does, with the lines that prove it. */
export interface Explained {
  kind: DifferenceKind;
  /** Differences with the same key have one cause, and become one finding. */
  cause: string;
  /** One clause: "nat PREROUTING has no jump to KUBE-SERVICES". */
  why: string;
  evidence: EvidenceRef[];
  /** Nothing of it may be claimed: what the reason rests on was not read whole. */
  doubt?: string;
}

/** What an explanation of one node has to hand. */
export interface Scene {
  plan: NodePlan;
  tables: NodeTables;
  current: readonly Writer[];
  entriesOf: (writer: Writer) => Map<string, FrontEntry[]>;
}

/** Lines quoted of one output. */
export const mostLines = 8;

/** `namespace/name:port`. */
export const portOf = ({ front: { planned } }: Difference): string =>
  `${planned.port.namespace}/${planned.port.name}:${planned.port.portName}`;

/** `nat PREROUTING has`, as in "has no jump". */
export const describeBases = (table: Table, bases: readonly Chain[], hook: Hook): string =>
  bases.length === 0 ? `${table.name} has no chain at ${hook}, and so` : `${table.name} ${bases.map((chain) => chain.name).join(', ')} has`;

export const doubtOf = (scene: Scene): { doubt?: string } => {
  const doubt = unreadOf(scene);
  return doubt === undefined ? {} : { doubt };
};

/** Absence can be told only where all places in which kube-proxy of this mode may write were read to their end. */
function unreadOf({ plan, tables }: Scene): string | undefined {
  const wanted = plan.settings.mode === 'nftables' ? ['nft'] : ['iptables-nft', 'iptables-legacy'];
  return tables.unread.find(({ source }) => wanted.includes(source))?.detail;
}

/** `nat PREROUTING: "-A PREROUTING -d … -j ACCEPT"`. */
export const describe = ({ by, source, table, chain, text }: Decision): string => {
  const where = `${table} ${chain}${source === 'iptables-legacy' ? ' of iptables-legacy' : ''}`;
  return by === 'rule' ? `${where}: "${text}"` : `${where}: ${text}`;
};

/** The lines of several rules, each output once. */
export function quote(scene: Scene, decisions: readonly Decision[]): EvidenceRef[] {
  const lines = new Map<string, Set<number>>();
  for (const { source, line } of decisions) {
    const key = scene.tables.entryOf(source);
    lines.set(key, (lines.get(key) ?? new Set()).add(line));
  }
  return [...lines].map(([key, numbers]) => evidence(key, ...[...numbers].sort((a, b) => a - b).slice(0, mostLines)));
}
