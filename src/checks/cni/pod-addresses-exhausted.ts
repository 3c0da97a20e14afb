import type { Facts } from '../../facts/facts.ts';
import { objectEvidence } from '../../facts/facts.ts';
import { sandboxFailureOf } from '../../parse/sandbox-events.ts';
import type { Event, Pod } from '../../schema/kubernetes.ts';
import { defineCheck, fail, fault, notSeen, pass } from '../check.ts';

export const podAddressesExhausted = defineCheck({
  meta: {
    id: 'CNI019',
    slug: 'pod-addresses-exhausted',
    layer: 'cni',
    title: 'A node has no pod addresses left',
    since: '0.1.0',
    explain: {
      what: "New pods on a node stay ContainerCreating, because the CNI's address management has none left for them. Pods that run are not concerned; a Service is, when its new backends can't start.",
      why: "Reservations of pods that are long gone were never released (crashes, failed sandboxes), the node's range is smaller than its number of pods, or the cloud subnet or network card has no free addresses.",
      confirm: [
        'kubectl get events -A --field-selector reason=FailedCreatePodSandBox',
        'ls /var/lib/cni/networks/*   (on the node, for host-local)',
      ],
      fix: [
        'Release what belongs to no pod (drain the node, then remove the stale reservations), or restart the CNI agent',
        'A larger range for each node, fewer pods for each node, or a larger subnet',
      ],
      notThis: [
        '"cni0 already has an IP address different from": the range of the node changed',
        'The image does not come, or a volume does not mount: other events',
      ],
      refs: ['https://www.cni.dev/plugins/current/ipam/host-local/', 'https://github.com/k3s-io/k3s/issues/5885'],
    },
  },
  needs: (facts) => [facts.events(), facts.pods(facts.target.namespace)],
  judge: (facts) => {
    const events = facts.events();
    if (events.state !== 'seen') return notSeen(events);
    const stuck = events.value.flatMap((event) => stuckPod(facts, event));
    const byNode = new Map<string, { pod: Pod; event: Event }[]>();
    for (const item of stuck) byNode.set(item.pod.spec.nodeName ?? '', [...(byNode.get(item.pod.spec.nodeName ?? '') ?? []), item]);
    if (byNode.size === 0) return pass('no pod waits for an address', `kubectl get events -n ${facts.target.namespace}`);
    return fail(
      ...[...byNode].map(([node, items]) => {
        const { pod, event } = items[0] as { pod: Pod; event: Event };
        const names = [...new Set(items.map((item) => item.pod.metadata.name))];
        return fault({
          title: `node ${node} has no pod addresses left: pod ${names[0]}${names.length > 1 ? ` and ${names.length - 1} more` : ''} can't start ("${detailOf(event)}")`,
          where: { kind: 'Node', name: node, node },
          evidence: [objectEvidence('event', event, '.message', event.message ?? '')],
          next: [
            `kubectl describe pod -n ${pod.metadata.namespace} ${pod.metadata.name}`,
            `kubectl get pods -A -o wide --field-selector spec.nodeName=${node}`,
          ],
          fix: [
            `release the reservations on ${node} that belong to no pod (host-local keeps them in /var/lib/cni/networks), or give its range more addresses`,
          ],
          breaks: () => false,
          noteOnly: true,
        });
      }),
    );
  },
});

/** Events stay for an hour: only those of a pod that still waits count. */
function stuckPod(facts: Facts, event: Event): { pod: Pod; event: Event }[] {
  if (sandboxFailureOf(event.message ?? '')?.failure !== 'no-addresses-left' || event.involvedObject.kind !== 'Pod') return [];
  const pod = facts.pod(event.involvedObject.namespace ?? facts.target.namespace, event.involvedObject.name ?? '');
  return pod && pod.status.phase === 'Pending' ? [{ pod, event }] : [];
}

const detailOf = (event: Event): string =>
  /no IP addresses available[^"]*|failed to assign an IP address[^"]*|insufficient[^"]*/i
    .exec(event.message ?? '')?.[0]
    .trim()
    .slice(0, 120) ?? (event.message ?? '').slice(-100);
