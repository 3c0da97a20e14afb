import type { Facts } from '../facts/facts.ts';
import { originKey } from '../facts/facts.ts';
import { failed, isFailing, isPassing, type Payload, type ProbeResult } from '../facts/probe-results.ts';
import { defaultImage } from '../model/node-image.ts';
import type { Finding, Probe, Report } from '../schema/report.ts';
import type { JudgedFinding, Judgement } from './judge.ts';
import { quoteEvidence } from './quote.ts';
import { outcomeOf } from './symptoms.ts';

/** Turns a judgement into the published report. Everything in it comes from the snapshot, so that a recording gives the same report again. */
export function buildReport(facts: Facts, judgement: Judgement): Report {
  const { manifest } = facts.snapshot;
  const service = facts.target.service.state === 'seen' ? facts.target.service.value : null;
  const { request } = facts;
  return {
    apiVersion: 'k8snet.dev/v1',
    kind: 'DiagnosisReport',
    k8snet: manifest.k8snet,
    target: {
      kind: 'Service',
      namespace: request.target.namespace,
      name: request.target.name,
      type: service ? (service.spec.clusterIP === 'None' ? 'Headless' : service.spec.type) : null,
      clusterIPs: service?.spec.clusterIPs?.filter((ip) => ip !== 'None') ?? [],
      ports: (service?.spec.ports ?? []).map((port) => ({
        name: port.name ?? null,
        port: port.port,
        protocol: port.protocol,
        targetPort: String(port.targetPort ?? port.port),
      })),
      port: facts.target.port?.port ?? null,
    },
    from: {
      kind: request.from.kind,
      ...(request.from.namespace === undefined ? {} : { namespace: request.from.namespace }),
      name: request.from.name,
      node: request.from.node,
      why: request.from.why,
    },
    verdict: { status: judgement.status, layer: judgement.layer, confidence: judgement.confidence, summary: judgement.summary },
    findings: judgement.findings.map((finding) => toFinding(facts, finding)),
    probes: facts.probes
      .map(toProbe)
      .sort((a, b) => Number(a.succeeded === a.tries) - Number(b.succeeded === b.tries) || (a.id < b.id ? -1 : 1)),
    path: pathOf(facts),
    ruledOut:
      judgement.status === 'fault'
        ? judgement.results.flatMap(({ result }) => (result.state === 'pass' ? [{ what: result.what, by: result.by }] : []))
        : [],
    notChecked: [...notChecked(judgement), ...otherProtocols(facts)],
    ...circumstancesOf(facts),
  };
}

/** What every report says of how it came about: through what the nodes were looked at, what that cost in coverage, and the time it took. */
export function circumstancesOf(facts: Facts): Pick<Report, 'coverage' | 'timing'> {
  const { access, startedAt, seconds, phases } = facts.snapshot.manifest;
  return {
    coverage: {
      access: access.best,
      image: imageOf(facts),
      nodes: access.nodes.map(({ name, access: way, detail }) => ({ name, access: way, detail })),
      lost: access.lost,
    },
    timing: { startedAt, seconds, phases },
  };
}

/** The image of this run's own pods, where one was made. */
const imageOf = (facts: Facts): string | null => facts.snapshot.manifest.access.nodes.find(({ image }) => image !== null)?.image ?? null;

function toFinding(facts: Facts, { meta, fault, severity, consequences }: JudgedFinding): Finding {
  return {
    id: meta.id,
    slug: meta.slug,
    layer: meta.layer,
    severity,
    title: fault.title,
    where: fault.where,
    evidence: fault.evidence.map((reference) => quoteEvidence(facts, reference)).filter((item) => item !== null),
    consequences,
    // It is on the nodes already, and a tag other than latest is not pulled again.
    next: fault.next.map((command) => command.replaceAll('--image=nicolaka/netshoot', `--image=${imageOf(facts) ?? defaultImage}`)),
    fix: fault.fix,
  };
}

