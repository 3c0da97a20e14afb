import { judgeSnapshot } from '../../src/app/diagnose.ts';
import { verifySnapshot } from '../../src/app/verify.ts';
import { createFacts, type Facts } from '../../src/facts/facts.ts';
import { type Flow, fateOf, type Trace } from '../../src/model/trace.ts';
import type { Evidence } from '../../src/schema/evidence.ts';
import type { Report } from '../../src/schema/report.ts';
import type { Snapshot } from '../../src/snapshot/snapshot.ts';
import { quoteEvidence } from '../../src/tree/quote.ts';
import { traceFlow } from '../../src/walk/trace.ts';
import type { Mark } from './capture-truth.ts';
import { markIntent, markWalk, type WalkedPacket, walkTruth } from './walk-truth.ts';

/** What a recording of a fault shows of the walk, of verify, and of what the report quotes. */
export interface WalkedBundle {
  walk: Mark;
  intent: Mark;
  /** A fault of the report has a line by which the tables end the packets, or that a difference of the rules rests on. */
  quoted: Mark;
  report: Report;
  says: string;
}

/** Judges one recording: the walk alone, without its probes; verify; and the report. */
export function judgeWalk(fault: string, mode: string, snapshot: Snapshot): WalkedBundle {
  const facts = createFacts(snapshot);
  const truth = walkTruth(fault, mode);
  const lost = traceFlow(facts, flowOf(facts, truth?.packet ?? 'service')).filter(({ disposition }) => fateOf(disposition) === 'lost');
  const ends = lost.map((trace) => ({ at: placeOf(trace), quoted: decidingLines(facts, trace) }));
  const walk = markWalk(
    truth,
    ends.map(({ at, quoted }) => ({ at, lines: linesOf(quoted) })),
  );
  const { findings } = verifySnapshot(snapshot).report;
  const blamed = findings.filter(({ severity }) => severity === 'fault');
  const intent = markIntent(
    fault,
    blamed.map(({ node, kind }) => `${node} ${kind}`),
  );
  const { report } = judgeSnapshot(snapshot, facts);
  const proof = [...ends.flatMap(({ quoted }) => quoted), ...blamed.flatMap(({ evidence }) => evidence)];
  const says = [...lost.map((trace) => `${placeOf(trace)}: ${trace.why}`), ...blamed.map(({ title }) => title)];
  return { walk, intent, quoted: markQuoted(report, truth !== undefined, proof), report, says: [...new Set(says)].join('; ') };
}

/** Of two faults at once the packet meets one; it is the report that has to quote its line, in whichever finding. */
function markQuoted({ findings }: Report, inTables: boolean, proof: readonly Evidence[]): Mark {
  const faults = findings.filter(({ severity }) => severity === 'fault');
  if (!inTables || faults.length === 0) return 'n/a';
  const keys = new Set(proof.flatMap(keysOf));
  return faults.flatMap(({ evidence }) => evidence.flatMap(keysOf)).some((key) => keys.has(key)) ? 'right' : 'wrong';
}

const keysOf = ({ on, lines }: Evidence): string[] => lines.map(({ number, text }) => `${on} ${number} ${text}`);
const linesOf = (quoted: readonly Evidence[]): string[] => quoted.flatMap(({ lines }) => lines.map(({ text }) => text));

function placeOf({ hops }: Trace): string {
  const hop = hops.at(-1);
  return `${hop?.direction} ${hop?.place.kind} ${hop?.place.namespace === undefined ? '' : `${hop.place.namespace}/`}${hop?.place.name}`;
}

const decidingLines = (facts: Facts, { hops }: Trace): Evidence[] =>
  (hops.at(-1)?.steps.at(-1)?.evidence ?? []).flatMap((reference) => quoteEvidence(facts, reference) ?? []);

function flowOf(facts: Facts, packet: WalkedPacket): Flow {
  const { from: client, target } = facts.request;
  const from: Flow['from'] = { kind: 'pod', namespace: client.namespace ?? '', name: client.name };
  const dns: Flow = {
    from,
    to: { kind: 'service', namespace: 'kube-system', name: 'kube-dns', port: undefined },
    protocol: 'udp',
    packet: 'first',
  };
  const { namespace, name } = target;
  const service: Flow = { from, to: { kind: 'service', namespace, name, port: undefined }, protocol: 'tcp', packet: 'first' };
  switch (packet) {
    case 'dns':
      return dns;
    case 'full':
      return { ...service, length: 'full' };
    case 'pinned':
      return pinned(facts, service, dns);
    case 'service':
      return service;
  }
}

/** The flow of an entry that leads to the pod that is gone. */
function pinned(facts: Facts, service: Flow, dns: Flow): Flow {
  const table = facts.nodeNet(facts.client.node ?? '').conntrack();
  const entry = table.state === 'seen' ? table.value.flows.find(({ reply }) => reply.src === '10.244.2.250') : undefined;
  const flow = entry?.protocol === 'udp' ? dns : service;
  return { ...flow, ...(entry?.original.sport === undefined ? {} : { sourcePort: entry.original.sport }) };
}
