import { isRunning } from '../parse/objects.ts';
import type { Entry } from '../snapshot/entry.ts';
import type { Kubectl } from './kubectl.ts';
import type { Plan } from './plan.ts';
import { nodeSections } from './sections.ts';
import { runSections, type Session } from './session.ts';

/**
 * A reader has to be as new as the writer: where nft crashed or was missing, kube-proxy's own container, which wrote the rules, is asked.
 */
export async function rereadWithProxyTools(
  kubectl: Kubectl,
  plan: Plan,
  entries: ReadonlyMap<string, Entry>,
  nodes: readonly string[],
): Promise<Entry[]> {
  const jobs = nodes.flatMap((node) => {
    const failed = ['nft', 'iptables-save']
      .map((name) => entries.get(`node/${node}/${name}`))
      .filter(
        (entry) =>
          entry?.failure?.reason === 'tool-failed' ||
          entry?.failure?.reason === 'tool-missing' ||
          (entry && entry.exit !== 0 && entry.exit !== null),
      );
    const agent = [...plan.pods.values()].find(
      (pod) => pod.spec.nodeName === node && isRunning(pod) && pod.spec.hostNetwork && /kube-proxy/.test(pod.metadata.name),
    );
    if (failed.length === 0 || !agent) return [];
    const sections = nodeSections(node).filter((section) => failed.some((entry) => entry?.key === section.key));
    const session: Session = {
      tier: 'host-network-pod',
      namespace: agent.metadata.namespace ?? '',
      pod: agent.metadata.name,
      container: undefined,
    };
    return [runSections(kubectl, session, sections, [], () => ({ kind: 'node', name: node }), 20_000)];
  });
  return (await Promise.all(jobs)).flat().filter((entry) => !entry.failure && entry.exit === 0);
}