function toProbe(probe: ProbeResult): Probe {
  const times = probe.tries.flatMap((item) => (item.ok && item.milliseconds !== null ? [item.milliseconds] : [])).sort((a, b) => a - b);
  return {
    id: probe.id,
    stage: probe.stage,
    from: originKey(probe).replace('pod/', 'pod ').replace('node/', 'node '),
    to: probe.target,
    protocol:
      probe.stage === 'name' || probe.stage === 'dns-server' ? 'DNS' : probe.stage === 'payload' || probe.stage === 'node' ? 'ICMP' : 'TCP',
    tries: probe.tries.length,
    succeeded: probe.tries.length - failed(probe).length,
    outcome: outcomeOf(probe),
    milliseconds: times.length > 0 ? (times[Math.floor(times.length / 2)] as number) : null,
    ...(probe.payload && probe.tries.length > 0 ? { size: sizeOf(probe.payload) } : {}),
  };
}

const sizeOf = ({ mtu, full, narrow, told }: Payload): NonNullable<Probe['size']> => ({
  sent: mtu,
  largest: full ? mtu : (narrow?.largest ?? null),
  told: told?.mtu ?? null,
});

type PathState = Report['path'][number]['state'];

function stateOf(probes: readonly ProbeResult[]): PathState {
  if (probes.length === 0) return 'skipped';
  const known = probes.filter((probe) => probe.unknown === null && probe.tries.length > 0);
  if (known.length === 0) return 'unknown';
  if (known.every(isPassing)) return 'ok';
  return known.every((probe) => isFailing(probe) && failed(probe).length === probe.tries.length) ? 'failed' : 'partly';
}

/** The way of the request as the client's probes saw it. */
function pathOf(facts: Facts): Report['path'] {
  const own = (stage: ProbeResult['stage']) => facts.probesOf(stage, facts.client.origin);
  const names = own('name');
  const endpoints = own('endpoint');
  const rows: Report['path'] = [];
  if (names.length > 0) rows.push({ stage: 'name', what: names.map((probe) => probe.target).join(', '), state: stateOf(names) });
  const servers = own('dns-server');
  if (servers.length > 0)
    rows.push({ stage: 'dns-server', what: servers.map((probe) => probe.target).join(', '), state: stateOf(servers) });
  const services = own('service');
  const port = facts.target.port;
  if (services.length > 0)
    rows.push({ stage: 'service', what: services.map((probe) => probe.target).join(', '), state: stateOf(services) });
  else if (facts.target.addresses.length > 0)
    rows.push({
      stage: 'service',
      what: `${facts.target.addresses.join(', ')}${port ? `:${port.port}/${port.protocol}` : ''}`,
      state: 'unknown',
    });
  for (const probe of endpoints) {
    const address = probe.target.replace(/:\d+$/, '');
    const pod = facts.podByAddress(address);
    const on = facts.nodeOf(address);
    rows.push({
      stage: 'endpoint',
      what: `${probe.target}${pod ? ` (pod ${pod.metadata.name}${on ? ` on ${on}` : ''})` : ''}`,
      state: stateOf([probe]),
    });
  }
  const payloads = own('payload');
  if (payloads.some((probe) => probe.tries.length > 0))
    rows.push({ stage: 'payload', what: 'full-size packets', state: stateOf(payloads) });
  return rows;
}

/** The same number under another protocol, which nothing was sent to. Of cluster DNS both are asked. */
function otherProtocols({ target: { service, port, addresses }, dns }: Facts): Report['notChecked'] {
  if (service.state !== 'seen' || port === undefined || addresses.some((address) => dns.addresses.includes(address))) return [];
  return (service.value.spec.ports ?? [])
    .filter((other) => other.port === port.port && other.protocol !== port.protocol)
    .map((other) => ({
      what: `port ${other.port}/${other.protocol}`,
      why: `port ${port.port}/${port.protocol} of the same number was probed${other.name ? `; --port ${other.name} means the other` : ''}`,
    }));
}

/** Checks that could not be made, by their reason. What the first round did not need is not mentioned where all is well. */
function notChecked(judgement: Judgement): Report['notChecked'] {
  const groups = new Map<string, string[]>();
  for (const { meta, result } of judgement.results) {
    if (result.state !== 'unknown') continue;
    if (judgement.status === 'healthy' && result.reason === 'not-collected') continue;
    groups.set(result.detail, [...(groups.get(result.detail) ?? []), meta.slug]);
  }
  return [...groups].map(([why, slugs]) => ({ what: slugs.join(', '), why }));
}
