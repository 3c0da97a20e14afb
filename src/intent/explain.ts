import { evidence } from '../model/evidence.ts';
import type { Decision } from '../walk/netfilter.ts';
import type { Difference, DifferenceKind } from './compare.ts';
import { type FrontEntry, frontEntries } from './entries.ts';
import { explainMissing } from './explain-missing.ts';
import type { NodePlan } from './node-plan.ts';
import type { NodeTables } from './node-tables.ts';
import { describe, describeBases, doubtOf, type Explained, portOf, quote, type Scene } from './scene.ts';
import { entryChain, isOfKubeProxy, jumpTarget, translationTable, type Writer } from './writers.ts';

export type Explainer = (difference: Difference) => Explained;

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
      cause: 'no masquerade',
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
    cause: `masquerade ${portOf(difference)}`,
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
