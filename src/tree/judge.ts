import type { Check, CheckResult, Fault } from '../checks/check.ts';
import { runCheck } from '../checks/check.ts';
import type { Facts } from '../facts/facts.ts';
import { isPassing, type ProbeResult } from '../facts/probe-results.ts';
import type { CheckMeta, Layer } from '../model/check.ts';
import { describeProbe, symptomsOf } from './symptoms.ts';

export interface JudgedFinding {
  meta: CheckMeta;
  fault: Fault;
  severity: 'fault' | 'note';
  /** Failing probes that it explains first. */
  explains: ProbeResult[];
  consequences: string[];
}

export interface Judgement {
  status: 'healthy' | 'fault' | 'unknown';
  layer: Layer | null;
  confidence: 'high' | 'medium' | 'low';
  summary: string;
  /** Faults in the order root first, then notes. */
  findings: JudgedFinding[];
  symptoms: ProbeResult[];
  /** Failing probes that nothing explains. */
  unexplained: ProbeResult[];
  results: { meta: CheckMeta; result: CheckResult }[];
}

/**
 * Probe first, explain second: the failing probes of the client are the symptoms; the checks, lower layers first, explain them. A fault that
 * explains a symptom which none before it did is a finding; one that explains only what is explained already is a consequence; one whose
 * traffic was seen to pass is a note. Nothing is healthy that was not seen to work.
 */
export function judgeFacts(facts: Facts, checks: readonly Check[]): Judgement {
  const results = checks.map((check) => ({ meta: check.meta, result: runCheck(check, facts) }));
  const symptoms = symptomsOf(facts);
  const { findings, unexplained } = attribute(facts, results, symptoms);
  const faults = findings.filter((finding) => finding.severity === 'fault');
  const root = faults[0];
  const base = { findings, symptoms, unexplained, results };
  if (root)
    return {
      ...base,
      status: 'fault',
      layer: root.meta.layer,
      confidence: confidenceOf(root, results, unexplained),
      summary: root.fault.title,
    };
  if (unexplained.length > 0)
    return {
      ...base,
      status: 'fault',
      layer: layerOfStage(unexplained[0] as ProbeResult),
      confidence: 'low',
      summary: `${describeProbe(unexplained[0] as ProbeResult)}, and nothing that was read explains it`,
    };
  const missing = whatWasNotSeenToWork(facts);
  if (missing !== null) return { ...base, status: 'unknown', layer: null, confidence: 'low', summary: `could not tell: ${missing}` };
  const doubts =
    facts.probes.some((probe) => probe.unknown !== null && probe.stage !== 'payload') || facts.snapshot.manifest.access.lost.length > 0;
  return {
    ...base,
    status: 'healthy',
    layer: null,
    confidence: doubts ? 'medium' : 'high',
    summary: `${healthySummary(facts)}${butOf(findings)}`,
  };
}

function attribute(
  facts: Facts,
  results: readonly { meta: CheckMeta; result: CheckResult }[],
  symptoms: readonly ProbeResult[],
): { findings: JudgedFinding[]; unexplained: ProbeResult[] } {
  const open = new Set(symptoms);
  const owner = new Map<ProbeResult, JudgedFinding>();
  const findings: JudgedFinding[] = [];
  for (const { meta, result } of results) {
    if (result.state !== 'fail') continue;
    for (const fault of result.faults) {
      const explained = fault.noteOnly ? [] : symptoms.filter((probe) => fault.breaks(probe));
      const fresh = explained.filter((probe) => open.has(probe));
      const first = explained[0];
      if (fresh.length === 0 && first !== undefined) {
        // What stands for "no cause was found" is no consequence of the cause.
        if (!/unexplained$/.test(meta.slug)) owner.get(first)?.consequences.push(fault.title);
        continue;
      }
      const severity = fresh.length > 0 || isCertain(facts, fault) ? 'fault' : 'note';
      const finding: JudgedFinding = { meta, fault, severity, explains: fresh, consequences: fresh.map(describeProbe) };
      for (const probe of fresh) {
        open.delete(probe);
        owner.set(probe, finding);
      }
      findings.push(finding);
    }
  }
  const order = (finding: JudgedFinding): number => (finding.severity === 'fault' ? 0 : 1);
  return { findings: findings.sort((a, b) => order(a) - order(b)), unexplained: [...open] };
}

/** A fault that needs no probe to be one: nothing that it breaks was seen to work. */
function isCertain(facts: Facts, fault: Fault): boolean {
  if (!fault.certain || fault.noteOnly) return false;
  return !facts.probes.some((probe) => fault.breaks(probe) && probe.unknown === null && probe.tries.length > 0);
}

