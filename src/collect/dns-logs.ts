import { systemNamespace } from '../model/object-paths.ts';
import { matchesSelector } from '../parse/objects.ts';
import type { Pod } from '../schema/kubernetes.ts';
import type { Entry } from '../snapshot/entry.ts';
import { asReason } from './api-round.ts';
import type { Kubectl } from './kubectl.ts';
import type { Plan } from './plan.ts';

/** Logs of DNS servers that are not well, of their last life too. */
export async function readDnsLogs(kubectl: Kubectl, plan: Plan): Promise<Entry[]> {
  const selector = plan.dnsService?.spec.selector;
  const labels = ['kube-dns', 'coredns'];
  const dnsPods = [...plan.pods.values()].filter(
    (pod) =>
      pod.metadata.namespace === systemNamespace &&
      (labels.includes(pod.metadata.labels?.['k8s-app'] ?? '') ||
        (selector && Object.keys(selector).length > 0 && matchesSelector(pod.metadata.labels, selector))),
  );
  const wanted = dnsPods.slice(0, 4).flatMap((pod) => {
    const restarted = (pod.status.containerStatuses ?? []).some((status) => (status.restartCount ?? 0) > 0 && !status.state?.running);
    return [{ pod, previous: false }, ...(restarted ? [{ pod, previous: true }] : [])];
  });
  return Promise.all(wanted.map(({ pod, previous }) => readLog(kubectl, pod, previous)));
}

async function readLog(kubectl: Kubectl, pod: Pod, previous: boolean): Promise<Entry> {
  const { namespace = '', name } = pod.metadata;
  const args = ['logs', '-n', namespace, name, '--tail=200', ...(previous ? ['--previous'] : [])];
  const result = await kubectl.run(args, { limitMilliseconds: 10_000 });
  return {
    key: `pod/${namespace}/${name}/${previous ? 'log-previous' : 'log'}`,
    command: `kubectl ${args.join(' ')}`,
    on: { kind: 'api', name: 'API server' },
    exit: result.exit,
    stdout: Buffer.from(result.stdout).toString('utf8'),
    stderr: result.stderr,
    ...(result.failure ? { failure: { reason: asReason(result.failure.reason), detail: result.failure.detail } } : {}),
  };
}
