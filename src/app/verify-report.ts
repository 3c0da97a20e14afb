import type { Facts } from '../facts/facts.ts';
import { nameOf } from '../intent/cluster-objects.ts';
import { findingsOf, type VerifyFinding } from '../intent/findings.ts';
import { type ClusterVerification, type NodeResult, type VerifyChoice, verifyCluster } from '../intent/verify-cluster.ts';
import type { Service } from '../schema/kubernetes.ts';
import type { VerifyReport } from '../schema/verify.ts';
import { circumstancesOf } from '../tree/report.ts';
import { publishDifference } from '../tree/rules.ts';

/** Verifies a snapshot and puts the result into the published form. Everything in it comes from the snapshot. */
export function buildVerifyReport(facts: Facts, choice: VerifyChoice = {}): VerifyReport {
  const cluster = verifyCluster(facts, choice);
  const findings = findingsOf(cluster);
  const { manifest } = facts.snapshot;
  const notChecked = notCheckedOf(cluster);
  return {
    apiVersion: 'k8snet.dev/v1',
    kind: 'VerifyReport',
    k8snet: manifest.k8snet,
    scope: {
      services: cluster.objects.services.length,
      allServices: cluster.objects.allServices,
      nodes: [...new Set(cluster.nodes.map(({ node }) => node))],
    },
    verdict: verdictOf(cluster, findings, notChecked),
    findings: findings.map((finding) => publishDifference(facts, finding)),
    nodes: cluster.nodes.map((node) => nodeRow(node, findings)),
    notChecked: [...notChecked, ...dnsOnlyRows(cluster)],
    ...circumstancesOf(facts),
  };
}

const familyName = (family: NodeResult['family']): 'IPv4' | 'IPv6' => (family === 'ip' ? 'IPv4' : 'IPv6');

const nothingToWalk = 'no address of a Service to walk to';

function nodeRow(result: NodeResult, findings: readonly VerifyFinding[]): VerifyReport['nodes'][number] {
  const { node, mode, verification, unknown } = result;
  const family = familyName(result.family);
  const differs = findings.some((finding) => finding.node === node && finding.family === family && finding.severity === 'fault');
  const doubts = [...(verification?.unknown ?? [])].map(
    ([why, fronts]) => `${fronts.size} ${fronts.size === 1 ? 'front' : 'fronts'}: ${why}`,
  );
  return {
    name: node,
    family,
    mode,
    state: differs ? 'differs' : verification === null || doubts.length > 0 ? 'unknown' : 'as-intended',
    fronts: verification?.fronts.length ?? 0,
    flows: verification?.flows ?? 0,
    agree: verification?.agree ?? 0,
    detail: unknown ?? (doubts.length > 0 ? doubts.slice(0, 3).join('; ') : verification?.fronts.length === 0 ? nothingToWalk : null),
  };
}

function notCheckedOf({ nodes, objects }: ClusterVerification): VerifyReport['notChecked'] {
  return [
    ...objects.unknown,
    ...nodes.flatMap(({ node, family, unknown }) =>
      unknown === null ? [] : [{ what: `node ${node} (${familyName(family)})`, why: unknown }],
    ),
    ...nodes.flatMap(({ node, verification }) =>
      [...(verification?.unknown ?? [])].map(([why, fronts]) => ({
        what: `${fronts.size} Service ${fronts.size === 1 ? 'address' : 'addresses'} on node ${node}`,
        why,
      })),
    ),
  ];
}

const isDnsOnly = ({ spec }: Service): boolean => spec.type === 'ExternalName' || spec.clusterIP === 'None';

/** Where all of the cluster is verified, Services without rules are no news. */
const dnsOnlyRows = ({ objects }: ClusterVerification): VerifyReport['notChecked'] =>
  objects.allServices
    ? []
    : objects.services.filter(isDnsOnly).map((service) => ({
        what: `Service ${nameOf(service)}`,
        why: `${service.spec.type === 'ExternalName' ? `another name for ${service.spec.externalName ?? ''}` : 'headless'}: it has no ClusterIP, and kube-proxy no rules for it (DNS only)`,
      }));

function verdictOf(
  { nodes, objects }: ClusterVerification,
  findings: readonly VerifyFinding[],
  notChecked: VerifyReport['notChecked'],
): VerifyReport['verdict'] {
  const faults = findings.filter(({ severity }) => severity === 'fault');
  const settling = findings.filter(({ severity }) => severity === 'settling').length;
  const judged = nodes.filter(({ verification }) => verification !== null);
  const [first] = faults;
  if (first) return { status: 'fault', summary: faults.length === 1 ? first.title : `${first.title}; and ${faults.length - 1} more` };
  const dnsOnly = objects.services.filter(isDnsOnly);
  if (dnsOnly.length > 0 && dnsOnly.length === objects.services.length && objects.unknown.length === 0)
    return {
      status: 'healthy',
      summary: `there is nothing to verify: ${dnsOnly.length === 1 ? `Service ${nameOf(dnsOnly[0] as Service)} has` : `the ${dnsOnly.length} Services have`} no ClusterIP (DNS only), and kube-proxy no rules to compare`,
    };
  if (objects.services.length === 0 && objects.unknown.length === 0 && judged.length > 0 && notChecked.length === 0)
    return { status: 'healthy', summary: 'there is nothing to verify: there is no Service' };
  // What other rules do behind the translation is not judged, and may be meant; that all is well is not said of it.
  const [stopped] = findings.filter(({ kind }) => kind === 'stopped-after');
  const asFar = `${stopped ? `the rules of kube-proxy on ${judged.length} ${judged.length === 1 ? 'node' : 'nodes'} do` : `the tables of ${judged.length} ${judged.length === 1 ? 'node does' : 'nodes do'}`} what the API says of ${objects.services.length} ${objects.services.length === 1 ? 'Service' : 'Services'}`;
  if (judged.length === 0) return { status: 'unknown', summary: `no node could be judged: ${notChecked[0]?.why ?? 'none was looked at'}` };
  if (notChecked.length > 0)
    return { status: 'unknown', summary: `as far as could be told, ${asFar}; ${notChecked[0]?.what}: ${notChecked[0]?.why}` };
  return {
    status: 'healthy',
    summary: `${asFar}${settling > 0 ? `; ${settling} ${settling === 1 ? 'difference is' : 'differences are'} too young to tell` : ''}${stopped ? `; but ${stopped.title}` : ''}`,
  };
}
