import { type EvidenceRef, evidence } from '../model/evidence.ts';
import { type Chain, findChain, type Hook, type Table } from '../model/netfilter.ts';
import type { Decision, Step } from '../walk/netfilter.ts';
import type { Difference, DifferenceKind } from './compare.ts';
import { entryKey, type FrontEntry, frontEntries } from './entries.ts';
import type { NodePlan } from './node-plan.ts';
import type { NodeTables } from './node-tables.ts';
import { entryChain, isOfKubeProxy, jumpTarget, translationTable, type Writer } from './writers.ts';

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

export type Explainer = (difference: Difference) => Explained;

const mostLines = 8;

/** Makes the explainer of one node: chains and elements are searched only where a walk has shown a difference. */
export function createExplainer(plan: NodePlan, tables: NodeTables, current: readonly Writer[]): Explainer {
  const known = new Map<Writer, Map<string, FrontEntry[]>>();
  const entriesOf = (writer: Writer): Map<string, FrontEntry[]> => {
    const entries = known.get(writer) ?? frontEntries(writer, plan.family);
    known.set(writer, entries);
    return entries;
  };
  const scene: Scene = { plan, tables, current, entriesOf };
  return (difference) => {
    switch (difference.kind) {
      case 'missing':
        return explainMissing(scene, difference);
      case 'stale-endpoint':
        return byDecisions(scene, difference, 'stale-endpoint');
      case 'missing-endpoint':
        return explainChoice(scene, difference);
      case 'wrong-masquerade':
        return byMasquerade(scene, difference);
      case 'doubled':
        return explainLeftover(scene, difference);
      case 'shadowed':
        return difference.found.endpoints.size > 0 ? byDecisions(scene, difference, 'shadowed') : byVerdict(scene, difference);
      default:
        return byVerdict(scene, difference);
    }
  };
}

interface Scene {
  plan: NodePlan;
  tables: NodeTables;
  current: readonly Writer[];
  entriesOf: (writer: Writer) => Map<string, FrontEntry[]>;
}

const portOf = ({ front: { planned } }: Difference): string => `${planned.port.namespace}/${planned.port.name}:${planned.port.portName}`;

/** Nothing answers for the front: no entry, or one that no packet comes to. */
function explainMissing(scene: Scene, difference: Difference): Explained {
  const doubt = unreadOf(scene);
  const [writer] = scene.current;
  const sure = doubt === undefined ? {} : { doubt };
  if (writer === undefined) {
    const sources = scene.plan.settings.mode === 'nftables' ? (['nft'] as const) : (['iptables-nft', 'iptables-legacy'] as const);
    return {
      kind: 'missing',
      cause: 'no rules',
      why: `there is no rule of kube-proxy (${scene.plan.settings.mode} mode) on the node`,
      evidence: sources.map((source) => evidence(scene.tables.entryOf(source))),
      ...sure,
    };
  }
  const does = difference.expects === 'translated' ? 'translate' : 'refuse';
  const entries = scene.current.flatMap((item) =>
    (scene.entriesOf(item).get(entryKey(difference.front)) ?? [])
      .filter((entry) => entry.does === does)
      .map((entry) => ({ writer: item, entry })),
  );
  const [first] = entries;
  if (first === undefined) return { ...withoutEntry(scene, writer, difference, does), ...sure };
  return { ...unreached(scene, first.writer, first.entry, difference), ...sure };
}

/** The chain or map that should name the front is quoted by its own line. */
function withoutEntry(scene: Scene, writer: Writer, difference: Difference, does: FrontEntry['does']): Explained {
  const { front } = difference;
  const table = translationTable(writer, scene.plan.family);
  const isNode = front.address === null;
  const container =
    writer.mode === 'nftables'
      ? `map ${does === 'translate' ? (isNode ? 'service-nodeports' : 'service-ips') : isNode ? 'no-endpoint-nodeports' : 'no-endpoint-services'}`
      : `chain ${does === 'refuse' && front.kind !== 'ClusterIP' ? 'KUBE-EXTERNAL-SERVICES' : isNode ? 'KUBE-NODEPORTS' : 'KUBE-SERVICES'}`;
  const [sort, name = ''] = container.split(' ');
  const filter = writer.ruleset.tables.find((item) => item.family === scene.plan.family && item.name === 'filter');
  const home = writer.mode === 'iptables' && does === 'refuse' ? filter : table;
  const line = sort === 'map' ? home?.sets.find((set) => set.name === name)?.line : home && findChain(home, name)?.line;
  return {
    kind: 'missing',
    cause: `no entry ${portOf(difference)}`,
    why: `${container} has nothing for ${front.address === null ? 'port' : `${front.address}:`}${front.address === null ? ' ' : ''}${front.port}/${front.protocol}`,
    evidence: [evidence(scene.tables.entryOf(writer.source), ...(line === undefined ? [] : [line]))],
  };
}

