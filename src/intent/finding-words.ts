import type { DifferenceKind } from './compare.ts';
import type { Origin } from './flows.ts';
import type { Front } from './node-plan.ts';
import { describeFront } from './peers.ts';
import type { Verified } from './verification.ts';

/** One sentence: what the node does, to which Services, and the proof in short. */
export function titleOf(
  node: string,
  { difference, explained }: Verified,
  fronts: readonly Front[],
  why: string,
  from: readonly Origin[],
): string {
  const [front, ...others] = fronts.map(describeFront);
  const subject = others.length === 0 ? `${front}` : `${fronts.length} Service addresses (${front}, …)`;
  const it = `node ${node}: ${subject}`;
  switch (explained.kind) {
    case 'missing':
      return `node ${node}: no rule of kube-proxy ${difference.expects === 'translated' ? 'translates' : 'refuses'} ${subject}: ${why}`;
    case 'unhooked':
      return `node ${node}: no packet comes to the rules for ${subject}: ${why}`;
    case 'shadowed':
      return `node ${node}: another rule takes packets to ${subject} before kube-proxy's do: ${why}`;
    case 'stopped-after':
      return `${it} ${others.length === 0 ? 'is' : 'are'} translated as meant, and then stopped: ${why}`;
    case 'doubled':
    case 'stale-endpoint':
    case 'missing-endpoint':
      return `${it} ${others.length === 0 ? difference.is : difference.is.replace(/^is /, 'are ')}`;
    default:
      return `${it} ${difference.is}; it ought ${difference.should}${from.length === 0 ? '' : ` (from ${from.map((origin) => originWords[origin]).join(', ')})`}`;
  }
}

const originWords: Record<Origin, string> = {
  pod: 'a pod of the node',
  endpoint: 'an endpoint to itself',
  node: 'the node itself',
  outside: 'outside',
  barred: 'outside of the source ranges',
};

/** Commands to type next. What stops the packets of pods does not meet those of the node itself, and is no matter of kube-proxy. */
export const nextOf = (node: string, { planned: { port } }: Front, kind: DifferenceKind, from: readonly Origin[]): string[] => {
  const diagnose = `k8snet diagnose svc/${port.name} -n ${port.namespace}`;
  if (kind !== 'stopped-after') return [`${diagnose} --from node/${node}`, kubeProxyOf(node)];
  return from.includes('node')
    ? [`${diagnose} --from node/${node}`]
    : [`kubectl get pods -A --field-selector spec.nodeName=${node} -o wide`, `${diagnose} --from pod/NAMESPACE/NAME`];
};

const kubeProxyOf = (node: string): string =>
  `kubectl get pods -n kube-system -l k8s-app=kube-proxy --field-selector spec.nodeName=${node} -o wide`;

const restart =
  'Restart kube-proxy on NODE, which writes all of its rules anew: `kubectl delete pod -n kube-system -l k8s-app=kube-proxy --field-selector spec.nodeName=NODE`';
const fixes: Record<DifferenceKind, readonly string[]> = {
  missing: [restart, 'If it stays: read its log for a failing restore or a lost connection to the API server'],
  unhooked: [
    restart,
    'Find what flushes the built-in chains (firewalld, ufw, an iptables-restore without --noflush), and make it leave them alone',
  ],
  shadowed: ['Take the quoted rule away, or let it leave the Service range alone; kube-proxy never removes rules of others'],
  'stale-endpoint': [restart, 'If it stays: kube-proxy does not see the API server; read its log'],
  'missing-endpoint': [restart],
  'wrong-verdict': [restart],
  'wrong-masquerade': [restart, 'Compare clusterCIDR and detectLocalMode of the ConfigMap kube-system/kube-proxy with the pod network'],
  'wrong-affinity': [restart],
  doubled: [
    'Once the rules of its own are there, remove what the other mode or backend has left: kube-proxy --cleanup with its image and mode, or a reboot of NODE',
  ],
  'stale-front': [restart],
  'stopped-after': ['Not a matter of kube-proxy: ask k8snet diagnose from a client of NODE'],
};

/** Steps that would mend it. */
export const fixOf = (kind: DifferenceKind, node: string): string[] => fixes[kind].map((step) => step.replaceAll('NODE', node));
