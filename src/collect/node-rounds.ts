import type { Pod } from '../schema/kubernetes.ts';
import type { Entry, RanOn } from '../snapshot/entry.ts';
import { asReason } from './api-round.ts';
import { clientPod, namespaceName, podsOfNode, serviceAddresses, toNamespaces } from './flow.ts';
import { clientSections, localProbes, nodeOriginProbes } from './flow-probes.ts';
import type { Kubectl } from './kubectl.ts';
import { answersNot } from './node-access.ts';
import type { CollectOptions } from './options.ts';
import type { Plan } from './plan.ts';
import type { ReadFailure } from './reader.ts';
import type { Section } from './script.ts';
import { conntrackSection, nodeDetailSections, nodeSections, podSections, routeGetSection } from './sections.ts';
import { runSections, type Session } from './session.ts';

export function runOnNode(
  kubectl: Kubectl,
  session: Session,
  node: string,
  sections: readonly Section[],
  pods: readonly Pod[],
): Promise<Entry[]> {
  return runSections(kubectl, session, sections, toNamespaces(pods), (section) => ranOn(section.key, node), 45_000);
}

export async function runInClient(kubectl: Kubectl, plan: Plan, nodeFailure: ReadFailure | null): Promise<Entry[]> {
  const { namespace = '', name, node } = plan.client;
  const session: Session = { tier: 'client-pod', namespace, pod: name, container: undefined };
  // Where the node did not answer, its kubelet may not exec either.
  const deaf =
    nodeFailure && (nodeFailure.reason === 'timeout' || nodeFailure.reason === 'unreachable') ? await answersNot(kubectl, session) : null;
  if (deaf) return failedEntries(clientSections(plan), deaf, { kind: 'pod', namespace, name });
  return runSections(kubectl, session, clientSections(plan), [], (section) => ranOn(section.key, node ?? ''), 45_000);
}

/** State of the other nodes and of the pods on them, each node's own way to its pods, and the way back to the client. */
export async function secondRound(
  kubectl: Kubectl,
  options: CollectOptions,
  plan: Plan,
  node: string,
  session: Session | undefined,
  failure: { reason: string; detail: string } | null,
): Promise<Entry[]> {
  const isClientNode = node === plan.client.node;
  const pods = podsOfNode(plan, node);
  const clientIP = clientPod(plan)?.status.podIP;
  const local = [...plan.endpoints, ...plan.dnsEndpoints].filter((endpoint) => endpoint.nodeName === node);
  const remote = [...plan.endpoints, ...plan.dnsEndpoints].filter((endpoint) => endpoint.nodeName !== node);
  const own = isClientNode ? [] : nodeSections(node);
  const details =
    options.everything || !isClientNode
      ? nodeDetailSections(node)
      : nodeDetailSections(node).filter((section) => !section.key.endsWith('ip6tables-save'));
  const flows = isClientNode
    ? remote.map((endpoint) => ({ from: clientIP ?? '', to: endpoint.address }))
    : local.map((endpoint) => ({ from: endpoint.address, to: clientIP ?? '' }));
  const usable = flows.filter((flow) => flow.from !== '' && flow.to !== '').slice(0, 12);
  const sections: Section[] = [
    ...own,
    ...details,
    ...(usable.length > 0 ? [routeGetSection(node, usable, `node/${node}/route`)] : []),
    conntrackSection(
      node,
      [
        ...serviceAddresses(plan.service),
        ...serviceAddresses(plan.dnsService),
        ...plan.endpoints.slice(0, 6).map((endpoint) => endpoint.address),
      ].slice(0, 10),
      `node/${node}/conntrack`,
    ),
    ...pods
      .filter((pod) => !pod.spec.hostNetwork && pod !== clientPod(plan))
      .flatMap((pod) => podSections(pod.metadata.namespace ?? '', pod.metadata.name, namespaceName(pod), `pod/${pod.metadata.name}`)),
    ...(isClientNode ? (plan.client.kind === 'Pod' ? nodeOriginProbes(plan, node) : []) : localProbes(plan, node, local, clientIP)),
  ];
  if (!session) return failedEntries(sections, failure, { kind: 'node', name: node });
  const allowed = session.tier === 'node-pod' ? sections : sections.filter((section) => !section.shell.startsWith('NS=p'));
  return [
    ...(await runOnNode(kubectl, session, node, allowed, pods)),
    ...failedEntries(
      sections.filter((section) => !allowed.includes(section)),
      { reason: 'not-collected', detail: 'a pod can only be entered from a node pod' },
      { kind: 'node', name: node },
    ),
  ];
}

export function failedEntries(sections: readonly Section[], failure: { reason: string; detail: string } | null, on: RanOn): Entry[] {
  const reason = asReason((failure?.reason ?? 'not-collected') as Parameters<typeof asReason>[0]);
  return sections.map((section) => ({
    key: section.key,
    command: section.command,
    on,
    exit: null,
    stdout: '',
    stderr: '',
    failure: { reason, detail: failure?.detail ?? 'the node was not reached' },
  }));
}

/** An entry belongs to the pod that its key names, else to the node. */
export function ranOn(key: string, node: string): RanOn {
  const match = /^(?:probe\/)?pod\/([^/]+)\/([^/]+)\//.exec(key);
  return match ? { kind: 'pod', namespace: match[1] as string, name: match[2] as string } : { kind: 'node', name: node };
}
