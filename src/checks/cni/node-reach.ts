import type { Facts } from '../../facts/facts.ts';
import { isFailing, isPassing, type ProbeResult } from '../../facts/probe-results.ts';
import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import type { Neighbour } from '../../model/link.ts';

/** Whether one node reaches another at all, past every overlay. */
export interface NodeReach {
  from: string;
  to: string;
  state: 'answers' | 'silent' | 'unknown';
  probe: ProbeResult;
  evidence: EvidenceRef[];
  /** The neighbour entry for the far node, where it is unresolved: not even ARP was answered. */
  unresolved: Neighbour | undefined;
}

/** What the probes from node to node showed. Silence needs both: no echo, and no answer from the kubelet's port (or from ARP). */
export function nodeReaches(facts: Facts): NodeReach[] {
  return facts.probesOf('node').flatMap((probe) => {
    const to = facts.nodeOf(probe.target);
    return probe.origin.kind === 'node' && to !== null ? [reachOf(facts, probe, probe.origin.name, to)] : [];
  });
}

function reachOf(facts: Facts, probe: ProbeResult, from: string, to: string): NodeReach {
  const neighbours = facts.nodeNet(from).neighbours();
  const entry = neighbours.state === 'seen' ? neighbours.value.find((item) => item.address === probe.target) : undefined;
  const unresolved = entry && (entry.states.includes('FAILED') || entry.states.includes('INCOMPLETE')) ? entry : undefined;
  const kubelet = kubeletAnswer(facts, probe);
  const base = {
    from,
    to,
    probe,
    unresolved,
    evidence: [
      evidence(probe.id, ...probe.tries.flatMap((item) => item.lines)),
      ...(kubelet
        ? [{ command: `nc -vz ${probe.target} 10250`, on: `node ${from}`, lines: [{ number: kubelet.line, text: kubelet.text }] }]
        : []),
      ...(unresolved ? [evidence(`node/${from}/ip-neigh`, unresolved.line)] : []),
    ],
  };
  if (isPassing(probe) || kubelet?.answers) return { ...base, state: 'answers' };
  if (!isFailing(probe)) return { ...base, state: 'unknown' };
  return { ...base, state: kubelet || unresolved ? 'silent' : 'unknown' };
}

/** The connect to the kubelet's port that follows unanswered echo requests: open and refused both mean that somebody is there. */
function kubeletAnswer(facts: Facts, probe: ProbeResult): { answers: boolean; line: number; text: string } | undefined {
  const lines = facts.snapshot.entries.get(probe.id)?.stdout.split('\n') ?? [];
  const start = lines.indexOf('k8snet-kubelet');
  const match = start < 0 ? null : /^k8snet-try \d+ rc=(\d+)/.exec(lines[start + 1] ?? '');
  if (!match) return undefined;
  const words = lines.slice(start + 2).join('\n');
  if (/no tool that can connect/.test(words)) return undefined;
  const last = lines.findLastIndex((line) => line.trim() !== '');
  const line = Math.max(start + 2, last + 1);
  return { answers: match[1] === '0' || /refused/i.test(words), line, text: lines[line - 1] ?? '' };
}