/** There is an entry: where do packets turn off before it, or what is wrong behind it? */
function unreached(scene: Scene, writer: Writer, entry: FrontEntry, difference: Difference): Explained {
  const at = scene.tables.entryOf(writer.source);
  const table = translationTable(writer, scene.plan.family);
  const hook: Hook = difference.flow.origin === 'node' ? 'output' : 'prerouting';
  const steps = difference.outcome?.steps ?? [];
  const into = entryChain(writer.mode);
  if (entry.does === 'refuse' || table === undefined) {
    return {
      kind: 'unhooked',
      cause: `refusal not reached ${writer.source}`,
      why: `no packet comes to the rule that refuses it ("${entry.text}")`,
      evidence: [evidence(at, entry.line)],
    };
  }
  const bases = table.chains.filter((chain) => chain.base?.hook === hook && chain.base.type === 'nat');
  const jump = bases.flatMap((chain) => chain.rules).find((rule) => jumpTarget(rule) === into);
  const came = steps.some((step) => isIn(step, writer, table) && (step.chain === into || step.line === jump?.line));
  if (jump === undefined) {
    const lines = bases.flatMap((chain) => [chain.line, ...chain.rules.map((rule) => rule.line)]);
    return {
      kind: 'unhooked',
      cause: `no jump ${writer.source}`,
      why: `${describeBases(table, bases, hook)} no jump to ${into}, where its rule is`,
      evidence: [evidence(at, ...lines.slice(0, mostLines - 1), entry.line)],
    };
  }
  if (!came) return turnedOff(scene, writer, hook, steps, jump, entry);
  return behindEntry(
    scene,
    writer,
    table,
    steps.filter((step) => step.hook === hook),
    entry,
  );
}

const describeBases = (table: Table, bases: readonly Chain[], hook: Hook): string =>
  bases.length === 0 ? `${table.name} has no chain at ${hook}, and so` : `${table.name} ${bases.map((chain) => chain.name).join(', ')} has`;

const isIn = (step: Step, writer: Writer, table: Table): boolean => step.source === writer.source && step.table === table.name;

/** A rule before the jump ended the packet's way, or the jump's own conditions leave it out. */
function turnedOff(
  scene: Scene,
  writer: Writer,
  hook: Hook,
  steps: readonly Step[],
  jump: { line: number; text: string },
  entry: FrontEntry,
): Explained {
  const at = scene.tables.entryOf(writer.source);
  const before = steps.filter((step) => step.hook === hook && step.by === 'rule' && !isOfKubeProxy(step)).at(-1);
  if (before !== undefined)
    return {
      kind: 'shadowed',
      cause: `shadow ${before.source} ${before.table} ${before.line}`,
      why: `a rule before the jump to kube-proxy's rules takes it: ${describe(before)}`,
      evidence: [evidence(scene.tables.entryOf(before.source), before.line), evidence(at, jump.line, entry.line)],
    };
  return {
    kind: 'unhooked',
    cause: `conditional jump ${writer.source} ${jump.line}`,
    why: `the jump to kube-proxy's rules leaves it out: "${jump.text}"`,
    evidence: [evidence(at, jump.line, entry.line)],
  };
}

/** The packet is in kube-proxy's rules: something of them is gone, or another rule stands in them. */
function behindEntry(scene: Scene, writer: Writer, table: Table, steps: readonly Step[], entry: FrontEntry): Explained {
  const at = scene.tables.entryOf(writer.source);
  const own = steps.filter((step) => isIn(step, writer, table) && step.by === 'rule');
  const taken = writer.mode === 'nftables' || own.some((step) => step.line === entry.line);
  const last = own.at(-1);
  if (!taken && last !== undefined)
    return {
      kind: 'shadowed',
      cause: `shadow ${last.source} ${last.table} ${last.line}`,
      why: `a rule before its own takes it: ${describe(last)}`,
      evidence: [evidence(at, last.line, entry.line)],
    };
  const target = entry.target === undefined ? undefined : findChain(table, entry.target);
  const lines = target ? [target.line, ...target.rules.map((rule) => rule.line)] : [];
  const state = target === undefined ? 'is not there' : target.rules.length === 0 ? 'is empty' : 'leads to no endpoint';
  return {
    kind: 'unhooked',
    cause: `chain ${entry.target ?? ''} ${state}`,
    why: `chain ${entry.target ?? ''}, to which its rule leads, ${state}`,
    evidence: [evidence(at, entry.line, ...lines.slice(0, mostLines - 1))],
  };
}

/** Differences of endpoints: the rules that translate to them. */
function byDecisions(scene: Scene, difference: Difference, kind: DifferenceKind): Explained {
  const decisions = difference.endpoints.flatMap((key) => difference.found.endpoints.get(key)?.decision ?? []);
  const [first] = decisions;
  const foreign = kind === 'shadowed' && first ? `shadow ${first.source} ${first.table} ${first.line}` : undefined;
  return {
    kind,
    cause: foreign ?? `endpoints ${portOf(difference)} ${[...difference.endpoints].sort().join(' ')}`,
    why: first ? describe(first) : difference.is,
    evidence: quote(scene, decisions),
  };
}

