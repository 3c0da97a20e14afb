import type { Entry } from '../snapshot/entry.ts';
import { clientNamespace, clientPod, podsOfNode, serviceAddresses, speaksOf, toNamespaces } from './flow.ts';
import { type NodePods, newNodePod } from './node-pod.ts';
import { ranOn } from './node-rounds.ts';
import type { Plan } from './plan.ts';
import { functionsOf } from './prelude.ts';
import { connectProbe, dnsServerProbe } from './probe-sections.ts';
import { buildScript, readScriptOutput, type Section } from './script.ts';
import { sysctlInBrief } from './sections.ts';

const limitMilliseconds = 25_000;

/**
 * The few readings that explain why a node takes up pods and answers no exec (its connection tracking table is full, say), and the probes that show
 * what its pods suffer: run by the command of a pod of its own, whose last words the kubelet reports. What did not fit in them is left out.
 */
export async function askForLastWords(
  nodePods: NodePods,
  plan: Plan,
  node: string,
  { image, namespace }: { image: string; namespace: string },
): Promise<Entry[]> {
  const sections = [sysctlInBrief(node), ...(plan.client.node === node ? clientProbesInBrief(plan) : [])];
  const { nonce, script } = buildScript(sections, functionsOf('node-pod', toNamespaces(podsOfNode(plan, node))));
  const message = await nodePods.askByMessage(newNodePod(node, namespace, image), script, limitMilliseconds);
  if (message === undefined) return [];
  const outputs = readScriptOutput(sections, nonce, Buffer.from(message));
  return sections.flatMap((section) => {
    const output = outputs.get(section.key);
    return output && !output.failure ? [{ key: section.key, command: section.command, on: ranOn(section.key, node), ...output }] : [];
  });
}

/** The ClusterIP, one endpoint and the DNS Service: what fits in 4 KiB. */
function clientProbesInBrief(plan: Plan): Section[] {
  const pod = clientPod(plan);
  const origin = pod ? `pod/${plan.client.namespace}/${plan.client.name}` : `node/${plan.client.name}`;
  const ns = clientNamespace(plan);
  const { port } = plan;
  const speaks = port ? speaksOf(plan.service, port, plan) : null;
  const connect = (stage: 'service' | 'endpoint', address: string, number: number, protocol: string): Section | null =>
    connectProbe(origin, ns, stage, { address, port: number, protocol: protocol as 'TCP', speaks }, stage === 'service' ? 3 : 2);
  const name = `${plan.service.metadata.name}.${plan.namespace}.svc.${plan.domain}`;
  return [
    ...(port ? serviceAddresses(plan.service).map((ip) => connect('service', ip, port.port, port.protocol)) : []),
    ...plan.endpoints
      .filter((endpoint) => endpoint.ready)
      .slice(0, 2)
      .map((endpoint) => connect('endpoint', endpoint.address, endpoint.port, endpoint.protocol)),
    ...serviceAddresses(plan.dnsService).map((ip) => dnsServerProbe(origin, ns, ip, name, 1)),
  ].filter((section) => section !== null);
}
