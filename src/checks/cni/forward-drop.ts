import type { Facts } from '../../facts/facts.ts';
import { evidence } from '../../model/evidence.ts';
import type { Leg } from '../../walk/leg.ts';
import { describeDecision } from '../../walk/passage-rules.ts';
import { defineCheck } from '../check.ts';
import { type ScopedStop, scopedStop } from './forwarding-rules.ts';
import { fine, flowKey, judgeLegs, type LegFinding } from './legs.ts';

export const forwardDrop = defineCheck({
  meta: {
    id: 'CNI011',
    slug: 'forward-drop',
    layer: 'cni',
    title: 'A node drops what it should forward for its pods',
    since: '0.1.0',
    explain: {
      what: "A rule or a chain's policy on the client's or a backend's node drops (or rejects) packets that the node should route between pods. iptables-nft, iptables-legacy and native nftables tables all see every packet: an accept in one of them does not help against a drop in another.",
      why: 'Docker set the FORWARD policy to DROP, a host firewall (firewalld, ufw, a vendor agent) brought its own forward chain, a firewall reload removed the rules with which the CNI accepts its pods, or rules were left in the other iptables backend by an upgrade.',
      confirm: ['iptables-save -c -t filter | grep -E "FORWARD"', 'iptables-legacy-save -c', 'nft list ruleset | grep -A5 "hook forward"'],
      fix: [
        'Let the host firewall accept the pod range in both directions, or take the foreign rule away',
        'Restart the CNI agent after every firewall reload, so that it puts its accepting rules back',
      ],
      notThis: [
        ':FORWARD DROP with accepting rules for the pod range before it (FLANNEL-FWD, KUBE-FORWARD, cali-FORWARD) is healthy: the policy is never reached',
        'A rule that only names one pod or its port: CNI017; only port 53: DNS007; only the ClusterIP: SVC012',
        'A REJECT gives "Connection refused" or "No route to host" at once, a DROP gives a timeout',
      ],
      refs: [
        'https://docs.docker.com/engine/network/packet-filtering-firewalls/',
        'https://wiki.nftables.org/wiki-nftables/index.php/Configuring_chains',
        'https://github.com/kubernetes/kubernetes/issues/40182',
      ],
    },
  },
  needs: () => [],
  judge: (facts) =>
    judgeLegs(facts, {
      examine: (leg) => [examine(facts, leg)],
      keyOf: flowKey,
      passed: 'no rule of the nodes drops traffic between the pods of this flow',
      by: 'iptables-save, iptables-legacy-save and nft list ruleset of the nodes of the flow, walked for each request and its answer',
      skipped: 'no traffic to look at',
    }),
});

function examine(facts: Facts, leg: Leg): LegFinding {
  const { stop, doubts } = scopedStop(facts, leg);
  if (stop) return stop.scope === 'forwarding' || stop.scope === 'sender' ? broken(leg, stop) : fine;
  const doubt = doubts.find(({ passage }) => passage.pod === undefined);
  return doubt === undefined ? fine : { state: 'unknown', reason: 'unparsed', detail: doubt.detail };
}

function broken(leg: Leg, found: ScopedStop): LegFinding {
  const { stop, scope, way } = found;
  const { decision, passage } = stop;
  const place = passage.pod ? `pod ${passage.pod.metadata.namespace}/${passage.pod.metadata.name}` : `node ${passage.node}`;
  const verb = stop.rejectWith ? 'rejects' : 'drops';
  const what =
    scope === 'forwarding'
      ? 'what it forwards between pods'
      : `what ${leg.from.pod ? `pod ${leg.from.pod.metadata.namespace}/${leg.from.pod.metadata.name}` : (leg.from.node ?? leg.from.address)} sends to ${leg.to.address}`;
  return {
    state: 'broken',
    key: `${passage.net.prefix} ${decision.source} ${decision.line}`,
    parts: (legs) => ({
      title: `${place} ${verb} ${stop.share < 1 ? `about ${Math.round(stop.share * 100)} % of ` : ''}${what} (${way.isReply ? 'answers' : 'requests'} ${describeLegs(legs)}) in ${describeDecision(decision)}`,
      where: {
        kind: 'rule',
        name: describeDecision(decision),
        ...(passage.node === null ? {} : { node: passage.node }),
        ...(passage.pod ? { namespace: passage.pod.metadata.namespace ?? '' } : {}),
      },
      // nft prints a chain's policy on the line after its name.
      evidence: [
        evidence(
          stop.entry,
          ...(decision.by === 'policy' && decision.source === 'nft' ? [decision.line, decision.line + 1] : [decision.line]),
        ),
      ],
      next:
        passage.node === null
          ? []
          : [`kubectl debug node/${passage.node} -it --image=nicolaka/netshoot --profile=sysadmin -- ${showCommand(decision.source)}`],
      fix: [
        decision.by === 'rule'
          ? `take the rule away, or accept the pod range before it, on ${place}`
          : decision.chain === 'FORWARD'
            ? `accept the pod range in ${decision.chain} on ${place} (the CNI agent does so when it is restarted), or set its policy to ACCEPT`
            : `accept the pod range in chain ${decision.chain} of table ${decision.table} on ${place}, or its policy: whoever made that table knows why it drops`,
      ],
    }),
  };
}

const showCommand = (source: string): string =>
  source === 'nft' ? 'nft list ruleset' : source === 'iptables-legacy' ? 'iptables-legacy-save -c' : 'iptables-save -c';

const describeLegs = (legs: readonly Leg[]): string => {
  const [first] = legs;
  const pairs = new Set(legs.map((leg) => `${leg.from.address} ${leg.to.address}`));
  return `${first?.from.address} -> ${first?.to.address}${pairs.size > 1 ? ` and ${pairs.size - 1} more` : ''}`;
};
