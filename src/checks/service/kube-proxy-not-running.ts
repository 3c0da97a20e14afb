import { objectEvidence } from '../../facts/facts.ts';
import { cannotTell, defineCheck, fail, fault, notSeen, pass, skip } from '../check.ts';
import { originNode } from '../traffic.ts';
import { kubeProxyOn } from './kube-proxy-pods.ts';
import { rulesProblem } from './rules-problem.ts';
import { breaksVirtual, nameOf, walkedServices } from './virtual-services.ts';

export const kubeProxyNotRunning = defineCheck({
  meta: {
    id: 'SVC008',
    slug: 'kube-proxy-not-running',
    layer: 'service',
    title: "kube-proxy does not run on the client's node, and its rules there are out of date",
    since: '0.1.0',
    explain: {
      what: 'No kube-proxy runs on the node. The rules that it once wrote stay as they were, so that old Services may go on working while new and changed ones do not.',
      why: "The DaemonSet does not tolerate the node or its selector leaves it out, the pod crashes, is evicted, or can't reach the API server.",
      confirm: [
        'kubectl get pods -n kube-system -o wide -l k8s-app=kube-proxy',
        'kubectl logs -n kube-system -l k8s-app=kube-proxy --tail=50',
      ],
      fix: ['Make the DaemonSet run on the node again (node selector, affinity, taints, resources), or mend what makes the pod crash'],
      notThis: [
        'Clusters without kube-proxy (Cilium, OVN-Kubernetes, k3s): there is no such DaemonSet',
        'A kube-proxy that runs and does not write: SVC010',
      ],
      refs: [
        'https://kubernetes.io/docs/reference/networking/virtual-ips/',
        'https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/',
      ],
    },
  },
  needs: () => [],
  judge: (facts) => {
    const node = facts.client.node;
    if (node === null) return skip('there is no client');
    const state = kubeProxyOn(facts, node);
    if (state.state === 'unknown') return cannotTell('not-collected', state.detail);
    if (state.state === 'not-used') return skip('the cluster has no kube-proxy DaemonSet');
    if (state.state === 'runs') return pass(`kube-proxy runs on node ${node}`, `pod kube-system/${state.pod.metadata.name} is ready`);
    const walked = walkedServices(facts);
    const stale = walked.filter((item) => rulesProblem(facts, item) !== null);
    const sets = facts.daemonSets();
    if (sets.state !== 'seen') return notSeen(sets);
    const set = sets.value.find((item) => /^kube-proxy/.test(item.metadata.name));
    const problem = stale.map(({ virtual }) => nameOf(virtual)).join(' and ');
    return fail(
      fault({
        title: `kube-proxy does not run on node ${node}${state.state === 'not-ready' ? ` (pod ${state.pod.metadata.name} is ${state.pod.status.phase ?? 'not ready'})` : ''}${problem ? `, and the rules there for Service ${problem} are missing or out of date` : ''}`,
        where: { kind: 'DaemonSet', namespace: 'kube-system', name: set?.metadata.name ?? 'kube-proxy', node },
        evidence: [
          ...(set ? [objectEvidence('daemonset', set, '.status', pick(set.status))] : []),
          ...(state.state === 'not-ready'
            ? [objectEvidence('pod', state.pod, '.status.phase', state.pod.status.phase ?? '')]
            : [
                {
                  command: `kubectl get pods -n kube-system -l k8s-app=kube-proxy --field-selector spec.nodeName=${node}`,
                  on: 'API server',
                  lines: [{ number: 1, text: 'No resources found in kube-system namespace.' }],
                },
              ]),
          ...stale.flatMap((item) => rulesProblem(facts, item)?.evidence ?? []).slice(0, 2),
        ],
        next: [
          `kubectl get pods -n kube-system -o wide -l k8s-app=kube-proxy`,
          `kubectl describe daemonset kube-proxy -n kube-system`,
          `kubectl describe node ${node}`,
        ],
        fix: [`make the kube-proxy DaemonSet run on ${node} again: node selector and affinity, tolerations, or what makes its pod fail`],
        breaks: (probe) => originNode(facts, probe) === node && stale.some(({ virtual }) => breaksVirtual(facts, virtual.address)(probe)),
      }),
    );
  },
});

const pick = (status: unknown): Record<string, unknown> => {
  const source = (status ?? {}) as Record<string, unknown>;
  return Object.fromEntries(
    ['desiredNumberScheduled', 'currentNumberScheduled', 'numberReady'].flatMap((key) => (key in source ? [[key, source[key]]] : [])),
  );
};
