import type { NamespaceFacts } from '../../facts/node-facts.ts';
import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import type { NetfilterRuleset } from '../../model/netfilter.ts';
import type { Reason } from '../../model/observed.ts';
import type { Decision, Outcome } from '../../walk/netfilter.ts';
import {
  asReply,
  deviceFor,
  entryOfDecision,
  type Flow,
  packetOf,
  rulesetsOf,
  stopOf,
  walkForwarded,
  walkHook,
} from '../../walk/node-rules.ts';

/** A network namespace that DNS packets pass, and how they pass it. */
export interface Station {
  net: NamespaceFacts;
  /** "node n1", "pod default/client". */
  name: string;
  node: string | null;
  /** Whose namespace it is: the client's own, a node that forwards, or a DNS pod's own. */
  kind: 'client' | 'node' | 'dns-pod';
  passes: 'sends' | 'forwards' | 'receives';
}

/** A rule that stops DNS and nothing like it on other ports. */
export interface PortStop {
  station: Station;
  protocol: 'udp' | 'tcp';
  direction: 'query' | 'answer';
  /** The DNS pod or the DNS Service's ClusterIP. */
  server: string;
  decision: Decision;
  rejectWith: string | null;
  evidence: EvidenceRef;
}

export interface Walked {
  stops: PortStop[];
  /** Places that could not be told. */
  unknown: { station: Station; reason: Reason; detail: string /** Some of its rules were read. */; partly: boolean }[];
}

/** A port that no rule for DNS would name. */
const otherPort = 40_053;

/**
 * Sends queries and answers, over UDP and TCP, through the rules of a station, and looks whether a rule that is particular to port 53 stops
 * them: the same packet to another port is let through. What stops both is no matter of DNS.
 */
export function walkPort(station: Station, client: string, servers: readonly string[]): Walked {
  const rulesets = rulesetsOf(station.net);
  if (rulesets.state === 'absent') return { stops: [], unknown: [] };
  if (rulesets.state === 'unknown')
    return { stops: [], unknown: [{ station, reason: rulesets.reason, detail: rulesets.detail, partly: false }] };
  const walked: Walked = { stops: [], unknown: [] };
  if (!rulesets.complete)
    walked.unknown.push({
      station,
      reason: 'not-collected',
      detail: 'not all of iptables-nft, iptables-legacy and nft were read and understood',
      partly: true,
    });
  for (const server of servers)
    for (const protocol of ['udp', 'tcp'] as const)
      for (const direction of ['query', 'answer'] as const) {
        const outcomes = send(station, rulesets.value, { client, server, protocol, direction, port: 53 });
        const stop = stopOf(outcomes);
        if (!stop) {
          const doubt = outcomes.find((outcome) => outcome.verdict === 'insufficient-info');
          if (doubt)
            walked.unknown.push({
              station,
              reason: 'unsupported',
              partly: true,
              detail: `${station.name}: ${doubt.why ?? 'a rule that is not understood decides'}`,
            });
          continue;
        }
        const elsewhere = stopOf(send(station, rulesets.value, { client, server, protocol, direction, port: otherPort }));
        if (elsewhere && sameDecision(elsewhere.decision, stop.decision)) continue;
        if (isKubeProxys(stop.decision)) continue;
        // kube-proxy itself refuses other ports of a ClusterIP: nothing was learnt of what comes after it in the same hook.
        if (elsewhere && isKubeProxys(elsewhere.decision) && hookOf(elsewhere) === hookOf(stop)) continue;
        walked.stops.push({
          station,
          protocol,
          direction,
          server,
          decision: stop.decision,
          rejectWith: stop.outcome.rejectWith ?? null,
          evidence: evidence(entryOfDecision(station.net, stop.decision), stop.decision.line),
        });
      }
  return walked;
}

const hookOf = ({ outcome, decision }: { outcome: Outcome; decision: Decision }): string | undefined =>
  outcome.steps.findLast((step) => step.source === decision.source && step.line === decision.line)?.hook;

interface Query {
  client: string;
  server: string;
  protocol: 'udp' | 'tcp';
  direction: 'query' | 'answer';
  port: number;
}

function send(station: Station, rulesets: readonly NetfilterRuleset[], { client, server, protocol, direction, port }: Query): Outcome[] {
  const answer = direction === 'answer';
  const flow: Flow = answer
    ? { source: server, destination: client, protocol, sourcePort: port, destinationPort: 45_678 }
    : { source: client, destination: server, protocol, destinationPort: port };
  const { net, passes } = station;
  if (passes === 'forwards') return walkForwarded(net, rulesets, flow, answer);
  // The end that sends the query takes the answer in, and the other way round.
  const leaves = (passes === 'sends') !== answer;
  const packet = packetOf(flow, leaves ? { out: deviceFor(net, flow.destination) } : { in: deviceFor(net, flow.source) });
  const asSent = answer ? asReply(packet) : packet;
  return (
    (leaves ? (['output', 'postrouting'] as const) : (['prerouting', 'input'] as const))
      .map((hook) => walkHook(net, rulesets, hook, asSent))
      .find((outcomes) => stopOf(outcomes)) ?? walkHook(net, rulesets, leaves ? 'output' : 'input', asSent)
  );
}

const sameDecision = (a: Decision, b: Decision): boolean =>
  a.source === b.source && a.table === b.table && a.chain === b.chain && a.line === b.line;

/** kube-proxy's own rejects for a Service without endpoints are about the Service, not about a filter. */
const isKubeProxys = (decision: Decision): boolean => decision.chain.startsWith('KUBE-') || decision.table === 'kube-proxy';
