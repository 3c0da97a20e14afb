import type { Packet } from '../../src/model/packet.ts';
import { type Case, type Flow, loadScript, resetScript, smaller, usedBy } from './case.ts';
import { baseEntries, changedEntries, dumpScript, type Outputs, readDump, stationOf } from './dump.ts';
import { devices, type Lab, routerMac, worldMac } from './lab.ts';
import { isAmong, type Observed, observe } from './observe.ts';
import { endsText, type Prediction, predict, type View, viewAfter } from './predict.ts';
import { frameBytes, packetBytes } from './wire.ts';

/** One packet: what the walk says, and what the kernel did. */
export interface Compared {
  what: 'first' | 'answer' | 'second';
  flow: Flow;
  is: 'agree' | 'differing' | 'insufficient';
  predicted: string;
  observed: string;
}

export type CaseResult = { refused: string } | { compared: Compared[] };

const usualQuiet = 0.012;
const patientQuiet = 0.25;

/** Runs a case; what differs is tried once more, slowly, because a packet may be late on a busy machine. */
export async function runCase(lab: Lab, item: Case): Promise<CaseResult> {
  const result = await runOnce(lab, item, usualQuiet);
  const isSure = 'refused' in result || result.compared.every(({ is }) => is !== 'differing');
  return isSure ? result : runOnce(lab, item, patientQuiet);
}

/** The smallest rules and the one packet that still differ. */
export async function shrink(lab: Lab, item: Case): Promise<Case> {
  let current = item;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const candidate of smaller(current)) {
      const result = await runOnce(lab, candidate, usualQuiet * 2);
      if ('refused' in result || result.compared.every(({ is }) => is !== 'differing')) continue;
      current = candidate;
      isSmaller = true;
      break;
    }
  }
  return current;
}

async function runOnce(lab: Lab, item: Case, quiet: number): Promise<CaseResult> {
  const outputs = await load(lab, item);
  if ('refused' in outputs) return outputs;
  const station = stationOf(outputs);
  const send = (flows: readonly Flow[]) => sendAll(lab, flows, quiet);
  const compared: Compared[] = [];
  const first = item.flows.map((flow) => ({ flow, predicted: predict(station, flow) }));
  const seen = await send(item.flows);
  const through = first.flatMap(({ flow, predicted }) => {
    const observed = observe(flow, seen);
    compared.push(compare('first', flow, predicted, observed));
    return answerable(flow, predicted, observed);
  });
  const answers = through.map(({ answer, view }) => ({ flow: answer, predicted: predict(station, answer, view) }));
  const seenAnswers = answers.length === 0 ? undefined : await send(answers.map(({ flow }) => flow));
  const second: { flow: Flow; predicted: Prediction }[] = [];
  for (const [at, { flow, predicted }] of answers.entries()) {
    if (seenAnswers === undefined) break;
    const observed = observe(flow, seenAnswers);
    compared.push(compare('answer', flow, predicted, observed));
    const again = through[at];
    if (again === undefined || observed.device === undefined || observed.seen?.refusal !== undefined) continue;
    const answer = passageOf(predicted, observed)?.outcome.packet;
    const view = secondView(flow, again.view, answer);
    second.push({ flow: again.again, predicted: predict(station, again.again, view) });
  }
  const seenAgain = second.length === 0 ? undefined : await send(second.map(({ flow }) => flow));
  if (seenAgain !== undefined)
    for (const { flow, predicted } of second) compared.push(compare('second', flow, predicted, observe(flow, seenAgain)));
  return { compared };
}

/** Puts the router back to where it was, loads the case, and reads what the tools then show. */
async function load(lab: Lab, item: Case): Promise<Outputs | { refused: string }> {
  const { agent, memory } = lab;
  memory.base ??= readDump((await agent.run(dumpScript(baseEntries))).out);
  const used = usedBy(item);
  const reset = resetScript(memory.used);
  memory.used = used;
  memory.legacyTables ||= used.legacy;
  const names = changedEntries(item, memory.legacyTables);
  const loaded = await agent.run(`${reset}\n( ${loadScript(item)}\n) >&2 || exit 3\n${dumpScript(names)}`);
  return loaded.code === 3 ? { refused: loaded.err } : { ...memory.base, ...readDump(loaded.out) };
}

function sendAll(lab: Lab, flows: readonly Flow[], quiet: number) {
  const send = flows.flatMap((flow) =>
    flow.device === undefined
      ? []
      : [{ device: devices[flow.device].peer, frame: frameBytes(routerMac(flow.device), worldMac(flow.device), packetBytes(flow)) }],
  );
  const local = flows.flatMap((flow) =>
    flow.device === undefined ? [{ packet: packetBytes(flow), from: flow.source, to: flow.destination, mark: flow.mark }] : [],
  );
  return lab.agent.send({ send, local, quiet });
}

function compare(what: Compared['what'], flow: Flow, { ends, why }: Prediction, { end }: Observed): Compared {
  const is = why !== undefined ? 'insufficient' : isAmong(end, ends) ? 'agree' : 'differing';
  return { what, flow, is, predicted: why ?? ends.join(' or '), observed: end };
}

/**
 * What connection tracking makes of the packet after the answer, which may have changed the connection's mark. Of an answer that a rule hid from it,
 * it knows nothing: then TCP's ACK comes too early and is invalid (tcp_conntracks in nf_conntrack_proto_tcp.c).
 */
function secondView(flow: Flow, known: View, answer: Packet | undefined): View {
  const view: View = { ...known, direction: 'original', mark: answer?.connectionMark ?? known.mark };
  if (answer?.conntrack.state !== 'untracked') return view;
  if (flow.protocol === 'tcp') return { state: 'invalid', status: [], direction: 'original', natSettled: [], mark: 0 };
  return { ...view, state: 'new', status: view.status.filter((status) => status !== 'seen-reply'), mark: known.mark };
}

const passageOf = ({ passages }: Prediction, { end, device }: Observed) =>
  passages.find(({ outcome }) => isAmong(end, [`${device} ${endsText(outcome.packet)}`]));

/** The answer to a packet that came out where the walk said, and the packet that follows. */
function answerable(flow: Flow, predicted: Prediction, { end, seen, device }: Observed): { answer: Flow; again: Flow; view: View }[] {
  if (seen === undefined || device === undefined || seen.refusal !== undefined || predicted.why !== undefined || flow.device === undefined)
    return [];
  const passage = passageOf(predicted, { end, seen, device });
  const view = passage && viewAfter(passage, flow, 'reply', seen);
  if (view === undefined) return [];
  const answer: Flow = {
    ...flow,
    id: flow.id + 1,
    source: seen.destination,
    destination: seen.source,
    sourcePort: flow.protocol === 'icmp' ? seen.sourcePort : seen.destinationPort,
    destinationPort: seen.sourcePort,
    tcpFlags: ['SYN', 'ACK'],
    icmpType: 0,
    device,
    mark: 0,
  };
  return [{ answer, again: { ...flow, id: flow.id + 2, tcpFlags: ['ACK'] }, view }];
}
