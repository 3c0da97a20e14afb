import { evidence } from '../model/evidence.ts';
import { findChain, type Hook, type Table } from '../model/netfilter.ts';
import type { Step } from '../walk/netfilter.ts';
import { ruleOfStep, untrackedBy } from '../walk/step-rule.ts';
import type { Difference } from './compare.ts';
import { entryKey, type FrontEntry } from './entries.ts';
import { describe, describeBases, doubtOf, type Explained, mostLines, type Scene } from './scene.ts';
import { entryChain, isOfKubeProxy, jumpTarget, translationTable, type Writer } from './writers.ts';

/** Nothing answers for the front: no entry, or one that no packet comes to. */
export function explainMissing(scene: Scene, difference: Difference): Explained {
  const [writer] = scene.current;
  const sure = doubtOf(scene);
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
      // A rule of older kube-proxies that marks for masquerading names the front too, and translates nothing.
      .filter((entry) => entry.does === does && entry.target !== 'KUBE-MARK-MASQ')
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
    cause: `no entry ${container}`,
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
  if (!came) return turnedOff(scene, writer, hook, difference, jump, entry);
  return behindEntry(
    scene,
    writer,
    table,
    steps.filter((step) => step.hook === hook),
    entry,
  );
}

const isIn = (step: Step, writer: Writer, table: Table): boolean => step.source === writer.source && step.table === table.name;

/** Actions after which a packet meets no further rule of its table. */
const ending: ReadonlySet<string> = new Set(['accept', 'drop', 'reject', 'queue', 'dnat', 'snat', 'masquerade', 'redirect', 'netmap']);

/**
 * Whether a rule takes a packet out of kube-proxy's hands. What jumps, marks or logs and lets the packet come back does not, and what jumps
 * into kube-proxy's own chains is its own, wherever it stands: nobody may be told to take that away.
 */
function takes(scene: Scene, step: Step, home: string): boolean {
  const rule = ruleOfStep(scene.tables.rulesets, step);
  if (rule === undefined || jumpTarget(rule)?.startsWith('KUBE-')) return false;
  return rule.statements.some(
    ({ role, kind }) => role === 'action' && (ending.has(kind) || kind === 'goto' || (kind === 'return' && step.chain === home)),
  );
}

/** A rule before the jump ended the packet's way, or the jump's own conditions leave it out. */
function turnedOff(
  scene: Scene,
  writer: Writer,
  hook: Hook,
  { outcome }: Difference,
  jump: { line: number; text: string },
  entry: FrontEntry,
): Explained {
  const at = scene.tables.entryOf(writer.source);
  const inTable = (outcome?.steps ?? []).filter(
    (step) => step.hook === hook && step.source === writer.source && step.table === 'nat' && !isOfKubeProxy(step),
  );
  const untracked = outcome && untrackedBy(scene.tables.rulesets, outcome);
  const before = untracked ?? inTable.filter((step) => takes(scene, step, hook.toUpperCase())).at(-1);
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
  const home = entry.address === null ? 'KUBE-NODEPORTS' : entryChain(writer.mode);
  const taker = own.filter((step) => takes(scene, step, home)).at(-1);
  if (!taken && taker !== undefined)
    return {
      kind: 'shadowed',
      cause: `shadow ${taker.source} ${taker.table} ${taker.line}`,
      why: `a rule before its own takes it: ${describe(taker)}`,
      evidence: [evidence(at, taker.line, entry.line)],
    };
  if (!taken)
    return {
      kind: 'missing',
      cause: `entry not met ${writer.source} ${entry.line}`,
      why: `packets come to chain ${entryChain(writer.mode)}, and its rule does not take them: "${entry.text}"`,
      evidence: [evidence(at, entry.line)],
    };
  const target = entry.target === undefined ? undefined : findChain(table, entry.target);
  const lines = target ? [target.line, ...target.rules.map((rule) => rule.line)] : [];
  const state = target === undefined ? 'is not there' : target.rules.length === 0 ? 'is empty' : 'leads to no endpoint';
  return {
    kind: 'missing',
    cause: `chain ${entry.target ?? ''} ${state}`,
    why: `chain ${entry.target ?? ''}, to which its rule leads, ${state}`,
    evidence: [evidence(at, entry.line, ...lines.slice(0, mostLines - 1))],
  };
}
