import { evidence } from '../model/evidence.ts';
import { findChain, type Hook, type Table } from '../model/netfilter.ts';
import type { Step } from '../walk/netfilter.ts';
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
  if (!came) return turnedOff(scene, writer, hook, steps, jump, entry);
  return behindEntry(
    scene,
    writer,
    table,
    steps.filter((step) => step.hook === hook),
    entry,
  );
}

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
    kind: 'missing',
    cause: `chain ${entry.target ?? ''} ${state}`,
    why: `chain ${entry.target ?? ''}, to which its rule leads, ${state}`,
    evidence: [evidence(at, entry.line, ...lines.slice(0, mostLines - 1))],
  };
}
