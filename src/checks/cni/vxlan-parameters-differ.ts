import type { Facts } from '../../facts/facts.ts';
import { evidence } from '../../model/evidence.ts';
import type { Link } from '../../model/link.ts';
import { hopOf, isCrossNode, type Leg } from '../../walk/leg.ts';
import { publishedVtep } from '../../walk/overlay.ts';
import { defineCheck } from '../check.ts';
import { flowNodes } from '../traffic.ts';
import { farNodes, fine, judgeLegs, type LegFinding, none, unseen } from './legs.ts';

export const vxlanParametersDiffer = defineCheck({
  meta: {
    id: 'CNI006',
    slug: 'vxlan-parameters-differ',
    layer: 'cni',
    title: 'Two nodes use different VNIs or UDP ports for their tunnel',
    since: '0.1.0',
    explain: {
      what: "Both ends of a VXLAN tunnel must have the same VNI (`id`) and the same UDP destination port (`dstport`). On one node they differ: with another VNI the far kernel finds no device for the packet, with another port it finds no socket and answers 'port unreachable' to the node, so that the pods only see a timeout.",
      why: "The backend's settings were changed and only some nodes were restarted, or something else on the node (another overlay, a second cluster) made the device.",
      confirm: ['ip -d link show type vxlan   (on both nodes)', 'kubectl get configmap -n kube-flannel kube-flannel-cfg -o yaml'],
      fix: [
        'Give all nodes one VNI and one port, then restart the CNI agent on the node that differs; delete its old device first where the agent keeps it',
      ],
      notThis: ['tcpdump calls UDP 8472 "OTV": only a label', 'Windows nodes need VNI 4096 and port 4789 on all nodes'],
      refs: ['https://github.com/flannel-io/flannel/blob/master/Documentation/backends.md', 'https://www.rfc-editor.org/rfc/rfc7348'],
    },
  },
  needs: () => [],
  judge: (facts) =>
    judgeLegs(facts, {
      examine: (leg) => [examine(facts, leg)],
      passed: 'VNI and UDP port of the tunnels agree',
      by: 'ip -d link on the nodes of the flow',
      skipped: 'no VXLAN device on the way',
    }),
});

type Parameter = 'id' | 'dstport';

function examine(facts: Facts, leg: Leg): LegFinding {
  if (!isCrossNode(leg) || leg.to.isNode) return none;
  const hop = hopOf(facts, leg);
  if (hop.state !== 'seen') return unseen(hop, `routes of node ${leg.from.node}`);
  const near = hop.value?.link ?? anyVxlan(facts, leg.from.node ?? '');
  if (near?.kind !== 'vxlan') return none;
  const links = facts.nodeNet(leg.to.node ?? '').links();
  if (links.state !== 'seen') return unseen(links, `devices of node ${leg.to.node}`);
  const far = links.value.find((link) => link.kind === 'vxlan' && link.name === near.name);
  if (!far) return none;
  const differing = (['id', 'dstport'] as const).find(
    (name) => near.vxlan?.[name] !== undefined && far.vxlan?.[name] !== undefined && near.vxlan[name] !== far.vxlan[name],
  );
  if (!differing) return fine;
  const odd = oddOne(facts, near.name, differing, leg.from.node ?? '', leg.to.node ?? '');
  const other = odd === leg.to.node ? { node: leg.from.node ?? '', link: near } : { node: leg.to.node ?? '', link: far };
  const wrong = odd === leg.to.node ? { node: odd, link: far } : { node: leg.from.node ?? '', link: near };
  return { state: 'broken', key: `${wrong.node} ${differing}`, parts: (legs) => describe(differing, wrong, other, legs) };
}

const anyVxlan = (facts: Facts, node: string): Link | undefined => {
  const links = facts.nodeNet(node).links();
  return links.state === 'seen' ? links.value.find((link) => link.kind === 'vxlan') : undefined;
};

/** Which of two nodes is to be called wrong: the one that few others agree with, else the one that differs from what was published. */
function oddOne(facts: Facts, device: string, name: Parameter, one: string, two: string): string {
  const parameterOf = (node: string): number | undefined => {
    const links = facts.nodeNet(node).links();
    return links.state === 'seen' ? links.value.find((link) => link.name === device)?.vxlan?.[name] : undefined;
  };
  const values = flowNodes(facts).map(parameterOf);
  const votes = (node: string): number =>
    values.filter((value) => value === parameterOf(node)).length +
    (name === 'id' && publishedVtep(facts, node).vni === parameterOf(node) ? 0.5 : 0);
  return votes(one) < votes(two) ? one : two;
}

const words: Record<Parameter, string> = { id: 'VNI', dstport: 'UDP port' };

function describe(name: Parameter, wrong: { node: string; link: Link }, other: { node: string; link: Link }, legs: readonly Leg[]) {
  const { node, link } = wrong;
  return {
    title: `${link.name} of node ${node} uses ${words[name]} ${link.vxlan?.[name]}, that of node ${other.node} ${other.link.vxlan?.[name]}: the pods of ${node} and of ${farNodes(legs, node)} can't reach each other`,
    where: { kind: 'link', name: `${link.name} ${name} ${link.vxlan?.[name]}`, node },
    evidence: [
      evidence(`node/${node}/ip-link`, link.line, detailLine(link)),
      evidence(`node/${other.node}/ip-link`, other.link.line, detailLine(other.link)),
    ],
    next: [`kubectl debug node/${node} -it --image=nicolaka/netshoot --profile=sysadmin -- ip -d link show ${link.name}`],
    fix: [`give the CNI agent one setting for all nodes, delete ${link.name} on ${node} and restart the agent's pod there`],
  };
}

/** The line of the interface that shows the details of its kind. */
const detailLine = (link: Link): number => {
  const at = link.text.split('\n').findIndex((line) => /^\s+vxlan /.test(line));
  return at < 0 ? link.line : link.line + at;
};
