import { failed, type ProbeResult } from '../facts/probe-results.ts';
import type { EvidenceRef } from '../model/evidence.ts';
import type { HopPlace } from '../model/trace.ts';
import type { Agreement } from '../model/witness.ts';
import type { JudgedFinding } from './judge.ts';

/** What one witness says of the packets of one flow. Tables are one, captures another; each is heard by itself and against the probes. */
export interface Testimony {
  /** How it is named in a sentence: "by the tables". */
  by: string;
  /** Share of the packets that end before they get there and back, and of those of which it can't tell; 0 to 1. */
  lost: number;
  unknown: number;
  /** Where packets end, the most telling first. */
  ends: readonly End[];
  /** Where it sees nothing lost, in words: "rules, routes and devices of n1, n2 leave the way there and back open". */
  open: string;
  /** Why it can't tell, where it can't. */
  doubt: string | null;
}

/** A place where packets end. */
export interface End {
  place: HopPlace;
  /** One sentence: where and why. */
  says: string;
  /** The lines that decide it; empty for a witness that sees only the place. */
  evidence: readonly EvidenceRef[];
  /** The lines by which the packets came there, for a witness that sees them. */
  ledBy?: readonly EvidenceRef[];
}

/** How a testimony fits the probes of its flow. */
export interface Heard {
  agreement: Agreement;
  /** One sentence, without the flow. */
  says: string;
  /** The finding that it was held against, and the end that decided. */
  finding: JudgedFinding | undefined;
  end: End | undefined;
}

/**
 * Holds what one witness says of a flow against what the probes of the flow saw and against the findings that explain them. Probes come first: a
 * witness that contradicts those that passed is told, and gives no ground for a finding.
 */
export function hear(testimony: Testimony, probes: readonly ProbeResult[], findings: readonly JudgedFinding[]): Heard {
  const { by } = testimony;
  const seen = countTries(probes);
  const told = (agreement: Agreement, says: string, end?: End, finding?: JudgedFinding): Heard => ({ agreement, says, finding, end });
  if (testimony.lost === 0 && testimony.unknown > 0) return told('cannot-tell', `${by} it can't be told: ${testimony.doubt ?? 'not read'}`);
  if (testimony.lost > 0 && seen.lost === 0)
    return unlikely(testimony, seen.tries) ? contradicted(testimony, seen.tries, told) : chance(by, told);
  if (testimony.lost > 0)
    return judgeEnds(
      testimony,
      findings.filter((finding) => explains(finding, probes)),
      told,
    );
  if (seen.failed === 0) return told('both-pass', `${by} too it gets there and back`);
  if (seen.lost === 0)
    return told('packets-pass', `${by} too nothing stops the packets: what failed is the answer itself (${causesOf(probes)})`);
  return passed(
    testimony,
    findings.find((finding) => explains(finding, probes)),
    told,
  );
}

type Tell = (agreement: Agreement, says: string, end?: End, finding?: JudgedFinding) => Heard;

/** Failures that only an answer can give: the packets have got there and back. */
const answeredCauses: ReadonlySet<string> = new Set([
  'no-answer',
  'nxdomain',
  'servfail',
  'dns-refused',
  'no-address',
  'empty-reply',
  'tls',
  'name',
]);

/** What failed in the answers, in the words of the probes. */
const causesOf = (probes: readonly ProbeResult[]): string =>
  [
    ...new Set(
      probes
        .filter(({ unknown }) => unknown === null)
        .flatMap(failed)
        .flatMap(({ cause }) => cause ?? []),
    ),
  ].join(', ');

function countTries(probes: readonly ProbeResult[]): { tries: number; failed: number; lost: number } {
  const known = probes.filter((probe) => probe.unknown === null);
  const failures = known.flatMap(failed);
  return {
    tries: known.reduce((sum, probe) => sum + probe.tries.length, 0),
    failed: failures.length,
    lost: failures.filter(({ cause }) => !answeredCauses.has(cause ?? '')).length,
  };
}

