import type { Facts } from '../../facts/facts.ts';
import { objectEvidence } from '../../facts/facts.ts';
import { evidence } from '../../model/evidence.ts';
import { sandboxFailureOf } from '../../parse/sandbox-events.ts';
import type { Node } from '../../schema/kubernetes.ts';
import { defineCheck, type Fault, fail, fault, notSeen, pass } from '../check.ts';

export const cniConfigMissing = defineCheck({
  meta: {
    id: 'CNI018',
    slug: 'cni-config-missing',
    layer: 'cni',
    title: 'A node has no usable CNI configuration',
    since: '0.1.0',
    explain: {
      what: 'The container runtime of a node finds no CNI configuration, so that the node is NotReady and no pod can start there. Pods that run go on, with what the CNI had programmed before; but the endpoints of a node that is NotReady leave the Service.',
      why: 'The CNI agent did not start on that node (it crashes, a taint keeps it away, its image does not come), its configuration file was deleted or moved, or the runtime looks in another directory.',
      confirm: [
        'kubectl describe node NODE   (condition Ready)',
        'ls /etc/cni/net.d   (on the node)',
        'crictl info | grep -A5 lastCNILoadStatus',
      ],
      fix: [
        "Restart the CNI agent's pod on that node: it writes its configuration anew",
        'Where the file was moved back by hand: write it anew (containerd does not notice a rename)',
      ],
      notThis: [
        'Another condition of the node (disk, memory) makes it NotReady',
        'Pods that stay ContainerCreating with "no IP addresses available": CNI019',
      ],
      refs: [
        'https://kubernetes.io/docs/tasks/administer-cluster/migrating-from-dockershim/troubleshooting-cni-plugin-related-errors/',
        'https://github.com/kubernetes/kubernetes/issues/70202',
      ],
    },
  },
  needs: (facts) => [facts.nodes()],
  judge: (facts) => {
    const nodes = facts.nodes();
    if (nodes.state !== 'seen') return notSeen(nodes);
    const faults = nodes.value.flatMap((node) => judgeNode(facts, node));
    return faults.length > 0 ? fail(...faults) : pass('no node says that its pod network is not ready', 'kubectl get nodes');
  },
});

function judgeNode(facts: Facts, node: Node): Fault[] {
  const ready = node.status.conditions?.find((condition) => condition.type === 'Ready');
  if (!ready || ready.status === 'True' || sandboxFailureOf(ready.message ?? '')?.failure !== 'network-not-ready') return [];
  const { name } = node.metadata;
  const files = facts.nodeNet(name).entry('cni-config');
  const isEmpty = files !== undefined && !files.failure && files.exit === 0 && !/^== /m.test(files.stdout);
  return [
    fault({
      title: `node ${name} is NotReady because its pod network is not set up${isEmpty ? ': /etc/cni/net.d holds no configuration' : ` ("${(ready.message ?? '').slice(-80)}")`}; no pod can start there, and its endpoints leave the Service`,
      where: { kind: 'Node', name, node: name },
      evidence: [
        objectEvidence('node', node, '.status.conditions[?(@.type=="Ready")].message', ready.message ?? ''),
        ...(isEmpty ? [evidence(files.key)] : []),
      ],
      next: [`kubectl describe node ${name}`, `kubectl get pods -A -o wide --field-selector spec.nodeName=${name}`],
      fix: [`restart the CNI agent's pod on ${name}, so that it writes /etc/cni/net.d anew`],
      breaks: () => false,
      noteOnly: true,
    }),
  ];
}
