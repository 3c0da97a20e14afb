import type { Facts } from '../../facts/facts.ts';
import type { CheckMeta } from '../../model/check.ts';
import type { EvidenceRef } from '../../model/evidence.ts';
import { evidence } from '../../model/evidence.ts';
import { type Check, type CheckResult, cannotTell, defineCheck, fail, fault, pass, skip } from '../check.ts';
import { kubeProxyOn } from './kube-proxy-pods.ts';
import { type RulesProblem, rulesProblem } from './rules-problem.ts';
import { addressOf, breaksVirtual, nameOf, type WalkedService, walkedServices } from './virtual-services.ts';

/** The three ways in which kube-proxy's rules can be wrong are told apart by one walk; each is a check of its own. */
export const rulesCheck = (kind: RulesProblem['kind'], meta: CheckMeta): Check =>
  defineCheck({
    meta,
    needs: (facts) => [facts.target.service, facts.target.endpoints],
    judge: (facts) => {
      const node = facts.client.node;
      if (node === null) return skip('there is no client');
      const walked = walkedServices(facts);
      if (walked.length === 0) return skip('neither the Service nor cluster DNS has a ClusterIP');
      if (kubeProxyOn(facts, node).state === 'not-used' && !walked.some(({ walk }) => !('unknown' in walk) && walk.backends.length > 0))
        return skip("the cluster has no kube-proxy, and the node's rules translate no ClusterIP: something else does");
      const problems = walked.flatMap((item) => {
        const problem = rulesProblem(facts, item);
        return problem?.kind === kind ? [{ item, problem }] : [];
      });
      const [first] = problems;
      if (!first) return whyNone(kind, node, walked);
      // Rules that nothing leads to, or that are gone, have one cause for every Service of the node; out of date is each for itself.
      return kind === 'stale'
        ? fail(...problems.map((found) => describe(facts, node, [found])))
        : fail(describe(facts, node, [first, ...problems.slice(1)]));
    },
  });

interface Found {
  item: WalkedService;
  problem: RulesProblem;
}

/** What is to be said where no Service has this problem. */
function whyNone(kind: RulesProblem['kind'], node: string, walked: readonly WalkedService[]): CheckResult {
  const doubtful = walked.find(
    ({ walk }) => 'unknown' in walk || walk.untranslated === 'cannot-tell' || (walk.backends.length === 0 && !walk.complete),
  );
  if (doubtful) return cannotTell('unsupported', `rules of node ${node} for ${addressOf(doubtful.virtual)}: ${reasonOf(doubtful)}`);
  const good = walked.filter(({ walk }) => !('unknown' in walk) && walk.backends.length > 0);
  return good.length === 0
    ? skip('no ClusterIP is translated, for another reason')
    : pass(
        `rules of node ${node} for ${good.map(({ virtual }) => nameOf(virtual)).join(' and ')}: not ${kind}`,
        good
          .map(
            ({ virtual, walk }) =>
              `${addressOf(virtual)} -> ${'unknown' in walk ? '' : [...new Set(walk.backends.map((backend) => backend.address))].join(', ')}`,
          )
          .join('; '),
      );
}

const reasonOf = ({ walk }: WalkedService): string =>
  'unknown' in walk ? walk.unknown : (walk.why ?? walk.incompleteWhy ?? 'a rule that can not be told');

function titleOf(node: string, found: readonly [Found, ...Found[]]): string {
  const [{ problem }] = found;
  const names = found.map(({ item: { virtual } }) => `${nameOf(virtual)} (${addressOf(virtual)})`).join(' and ');
  const services = `${found.length > 1 ? 'Services' : 'Service'} ${names}`;
  return problem.kind === 'stale'
    ? `the rules of node ${node} for ${services} are out of date: ${problem.sentence}`
    : `node ${node} does not translate ${services}: ${problem.sentence}`;
}

function describe(facts: Facts, node: string, found: readonly [Found, ...Found[]]) {
  const [{ item, problem }] = found;
  const { virtual } = item;
  const proxy = kubeProxyOn(facts, node);
  const pod = proxy.state === 'runs' || proxy.state === 'not-ready' ? proxy.pod.metadata.name : null;
  const breaks = found.map((one) => breaksVirtual(facts, one.item.virtual.address));
  return fault({
    title: titleOf(node, found),
    where: {
      kind: 'rule',
      name:
        problem.kind === 'unhooked'
          ? 'the jump to the Service rules (nat PREROUTING and OUTPUT)'
          : found.map((one) => `Service ${nameOf(one.item.virtual)} ${addressOf(one.item.virtual)}`).join(', '),
      node,
    },
    evidence: [...hookEvidence(facts, node, problem, item), ...found.flatMap((one) => one.problem.evidence)],
    next: [
      ...(pod ? [`kubectl logs -n kube-system ${pod} --tail=50`] : ['kubectl get pods -n kube-system -o wide -l k8s-app=kube-proxy']),
      `kubectl get endpointslices -n ${virtual.namespace} -l kubernetes.io/service-name=${virtual.name} -o wide`,
    ],
    fix: [
      `restart kube-proxy on ${node}${pod ? `: kubectl delete pod -n kube-system ${pod}` : ''}`,
      ...(problem.kind === 'unhooked' ? ['find what flushes the chains of the nat table on that node'] : []),
    ],
    breaks: (probe) => breaks.some((broken) => broken(probe)),
  });
}

/** The hook's own chain: its header line, and whatever rules it still has. */
function hookEvidence(facts: Facts, node: string, problem: RulesProblem, { walk }: WalkedService): EvidenceRef[] {
  if (problem.kind === 'stale' || 'unknown' in walk) return [];
  const net = facts.nodeNet(node);
  const fromPod = facts.client.request.kind === 'Pod';
  const [iptables, nft] = [net.iptables(), net.nft()];
  const proxyTable =
    nft.state === 'seen' ? nft.value.tables.find((table) => table.name === 'kube-proxy' && table.family === 'ip') : undefined;
  const chain = proxyTable?.chains.find((item) => item.name === (fromPod ? 'nat-prerouting' : 'nat-output'));
  if (chain) return [evidence(`node/${node}/nft`, chain.line, ...chain.rules.slice(0, 3).map((rule) => rule.line))];
  const nat = iptables.state === 'seen' ? iptables.value.tables.find((table) => table.name === 'nat') : undefined;
  const base = nat?.chains.find((item) => item.name === (fromPod ? 'PREROUTING' : 'OUTPUT'));
  return base ? [evidence(`node/${node}/iptables-save`, base.line, ...base.rules.slice(0, 3).map((rule) => rule.line))] : [];
}