function confidenceOf(
  root: JudgedFinding,
  results: readonly { meta: CheckMeta; result: CheckResult }[],
  unexplained: readonly ProbeResult[],
): 'high' | 'medium' | 'low' {
  if (/unexplained$/.test(root.meta.slug)) return 'low';
  const unknownBefore = results
    .slice(
      0,
      results.findIndex(({ meta }) => meta.id === root.meta.id),
    )
    .filter(({ result }) => result.state === 'unknown').length;
  if (root.explains.length === 0 || unexplained.length > 0) return 'medium';
  return unknownBefore > 3 ? 'medium' : 'high';
}

const layerOfStage = (probe: ProbeResult): Layer =>
  probe.stage === 'name' || probe.stage === 'dns-server' ? 'dns' : probe.stage === 'service' ? 'service' : 'cni';

/** What has to be seen working before a Service is called healthy: its name for a pod, and a connection through it. Null when all was. */
function whatWasNotSeenToWork(facts: Facts): string | null {
  const { client, target } = facts;
  if (client.origin === '') return `no probe could be sent: ${client.request.why}`;
  const own = (stage: ProbeResult['stage']) => facts.probesOf(stage, client.origin);
  const works = (probes: readonly ProbeResult[]) => probes.some(isPassing);
  if (client.request.kind === 'Pod') {
    const names = own('name');
    if (!works(names))
      return names[0]?.unknown
        ? `the name was not looked up from ${client.origin} (${names[0].unknown.detail})`
        : `the name was not looked up from ${client.origin}`;
  }
  if (target.service.state === 'seen' && target.service.value.spec.type === 'ExternalName' && !target.port) return null;
  const isDnsService =
    facts.dns.service.state === 'seen' &&
    target.service.state === 'seen' &&
    facts.dns.service.value.metadata.name === target.name &&
    facts.dns.service.value.metadata.namespace === target.namespace;
  const reached = [
    ...own('service'),
    ...(target.addresses.length === 0 ? own('endpoint') : []),
    ...(isDnsService ? own('dns-server') : []),
  ];
  if (works(reached)) return null;
  if (reached.length === 0 && !target.port && target.service.state === 'seen')
    return `Service ${target.namespace}/${target.name} declares no port, so that none can be tried; its name resolves`;
  const reason = reached.find((probe) => probe.unknown)?.unknown?.detail;
  if (reached.length === 0 && target.port && target.port.protocol !== 'TCP')
    return `port ${target.port.port} is ${target.port.protocol}: no answer can be asked for without knowing what the application speaks`;
  return `no connection to the Service was tried from ${client.origin}${reason ? ` (${reason})` : ''}`;
}

/** Connections to what is no endpoint may be answered too, by somebody else: who reads the verdict alone has to know. */
function butOf(findings: readonly JudgedFinding[]): string {
  const stale = findings.find(({ meta, fault }) => meta.slug === 'service-rules-stale' && fault.title.includes(' which is no endpoint'));
  return stale === undefined ? '' : `; but ${stale.fault.title}`;
}

function healthySummary(facts: Facts): string {
  const { target, client } = facts;
  const service = facts.probesOf('service', client.origin).filter(isPassing);
  const tries = service.reduce((sum, probe) => sum + probe.tries.length, 0);
  const endpoints = facts.probesOf('endpoint', client.origin).filter(isPassing).length;
  const from = client.request.kind === 'Pod' ? `pod ${client.request.namespace}/${client.request.name}` : `node ${client.request.name}`;
  const parts = [
    tries > 0 ? `${tries} of ${tries} tries through the Service answered` : '',
    endpoints > 0 ? `${endpoints} endpoint${endpoints === 1 ? '' : 's'} reached directly` : '',
  ].filter(Boolean);
  if (target.service.state === 'seen' && target.service.value.spec.type === 'ExternalName' && tries === 0)
    return `the name of Service ${target.namespace}/${target.name} resolves from ${from} (ExternalName without a port: there is none to connect to)`;
  return `Service ${target.namespace}/${target.name} works from ${from}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
}

/** Whether the second round is needed: something failed, or what has to be seen working was not. */
export const needsCloserLook = (facts: Facts): boolean =>
  symptomsOf(facts).length > 0 || hints(facts) || whatWasNotSeenToWork(facts) !== null;

/** Fragments that came back from an endpoint: the way back is narrower than the way there, which only the endpoint's node can tell. */
const hints = (facts: Facts): boolean => facts.probes.some((probe) => (probe.payload?.reassembled ?? 0) > 0);
