import type { CaptureReport } from '../schema/capture-report.ts';
import type { Finding, Report } from '../schema/report.ts';

type Loss = CaptureReport['losses'][number];
type Witnesses = NonNullable<Report['witnesses']>;
type Confidence = Report['verdict']['confidence'];

/**
 * Holds what captures saw, with the kernel's drop reasons and the counters, against the findings, which come from probes and tables: where they name the same
 * place, that raises confidence; where they do not, that is said in plain words and lowers it. The findings themselves stay as they are.
 */
export function withWitnesses(report: Report): Report {
  const { capture } = report;
  if (!capture) return report;
  // What rests on the captures themselves is no second witness.
  const faults = report.findings.filter(({ severity, slug }) => severity === 'fault' && slug !== 'packets-lost-on-node');
  const witnesses = capture.losses.flatMap((loss): Witnesses => (loss.where ? [compare(loss, faults, capture)] : []));
  const network = faults.find(({ layer }) => layer === 'cni');
  if (capture.answered + (capture.arrived ?? 0) === capture.tries && network)
    witnesses.push({ agreement: 'silent', says: silence(capture, network) });
  return { ...report, verdict: { ...report.verdict, confidence: confidenceOf(report.verdict.confidence, witnesses) }, witnesses };
}

function compare(loss: Loss, faults: readonly Finding[], capture: CaptureReport): Witnesses[number] {
  const seen = `captures see ${loss.direction === 'reply' ? 'the answers' : 'the requests'} of ${loss.tries} tries end ${placeText(loss)}${agreeing(loss)}`;
  const same = faults.find((finding) => isSamePlace(finding, loss));
  if (same) return { agreement: 'same-place', says: `${seen}, where ${same.id} says${clearing(loss, capture)}` };
  const [other] = faults.filter(({ where, slug }) => where.node !== undefined && !slug.endsWith('unexplained'));
  if (!other)
    return {
      agreement: 'alone',
      says: `${seen}: ${loss.says}${clearing(loss, capture)}; ${outside(loss, capture)}`,
    };
  return {
    agreement: 'elsewhere',
    says: `${seen} (${loss.says}), and ${other.id} names node ${other.where.node}: one of the two is another fault, or not the cause${clearing(loss, capture)}`,
  };
}

/** A network fault is named by both of its ends. */
function isSamePlace({ where }: Finding, loss: Loss): boolean {
  const names = loss.where?.names ?? [];
  const [place = ''] = names;
  if (loss.where?.kind === 'pod' && where.kind === 'Pod' && place.endsWith(`/${where.name}`)) return true;
  if (where.node !== undefined) return names.includes(where.node);
  return loss.where?.kind === 'between'
    ? names.every((name) => where.name.includes(name))
    : where.kind === 'Node' && names.includes(where.name);
}

function placeText({ where }: Loss): string {
  const [first = '', second = ''] = where?.names ?? [];
  if (where?.kind === 'between') return `between node ${first} and node ${second}, in this direction`;
  if (where?.kind === 'node') return `on node ${first}`;
  return where?.kind === 'pod-link' ? `between ${first} and its node ${second}` : `in ${first}`;
}

/** What the kernel and the counters add. */
function agreeing({ dropReason, counter }: Loss): string {
  const reason = dropReason ? `the kernel calls it ${dropReason.reason}` : '';
  const counted = counter ? `${counter.place} counts it (${counter.name} +${counter.by})` : '';
  const parts = [reason, counted].filter(Boolean);
  return parts.length > 0 ? ` (${parts.join(', and ')})` : '';
}

/** Counters that stand still are a witness too: neither node threw anything away while packets were lost between them. */
function clearing({ where, counter }: Loss, { counters }: CaptureReport): string {
  if (where?.kind !== 'between' || counter) return '';
  const nodes = where.names.map((name) => `node ${name}`);
  const isQuiet = !counters.some(({ place, ends }) => ends && nodes.includes(place));
  return isQuiet ? `; no counter of lost packets moved on ${nodes.join(' or ')} meanwhile` : '';
}

function outside({ kind, where, counter }: Loss, { arrived }: CaptureReport): string {
  if (arrived !== undefined && kind === 'refused' && where?.kind === 'pod') return '`ss -lun` in that pod shows what it listens on';
  if (arrived !== undefined && where?.kind !== 'between')
    return 'no probe of UDP was held against the tables: `k8snet trace --udp` follows it through them';
  if (counter?.kind === 'rule' || counter?.kind === 'policy') return `look at what counts them, ${counter.name}`;
  return where?.kind === 'between'
    ? 'look outside of the nodes: a firewall, security group or switch between them'
    : "look for what the node's tables do not show: programs at tc or XDP, Open vSwitch, a security agent, the driver";
}

const silence = ({ tries }: CaptureReport, { id }: Finding): string =>
  `all ${tries} captured tries came through: what ${id} names does not lose every connection, or not any more`;

const levels: readonly Confidence[] = ['low', 'medium', 'high'];

/** One step up where all losses are where the findings say, one down where one is elsewhere. */
function confidenceOf(now: Confidence, witnesses: Witnesses): Confidence {
  const of = (agreement: Witnesses[number]['agreement']): number => witnesses.filter((item) => item.agreement === agreement).length;
  const step = of('elsewhere') > 0 ? -1 : of('same-place') > 0 && of('same-place') === witnesses.length ? 1 : 0;
  return levels[Math.min(2, Math.max(0, levels.indexOf(now) + step))] ?? now;
}
