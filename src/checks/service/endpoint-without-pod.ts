import { type Facts, objectEvidence } from '../../facts/facts.ts';
import { failed, failureEvidence, isFailing, type ProbeResult } from '../../facts/probe-results.ts';
import type { Endpoint } from '../../model/endpoints.ts';
import { cidrContains, parseAddress, parseCidr } from '../../model/ip.ts';
import { type CheckResult, defineCheck, type Fault, fail, fault, notSeen, pass, skip } from '../check.ts';
import { hostOf } from '../traffic.ts';

export const endpointWithoutPod = defineCheck({
  meta: {
    id: 'SVC017',
    slug: 'endpoint-without-pod',
    layer: 'service',
    title: 'An EndpointSlice lists an address that no pod has',
    since: '0.1.0',
    explain: {
      what: 'kube-proxy sends a share of the connections to every address that the EndpointSlices list. One of them belongs to no pod any more, or to a pod that has another address by now: that share fails, after three seconds with "no route to host" where the node of this address range still answers, else by a timeout.',
      why: 'An EndpointSlice (or Endpoints object, which is mirrored) that was made by hand or by an operator and not taken back; an EndpointSlice controller that hangs.',
      confirm: [
        'kubectl get endpointslices -l kubernetes.io/service-name=NAME -o wide',
        'kubectl get pods -A -o wide | grep ADDRESS',
        'kubectl get endpointslice SLICE -o yaml   (endpointslice.kubernetes.io/managed-by)',
      ],
      fix: ['Delete the EndpointSlice or Endpoints object that nobody keeps up to date, or take the address out of it'],
      notThis: [
        'The rules of a node still have an address that the EndpointSlices no longer list: SVC010',
        'The pod is there and can not be reached: a fault of the CNI layer',
        'Addresses outside the cluster in a slice made by hand are used on purpose',
      ],
      refs: ['https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#management'],
    },
  },
  needs: (facts) => [facts.target.endpoints, facts.pods(facts.target.namespace)],
  judge: (facts) => {
    const { endpoints, namespace } = facts.target;
    const pods = facts.pods(namespace);
    if (endpoints.state !== 'seen' || pods.state !== 'seen') return notSeen(endpoints.state !== 'seen' ? endpoints : pods);
    const used = endpoints.value.filter((endpoint) => endpoint.ready || endpoint.serving);
    if (used.length === 0) return skip('no endpoint is in use');
    if (!pods.complete) return notSeen({ state: 'unknown', reason: 'unparsed', detail: 'not every pod of the namespace was understood' });
    const gone = used.flatMap((endpoint) => judge(facts, endpoint) ?? []);
    return gone.length > 0 ? fail(...gone.map((one) => describe(facts, one, gone.length === used.length))) : passed(used.length);
  },
});

const passed = (count: number): CheckResult =>
  pass(
    `${count === 1 ? 'the endpoint is' : `the ${count} endpoints are`} not left over from pods that are gone`,
    'EndpointSlices against the pods of the namespace',
  );

interface Gone {
  endpoint: Endpoint;
  what: string;
  failing: readonly ProbeResult[];
}

function judge(facts: Facts, endpoint: Endpoint): Gone | null {
  if (facts.podByAddress(endpoint.address)) return null;
  const failing = facts.probes.filter(
    (probe) => probe.stage === 'endpoint' && hostOf(probe.target) === endpoint.address && isFailing(probe),
  );
  if (failing.length === 0) return null;
  return endpoint.pod ? podGone(facts, endpoint, endpoint.pod, failing) : nobodyThere(facts, endpoint, failing);
}

/** The slice names the pod that it means. Pods of another namespace than the Service's were not listed. */
function podGone(
  facts: Facts,
  endpoint: Endpoint,
  { namespace, name }: { namespace: string; name: string },
  failing: ProbeResult[],
): Gone | null {
  if (namespace !== facts.target.namespace) return null;
  const pod = facts.pod(namespace, name);
  const now = pod?.status.podIP;
  // Terminating, or starting with an address of its own to come: the slice follows within seconds.
  if (pod && (now === undefined || now === endpoint.address)) return null;
  const what = pod ? `pod ${namespace}/${name}, which has the address ${now} now` : `pod ${namespace}/${name}, which is not there any more`;
  return { endpoint, what, failing };
}

/** A bare address of the pod range, which its own node can't find on its bridge, and which no pod of the namespace has. */
function nobodyThere(facts: Facts, endpoint: Endpoint, failing: ProbeResult[]): Gone | null {
  const owner = rangeOwner(facts, endpoint.address);
  const own = failing.find(({ origin, tries }) => origin.kind === 'node' && origin.name === owner && tries.length > 0);
  if (owner === null || !own || !failed(own).every(({ cause }) => cause === 'host-unreachable') || failed(own).length < own.tries.length)
    return null;
  return {
    endpoint,
    what: `no pod of namespace ${facts.target.namespace} has this address, and node ${owner}, in whose pod range it lies, finds nobody there`,
    failing: [own, ...failing.filter((probe) => probe !== own)],
  };
}

function rangeOwner(facts: Facts, address: string): string | null {
  const nodes = facts.nodes();
  const parsed = parseAddress(address);
  if (nodes.state !== 'seen' || parsed === undefined) return null;
  const owner = nodes.value.find(({ spec }) =>
    [spec.podCIDR ?? [], spec.podCIDRs ?? []].flat().some((range) => {
      const cidr = parseCidr(range);
      return cidr !== undefined && cidrContains(cidr, parsed);
    }),
  );
  return owner?.metadata.name ?? null;
}

/** Connections through the Service fail by their share alone; where all of them do, this is the cause only if no endpoint is left. */
function describe(facts: Facts, { endpoint, what, failing }: Gone, allGone: boolean): Fault {
  const { namespace, name, addresses } = facts.target;
  const slice = { metadata: { name: endpoint.slice, namespace } };
  return fault({
    title: `EndpointSlice ${namespace}/${endpoint.slice} lists ${endpoint.address} as an endpoint of Service ${name}: ${what}`,
    where: { kind: 'EndpointSlice', namespace, name: endpoint.slice },
    evidence: [
      objectEvidence('endpointslice', slice, '.endpoints[*].addresses', [endpoint.address]),
      ...failing.slice(0, 2).map((probe) => failureEvidence(probe, 1)),
    ],
    next: [
      `kubectl get endpointslice ${endpoint.slice} -n ${namespace} -o yaml`,
      `kubectl get pods -A -o wide | grep -w ${endpoint.address}`,
    ],
    fix: [
      `take ${endpoint.address} out of EndpointSlice ${endpoint.slice}, or delete the slice, and find out who made it (its labels and managedFields)`,
    ],
    breaks: (probe) =>
      hostOf(probe.target) === endpoint.address ||
      (probe.stage === 'service' && addresses.includes(hostOf(probe.target)) && (allGone || failed(probe).length < probe.tries.length)),
  });
}
