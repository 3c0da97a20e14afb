import type { Facts } from '../facts/facts.ts';
import type { VerifyFinding } from '../intent/findings.ts';
import type { Where } from '../model/check.ts';
import type { EvidenceRef } from '../model/evidence.ts';
import type { JudgedFinding, Judgement } from './judge.ts';
import { quoteEvidence } from './quote.ts';
import { describeProbe } from './symptoms.ts';
import type { WalkedFlow } from './tables.ts';
import { describeSource, describeTarget } from './ways.ts';
import { type End, isResidual, isWithoutCause, sharesLine } from './witnesses.ts';

/**
 * What the tables add to a judgement: the deciding line where a finding lacks it, the cause where no check has one, and confidence where two ways of
 * looking name the same place. They never make a fault of their own: every finding stands for probes that failed.
 */
export function supported(facts: Facts, judgement: Judgement, walked: readonly WalkedFlow[], rules: readonly VerifyFinding[]): Judgement {
  const findings = judgement.findings.map((finding) => {
    const own = walked.filter(({ heard }) => heard.finding === finding && heard.end !== undefined);
    if (!isWithoutCause(finding)) return withLines(facts, finding, own, rules);
    const explained = withCause(facts, finding, own, rules);
    const isCleared = walked.some(({ heard }) => heard.finding === finding && heard.agreement === 'witness-passes');
    return explained === finding && isCleared && !isResidual(finding) ? withTablesCleared(finding) : explained;
  });
  const [before] = judgement.findings;
  const [root] = findings;
  const [nameless] = judgement.unexplained;
  const end = walked.find(({ heard }) => heard.agreement === 'no-finding')?.heard.end;
  if (judgement.status === 'fault' && root?.severity !== 'fault' && nameless !== undefined && end !== undefined)
    return { ...judgement, findings, summary: `${describeProbe(nameless)}, which no check explains; by the tables ${end.says}` };
  if (root === undefined || before === undefined || root.severity !== 'fault' || judgement.status !== 'fault')
    return { ...judgement, findings };
  const summary = judgement.summary === before.fault.title ? root.fault.title : judgement.summary;
  return { ...judgement, findings, summary, confidence: confidenceOf(judgement, root, before, walked) };
}

function confidenceOf(
  judgement: Judgement,
  root: JudgedFinding,
  before: JudgedFinding,
  walked: readonly WalkedFlow[],
): Judgement['confidence'] {
  if (isResidual(before)) return root === before ? judgement.confidence : 'medium';
  if (isWithoutCause(before)) return root.fault.where === before.fault.where ? judgement.confidence : 'medium';
  const confirmed = walked.some(({ heard }) => heard.finding === before && /^same-(line|place)$/.test(heard.agreement));
  return confirmed && root.explains.length > 0 && judgement.unexplained.length === 0 ? 'high' : judgement.confidence;
}

/** Outputs that prove by what is not in them, and are short: the sockets of a pod. */
const listsAll = /^pod\/.*\/ss$/;

/** Most lines of tables that are added to what a check quotes. */
const mostAdded = 2;

/** A finding with the lines of its own place by which the tables end its packets, where it does not quote them already. */
function withLines(facts: Facts, finding: JudgedFinding, own: readonly WalkedFlow[], rules: readonly VerifyFinding[]): JudgedFinding {
  const ends = own
    .filter(({ heard }) => heard.agreement === 'same-place' || heard.agreement === 'follows')
    .flatMap(({ heard }) => heard.end ?? []);
  const fromRules = matching(facts, finding, rules).flatMap(({ evidence }) => evidence);
  const wanted = [...fromRules, ...ends.flatMap(({ evidence }) => evidence)].filter(
    (ref) => 'entry' in ref && (ref.lines.length > 0 || listsAll.test(ref.entry)),
  );
  const added: EvidenceRef[] = [];
  for (const ref of wanted)
    if (added.length < mostAdded && ![...finding.fault.evidence, ...added].some((known) => sharesLine(known, ref))) added.push(ref);
  return added.length === 0 ? finding : { ...finding, fault: { ...finding.fault, evidence: [...finding.fault.evidence, ...added] } };
}