/** What another mode or backend has left: the jump that still leads into it, and what it translates to. */
function explainLeftover(scene: Scene, difference: Difference): Explained {
  const [first] = [...difference.found.endpoints.values()].map(({ decision }) => decision);
  if (first === undefined) return byVerdict(scene, difference);
  const into = entryChain(first.source === 'nft' ? 'nftables' : 'iptables');
  const jumps = difference.found.passages.flatMap(({ outcome }) => outcome.steps.filter((step) => step.text.endsWith(` ${into}`)));
  return {
    kind: 'doubled',
    cause: `left ${first.source}`,
    why: `${describe(jumps[0] ?? first)} still leads to them`,
    evidence: quote(scene, [...jumps.slice(0, 1), first]),
  };
}

/** An endpoint that no rule leads to: the rules by which the others are chosen. */
function explainChoice(scene: Scene, difference: Difference): Explained {
  const steps = difference.found.passages.flatMap(({ outcome }) => outcome.steps.filter((step) => /^KUBE-(SVC|SVL)-/.test(step.chain)));
  const decisions: Decision[] = steps.length > 0 ? steps : [...difference.found.endpoints.values()].map(({ decision }) => decision);
  return {
    kind: 'missing-endpoint',
    cause: `endpoints ${portOf(difference)} ${[...difference.endpoints].sort().join(' ')}`,
    why: `its rules choose among ${difference.found.endpoints.size} of ${difference.endpoints.length + difference.found.endpoints.size} endpoints`,
    evidence: quote(scene, decisions),
    ...doubtOf(scene),
  };
}

function byMasquerade(scene: Scene, difference: Difference): Explained {
  const endpoints = difference.endpoints.flatMap((key) => difference.found.endpoints.get(key) ?? []);
  const tooMuch = endpoints.some(({ masqueradedBy }) => masqueradedBy !== undefined && isOfKubeProxy(masqueradedBy));
  if (!tooMuch) {
    const unhooked = withoutPostrouting(scene);
    if (unhooked) return { ...unhooked, ...doubtOf(scene) };
    return {
      kind: 'wrong-masquerade',
      cause: `no masquerade ${difference.flow.from}`,
      why: 'no rule of kube-proxy marks it to be masqueraded, or none of POSTROUTING heeds the mark',
      evidence: quote(
        scene,
        endpoints.filter(({ masquerade }) => masquerade === false).map(({ decision }) => decision),
      ),
      ...doubtOf(scene),
    };
  }
  const marks = difference.found.passages.flatMap(({ outcome }) =>
    outcome.steps.filter((step) => /(-j (KUBE-MARK-MASQ|MARK)|mark set)/.test(step.text)),
  );
  const [first] = marks;
  return {
    kind: 'wrong-masquerade',
    cause: `masquerade ${difference.flow.from} ${portOf(difference)}`,
    why: first ? describe(first) : difference.is,
    evidence: quote(scene, [...marks, ...endpoints.flatMap(({ masqueradedBy }) => masqueradedBy ?? [])]),
  };
}

/** Marks are heeded in POSTROUTING, which the jump to kube-proxy's chain may have been taken from. */
function withoutPostrouting(scene: Scene): Explained | undefined {
  for (const writer of scene.current) {
    const table = translationTable(writer, scene.plan.family);
    const into = writer.mode === 'nftables' ? 'masquerading' : 'KUBE-POSTROUTING';
    const bases = (table?.chains ?? []).filter((chain) => chain.base?.hook === 'postrouting' && chain.base.type === 'nat');
    if (table === undefined || bases.some((chain) => chain.rules.some((rule) => jumpTarget(rule) === into))) continue;
    return {
      kind: 'unhooked',
      cause: `no jump to masquerading ${writer.source}`,
      why: `${describeBases(table, bases, 'postrouting')} no jump to ${into}, which masquerades`,
      evidence: [evidence(scene.tables.entryOf(writer.source), ...bases.map((chain) => chain.line))],
    };
  }
  return undefined;
}

/** Verdicts and translations that one rule or policy decided. */
function byVerdict(scene: Scene, difference: Difference): Explained {
  const by = difference.outcome?.decidedBy ?? difference.outcome?.dnat?.decision;
  const foreign = by !== undefined && !isOfKubeProxy(by);
  return {
    kind: difference.kind,
    cause: foreign ? `shadow ${by.source} ${by.table} ${by.line}` : `${difference.kind} ${portOf(difference)}`,
    why: by ? describe(by) : difference.is,
    evidence: by ? quote(scene, [by]) : [],
  };
}

const doubtOf = (scene: Scene): { doubt?: string } => {
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
function quote(scene: Scene, decisions: readonly Decision[]): EvidenceRef[] {
  const lines = new Map<string, Set<number>>();
  for (const { source, line } of decisions) {
    const key = scene.tables.entryOf(source);
    lines.set(key, (lines.get(key) ?? new Set()).add(line));
  }
  return [...lines].map(([key, numbers]) => evidence(key, ...[...numbers].sort((a, b) => a - b).slice(0, mostLines)));
}
