import { type Facts, objectEvidence } from '../../facts/facts.ts';
import type { Where } from '../../model/check.ts';
import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import type { Pod } from '../../schema/kubernetes.ts';
import { podName } from '../app/workload.ts';
import { cannotTell, defineCheck, type Fault, fail, fault, notSeen, pass } from '../check.ts';
import { hostOf } from '../traffic.ts';
import { type LastWords, lastWords } from './coredns-last-words.ts';
import { corefilePath, forwardsToFile, quoteCorefile } from './corefile-lines.ts';
import { crashedContainer, dnsPods, dnsWhere, usable } from './dns-pods.ts';
import { needsClusterDns } from './resolver.ts';

export const corednsCrashLoop = defineCheck({
  meta: {
    id: 'DNS003',
    slug: 'coredns-crash-loop',
    layer: 'dns',
    title: 'CoreDNS ends as soon as it starts',
    since: '0.1.0',
    explain: {
      what: 'The containers of the cluster DNS end with an error right after their start, again and again. As long as no replica runs, no name of the cluster resolves.',
      why: "Most often one of two: the resolv.conf that kubelet hands to CoreDNS names a resolver on a loopback address (systemd-resolved's stub 127.0.0.53), so that CoreDNS would ask itself for ever and its loop plugin ends it; or the Corefile was edited and has an unknown directive or a missing brace. Also: no memory (OOMKilled), port 53 taken.",
      confirm: [
        'kubectl get pods -n kube-system -l k8s-app=kube-dns',
        'kubectl logs -n kube-system -l k8s-app=kube-dns --previous',
        "kubectl get configmap coredns -n kube-system -o jsonpath='{.data.Corefile}'",
      ],
      fix: [
        'Loop: set `resolvConf: /run/systemd/resolve/resolv.conf` in the configuration of kubelet and start CoreDNS anew, or forward to an address (`forward . 192.0.2.53`); removing the `loop` line only hides it',
        'Corefile: mend the line that the log names; CoreDNS takes the ConfigMap at its next start',
        'OOMKilled: raise the memory limit',
      ],
      notThis: [
        'An upstream that does not answer: CoreDNS stays up and answers SERVFAIL (DNS009)',
        'A pod that runs and is not ready: DNS001',
        'Restarts that are over',
      ],
      refs: [
        'https://coredns.io/plugins/loop/#troubleshooting',
        'https://github.com/coredns/coredns/issues/2087',
        'https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/',
      ],
    },
  },
  needs: (facts) => [facts.dns.pods],
  judge: (facts) => {
    const { pods } = facts.dns;
    if (pods.state !== 'seen') return notSeen(pods);
    const { startedAt } = facts.snapshot.manifest;
    const crashed = pods.value.filter((pod) => crashedContainer(pod, startedAt));
    if (crashed.length > 0) return fail(describe(facts, crashed));
    if (!pods.complete) return cannotTell('unparsed', 'not every pod of kube-system was understood');
    return pass('no container of the cluster DNS ends with an error', 'container states of the DNS pods');
  },
});

function describe(facts: Facts, crashed: readonly Pod[]): Fault {
  const words = lastWords(facts, crashed);
  const first = (words && crashed.find((pod) => pod.metadata.name === words.pod)) ?? (crashed[0] as Pod);
  const status = crashedContainer(first, facts.snapshot.manifest.startedAt);
  const ended = status?.state?.terminated ?? status?.lastState?.terminated;
  const many = `${crashed.length} of ${dnsPods(facts).length} DNS pods (${podName(first)}${crashed.length > 1 ? ', …' : ''})`;
  const end = ended ? ` (exit code ${ended.exitCode}${ended.reason && ended.reason !== 'Error' ? `, ${ended.reason}` : ''})` : '';
  const others = usable(facts.dns.endpoints.state === 'seen' ? facts.dns.endpoints.value : []).filter(
    (endpoint) => !crashed.some((pod) => pod.status.podIP === endpoint.address),
  );
  const addresses = crashed.flatMap((pod) => pod.status.podIP ?? []);
  return fault({
    title: `${many} ${crashed.length === 1 ? 'ends' : 'end'} right after the start${end}${words ? `: ${words.reason}` : '; no log that was read says why'}`,
    where: whereOf(facts, words, crashed),
    evidence: [
      ...(words ? [evidence(words.entry, words.line)] : []),
      ...causeEvidence(facts, words),
      objectEvidence(
        'pod',
        first,
        '.status.containerStatuses[*].restartCount',
        (first.status.containerStatuses ?? []).map((item) => item.restartCount ?? 0).join(' '),
      ),
      ...(status?.state?.waiting ? [objectEvidence('pod', first, '.status.containerStatuses[*].state.waiting', status.state.waiting)] : []),
    ],
    next: [
      `kubectl logs -n ${first.metadata.namespace} ${first.metadata.name} --previous`,
      "kubectl get configmap coredns -n kube-system -o jsonpath='{.data.Corefile}'",
    ],
    fix: fixOf(words),
    certain: others.length === 0,
    // A replica that runs keeps the Service going: then only the pods themselves don't answer.
    breaks: (probe) =>
      (others.length === 0 && needsClusterDns(facts)(probe)) || (probe.stage === 'dns-server' && addresses.includes(hostOf(probe.target))),
  });
}

function whereOf(facts: Facts, words: LastWords | null, crashed: readonly Pod[]): Where {
  if (words?.kind === 'corefile') return { kind: 'ConfigMap', namespace: 'kube-system', name: 'coredns' };
  if (words?.kind === 'loop' && forwardsToFile(facts))
    return {
      kind: 'resolv.conf',
      name: `kubelet resolvConf on ${[...new Set(crashed.flatMap((pod) => pod.spec.nodeName ?? []))].join(', ')}`,
    };
  if (words?.kind === 'loop') return { kind: 'ConfigMap', namespace: 'kube-system', name: 'coredns' };
  return dnsWhere(facts);
}

function causeEvidence(facts: Facts, words: LastWords | null): EvidenceRef[] {
  if (words?.kind === 'corefile' && words.corefileLine !== null) return quoteCorefile(facts, [words.corefileLine]);
  return words?.kind === 'loop' ? quoteCorefile(facts, corefilePath(facts, 'forward')) : [];
}

function fixOf(words: LastWords | null): string[] {
  switch (words?.kind) {
    case 'loop':
      return [
        'point kubelet to a resolv.conf with real resolvers (`resolvConf: /run/systemd/resolve/resolv.conf` in its configuration, then restart it), or name them in the Corefile (`forward . ADDRESS`)',
        'kubectl rollout restart deployment/coredns -n kube-system',
      ];
    case 'corefile':
      return ['kubectl edit configmap coredns -n kube-system', 'kubectl rollout restart deployment/coredns -n kube-system'];
    default:
      return ['read the log of the last start, and mend what it names'];
  }
}
