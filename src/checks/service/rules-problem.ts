import type { Facts } from '../../facts/facts.ts';
import type { EvidenceRef } from '../../model/evidence.ts';
import { evidence } from '../../model/evidence.ts';
import type { Outcome } from '../../walk/netfilter.ts';
import { entryOfDecision } from '../../walk/node-rules.ts';
import type { Mention } from '../../walk/service-rules.ts';
import { expectedEndpoints, type WalkedService } from './virtual-services.ts';

export interface RulesProblem {
  kind: 'missing' | 'stale' | 'unhooked';
  evidence: EvidenceRef[];
  /** Backends that the rules name and the EndpointSlices do not, and the other way round. */
  extra: string[];
  absent: string[];
  sentence: string;
}

/** What is wrong with kube-proxy's rules for one virtual address on the client's node; null when nothing is, or it can't be told. */
export function rulesProblem(facts: Facts, { virtual, walk }: WalkedService): RulesProblem | null {
  if ('unknown' in walk || walk.untranslated === 'cannot-tell' || !virtual.endpointsComplete) return null;
  const node = facts.client.node;
  const net = node === null ? undefined : facts.nodeNet(node);
  if (!net) return null;
  const expected = expectedEndpoints(virtual, node);
  const backends = [...new Set(walk.backends.map((backend) => backend.address))];
  if (backends.length > 0) {
    const known = new Set(virtual.endpoints.map((endpoint) => endpoint.address));
    const extra = backends.filter((address) => !known.has(address));
    // Topology hints and traffic distribution may leave endpoints out on purpose.
    const filtered =
      virtual.service.spec.trafficDistribution !== undefined ||
      Object.keys(virtual.service.metadata.annotations ?? {}).some((key) => /topology-(mode|aware-hints)/.test(key));
    // A client that is held to one endpoint (ClientIP) is sent to no other for as long as its entry lives.
    const held = virtual.service.spec.sessionAffinity === 'ClientIP';
    const absent = filtered || held ? [] : expected.map((endpoint) => endpoint.address).filter((address) => !backends.includes(address));
    if (extra.length === 0 && absent.length === 0) return null;
    const lines = walk.backends.filter((backend) => extra.includes(backend.address));
    return {
      kind: 'stale',
      extra,
      absent,
      evidence: (lines.length > 0 ? lines : walk.backends)
        .slice(0, 3)
        .map(({ decision }) => evidence(entryOfDecision(net, decision), decision.line)),
      sentence: [
        extra.length > 0 ? `they lead${shareOf(walk.outcomes, extra)} to ${extra.join(', ')}, which is no endpoint any more` : '',
        absent.length > 0 ? `they leave out ${absent.join(', ')}` : '',
      ]
        .filter(Boolean)
        .join(', and '),
    };
  }
  // What has no connection is never translated: that is the doing of the rule that says so (SVC012).
  if (expected.length === 0 || walk.untrackedBy !== undefined) return null;
  if (
    walk.untranslated === 'rejected' &&
    walk.decision &&
    /has no endpoints|no-endpoint/.test(`${walk.decision.text} ${walk.decision.chain}`)
  )
    return {
      kind: 'stale',
      extra: [],
      absent: expected.map((endpoint) => endpoint.address),
      evidence: [evidence(entryOfDecision(net, walk.decision), walk.decision.line)],
      sentence: `they reject it for having no endpoints, and it has ${expected.length}`,
    };
  // In nftables mode kube-proxy itself refuses what is sent to a ClusterIP and was not translated (chain cluster-ips-check).
  const refusedByKubeProxy = walk.untranslated !== 'passes' && walk.decision?.table === 'kube-proxy';
  if (walk.untranslated !== 'passes' && !refusedByKubeProxy) return null;
  const rules = walk.mentions.filter((mention) => mention.translates);
  const reached = walk.outcomes.some((outcome) =>
    outcome.steps.some(
      (step) => /@service-ips\b/.test(step.text) || rules.some((rule) => rule.line === step.line && rule.source === step.source),
    ),
  );
  // Packets that come to the chain of its rule are led there: what is wrong is in the chain.
  const passed = rules.some((rule) => rule.chain === 'KUBE-SERVICES' && walk.outcomes.some((outcome) => entersServices(outcome, rule)));
  if (rules.length > 0 && !reached && !passed)
    return {
      kind: 'unhooked',
      extra: [],
      absent: [],
      evidence: rules.slice(0, 2).map((rule) => rule.ref),
      sentence: 'its rules are there, and nothing leads to them',
    };
  // "There is none" needs every rule of the node.
  if (!walk.complete) return null;
  return {
    kind: 'missing',
    extra: [],
    absent: expected.map((endpoint) => endpoint.address),
    evidence: rules.slice(0, 2).map((rule) => rule.ref),
    sentence:
      rules.length === 0
        ? 'no rule translates it'
        : reached
          ? 'its rule leads to a chain that translates nothing'
          : 'packets come to chain KUBE-SERVICES, and its rule there does not take them',
  };
}

/** ` 33 % of the connections`; nothing where it is all of them. */
function shareOf(outcomes: readonly Outcome[], addresses: readonly string[]): string {
  const led = outcomes.filter(({ dnat }) => dnat?.address !== undefined && addresses.includes(dnat.address));
  const share = Math.round(100 * led.reduce((sum, { probability }) => sum + probability, 0));
  return share === 0 || share >= 100 ? '' : ` ${share} % of the connections`;
}

/** The filter table has a chain of the same name, which translates nothing. */
const entersServices = ({ steps }: Outcome, { source }: Mention): boolean =>
  steps.some((step) => step.source === source && step.table === 'nat' && / -[jg] KUBE-SERVICES$/.test(step.text));