/** Differences of the client's node, for findings about the Service's rules there. */
const matching = (facts: Facts, { meta, fault }: JudgedFinding, rules: readonly VerifyFinding[]): VerifyFinding[] =>
  meta.layer === 'service' && fault.where.node !== undefined
    ? rules.filter(({ node, severity }) => severity === 'fault' && node === fault.where.node && node === facts.client.node)
    : [];

/** A finding that says "no cause was found", with the cause that the rules or the other tables name. */
function withCause(facts: Facts, finding: JudgedFinding, own: readonly WalkedFlow[], rules: readonly VerifyFinding[]): JudgedFinding {
  const difference = rules.find(({ node, severity }) => severity === 'fault' && node === facts.client.node);
  if (difference !== undefined && finding.explains.some(({ stage }) => stage === 'service' || stage === 'dns-server' || stage === 'name'))
    return byRules(facts, finding, difference);
  const flow = own.find(({ heard }) => heard.agreement === 'no-finding');
  return flow?.heard.end === undefined ? finding : byTables(facts, finding, flow, flow.heard.end);
}

/** What captures see lost while the tables let it pass: look for what they do not show. */
const withTablesCleared = (finding: JudgedFinding): JudgedFinding => ({
  ...finding,
  fault: { ...finding.fault, title: `${finding.fault.title}; the tables that were read let it pass` },
});

function byRules(facts: Facts, finding: JudgedFinding, { title, evidence, node, next, fix }: VerifyFinding): JudgedFinding {
  const where = placeOf(facts, evidence, node) ?? { kind: 'Node', name: node, node };
  return { ...finding, fault: { ...finding.fault, title, where, evidence: [...evidence, ...finding.fault.evidence], next, fix } };
}

function byTables(facts: Facts, finding: JudgedFinding, { flow }: WalkedFlow, end: End): JudgedFinding {
  const { place, says, evidence } = end;
  const node = place.kind === 'pod' ? place.node : place.name;
  const where = placeOf(facts, evidence, node) ?? finding.fault.where;
  return {
    ...finding,
    fault: {
      ...finding.fault,
      title: `${describeSource(flow)} -> ${describeTarget(flow)}: ${says}`,
      where,
      evidence: [...evidence, ...finding.fault.evidence],
      ...(isResidual(finding)
        ? {}
        : { fix: ['follow "Way of the packet": correct what first changes or diverts the packets there, or the line that ends them'] }),
    },
  };
}

/** Kinds of places by the output that a line stands in. */
const kinds: readonly (readonly [RegExp, string])[] = [
  [/\/(ip6?tables(-legacy)?-save|nft)$/, 'rule'],
  [/\/ip-route$/, 'route'],
  [/\/ip-rule$/, 'routing rule'],
  [/\/bridge-fdb$/, 'fdb-entry'],
  [/\/ip-neigh$/, 'neighbour'],
  [/\/sysctl$/, 'sysctl'],
  [/\/(ip-link|ip-addr|bridge-link)$/, 'link'],
  [/\/ss$/, 'socket'],
  [/\/conntrack$/, 'conntrack-entry'],
];
const longestName = 120;

/** The deciding line as a place: what it is, and its text. */
function placeOf(facts: Facts, evidence: readonly EvidenceRef[], node: string | undefined): Where | undefined {
  const [ref] = evidence.filter((item) => 'entry' in item && item.lines.length > 0);
  if (ref === undefined || !('entry' in ref)) return undefined;
  const kind = kinds.find(([pattern]) => pattern.test(ref.entry))?.[1];
  const text = quoteEvidence(facts, ref)?.lines[0]?.text.trim();
  if (kind === undefined || text === undefined) return undefined;
  return { kind, name: text.slice(0, longestName), ...(node === undefined ? {} : { node }) };
}
