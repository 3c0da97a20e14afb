import { hostOf } from '../checks/traffic.ts';
import { type Facts, originKey } from '../facts/facts.ts';
import { failed, isFailing, isPassing, type ProbeResult } from '../facts/probe-results.ts';

/**
 * Failing probes that are a fault of the flow: those that the client itself sent, and full-size packets on the way back to it. What only the
 * node, or another pod, could not do is a witness and no symptom. Endpoints that are not (or no longer) ready are none either.
 */
export function symptomsOf(facts: Facts): ProbeResult[] {
  const ready = readyAddresses(facts);
  const direct = asksClusterDns(facts);
  return facts.probes.filter(
    (probe) =>
      isFailing(probe) &&
      isOfFlow(facts, probe) &&
      (!isAddressed(probe) || ready.has(hostOf(probe.target))) &&
      (probe.stage !== 'dns-server' || direct) &&
      !isGuessedName(facts, probe),
  );
}

/**
 * The absolute name rests on the cluster's domain, which the Corefile tells. Where that could not be read the domain is a guess, and a name that
 * fails while the short one resolves is the guess's fault.
 */
const isGuessedName = (facts: Facts, probe: ProbeResult): boolean =>
  probe.stage === 'name' &&
  probe.target.endsWith('.') &&
  facts.dns.corefile.state !== 'seen' &&
  facts.probesOf('name', facts.client.origin).some(isPassing);

/**
 * Whether DNS servers that stay silent when asked directly matter to this client: not where its names resolve through another server
 * (NodeLocal DNSCache at 169.254.20.10, which a policy may leave as the only way).
 */
function asksClusterDns(facts: Facts): boolean {
  const names = facts.probesOf('name', facts.client.origin);
  const servers = names.flatMap((probe) => (probe.lookups ?? []).map((lookup) => lookup.server));
  return names.some(isFailing) || servers.length === 0 || servers.some((server) => facts.dns.addresses.includes(server));
}

const isOfFlow = (facts: Facts, probe: ProbeResult): boolean =>
  (originKey(probe) === facts.client.origin && probe.stage !== 'node') ||
  (probe.stage === 'payload' && probe.target === facts.client.address);

/** Probes that stand for one pod address, which may have gone in the meantime. */
const isAddressed = (probe: ProbeResult): boolean => probe.stage === 'endpoint';

function readyAddresses(facts: Facts): ReadonlySet<string> {
  const { endpoints } = facts.target;
  return new Set(
    endpoints.state === 'seen'
      ? endpoints.value.filter((endpoint) => endpoint.ready).map((endpoint) => endpoint.address)
      : facts.probes.map((probe) => hostOf(probe.target)),
  );
}

const stageWords: Record<ProbeResult['stage'], string> = {
  name: 'name',
  'dns-server': 'DNS server',
  service: 'Service',
  endpoint: 'endpoint',
  payload: 'full-size packets to',
  node: 'node',
};

/** "pod default/client -> Service 10.96.0.1:80: 4 of 12 tries failed (timeout x4)". */
export function describeProbe(probe: ProbeResult): string {
  const from = probe.origin.kind === 'pod' ? `pod ${probe.origin.namespace}/${probe.origin.name}` : `node ${probe.origin.name}`;
  return `${from} -> ${stageWords[probe.stage]} ${probe.target}: ${failed(probe).length} of ${probe.tries.length} ${probe.tries.length === 1 ? 'try' : 'tries'} failed (${outcomeOf(probe)})`;
}

/** "ok", or the kinds of failure with their counts. */
export function outcomeOf(probe: ProbeResult): string {
  if (probe.unknown) return `not known: ${probe.unknown.detail}`;
  const counts = new Map<string, number>();
  for (const item of failed(probe)) counts.set(item.cause ?? 'other', (counts.get(item.cause ?? 'other') ?? 0) + 1);
  return counts.size === 0 ? 'ok' : [...counts].map(([cause, count]) => `${cause} x${count}`).join(', ');
}