/** With less than one chance in ten thousand all tries would have met the ways that get there. */
const unlikely = ({ lost }: Testimony, tries: number): boolean => tries > 0 && (1 - lost) ** tries < 1e-4;

const chance = (by: string, told: Tell): Heard => told('cannot-tell', `${by} some ways end before, and the tries may have met the others`);

function contradicted({ by, ends }: Testimony, tries: number, told: Tell): Heard {
  const [end] = ends;
  return told(
    'witness-loses',
    `${tries} of ${tries} tries get through, though ${by} packets end before (${end?.says ?? 'no place is named'}): they were read at another moment, or something carries the packets that they do not show; no ground for a finding`,
    end,
  );
}

function passed({ open }: Testimony, finding: JudgedFinding | undefined, told: Tell): Heard {
  const outside = 'look outside of the nodes (a firewall or filter between them), or at what has changed meanwhile';
  const none = finding === undefined || isResidual(finding);
  return told('witness-passes', `${open}: ${none ? outside : `what ${finding.meta.id} names is none of them`}`, undefined, finding);
}

function judgeEnds({ by, ends }: Testimony, findings: readonly JudgedFinding[], told: Tell): Heard {
  const [first] = ends;
  if (first === undefined) return told('cannot-tell', `${by} packets are lost, and no place is named`);
  for (const finding of findings)
    for (const end of ends)
      if (quotesEnd(finding, end)) return told('same-line', `${by} packets end on the line that is quoted: ${end.says}`, end, finding);
  const named = findings.filter((item) => !isWithoutCause(item));
  for (const finding of named)
    for (const end of ends)
      if (isSamePlace(finding, end)) return told('same-place', `${by} packets end there too: ${end.says}`, end, finding);
  for (const finding of named)
    for (const end of ends)
      if (led(finding, end)) return told('follows', `${by} ${end.says}; packets come there by what ${finding.meta.id} names`, end, finding);
  const [other] = named;
  if (other === undefined) return told('no-finding', `${by} ${first.says}`, first, findings[0]);
  const { id } = other.meta;
  if (other.fault.where.node === undefined)
    return told('follows', `${by} ${first.says}; what ${id} names stands in the API or in a configuration`, first, other);
  return told('elsewhere', `${by} ${first.says}; ${id} names another place`, first, other);
}

/** What stands for "no cause was found". */
export const isResidual = ({ meta }: JudgedFinding): boolean => meta.slug.endsWith('-unexplained');

/** Captures name a place and no cause: where the tables have one, it is that. */
export const isWithoutCause = (finding: JudgedFinding): boolean => isResidual(finding) || finding.meta.slug === 'packets-lost-on-node';

const explains = ({ severity, fault }: JudgedFinding, probes: readonly ProbeResult[]): boolean =>
  severity === 'fault' && probes.some((probe) => fault.breaks(probe));

const quotesEnd = ({ fault }: JudgedFinding, end: End): boolean =>
  fault.evidence.some((one) => end.evidence.some((other) => sharesLine(one, other)));

/** Whether the packets met a line of the finding before they came to their end. */
const led = ({ fault }: JudgedFinding, { ledBy = [] }: End): boolean =>
  fault.evidence.some((one) => hasLines(one) && ledBy.some((other) => hasLines(other) && sharesLine(one, other)));

/** Whether a reference is to lines, and not to an output as a whole. */
export const hasLines = (ref: EvidenceRef): boolean => 'entry' in ref && ref.lines.length > 0;

/** Whether two references point at one line of one output; a reference without lines is to the output as a whole. */
export function sharesLine(one: EvidenceRef, other: EvidenceRef): boolean {
  if (!('entry' in one) || !('entry' in other) || one.entry !== other.entry) return false;
  return one.lines.length === 0 || other.lines.length === 0 || one.lines.some((line) => other.lines.includes(line));
}

function isSamePlace({ fault: { where } }: JudgedFinding, { place }: End): boolean {
  if (place.kind === 'pod' && where.kind === 'Pod') return where.name === place.name && where.namespace === place.namespace;
  const node = place.kind === 'pod' ? place.node : place.name;
  return where.node !== undefined && where.node === node;
}
