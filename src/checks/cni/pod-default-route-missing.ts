import type { Facts } from '../../facts/facts.ts';
import type { ProbeResult } from '../../facts/probe-results.ts';
import { evidence } from '../../model/evidence.ts';
import { parseAddress } from '../../model/ip.ts';
import { type Route, routeCovers } from '../../model/route.ts';
import type { Pod } from '../../schema/kubernetes.ts';
import type { Leg } from '../../walk/leg.ts';
import { lookupRoute } from '../../walk/route-lookup.ts';
import { type CheckResult, cannotTell, defineCheck, type Fault, fail, fault, pass, skip } from '../check.ts';
import { dependenciesOf, fromClient } from '../traffic.ts';
import { breaksLegs, flowLegs, legsSeenToWork, pathKey } from './legs.ts';
import { podKey, podName } from './pod-links.ts';

export const podDefaultRouteMissing = defineCheck({
  meta: {
    id: 'CNI015',
    slug: 'pod-default-route-missing',
    layer: 'cni',
    title: 'A pod has no route out of its own subnet, or its gateway does not answer',
    since: '0.1.0',
    explain: {
      what: 'The client pod, or a backend, has no default route (nor another that covers the addresses of this flow), or the gateway that its route names can\'t be resolved. The client gets "Network is unreachable" at once (no route) or "No route to host" after three seconds (no gateway); a backend without a route gets the requests and can\'t answer those from other nodes.',
      why: 'A sidecar, a VPN client or an init container with NET_ADMIN removed the route; a second network interface took it over; the CNI plugin failed half way; on Calico: the node does not answer ARP for 169.254.1.1.',
      confirm: ['ip route   (in the pod)', 'ip neigh   (in the pod)'],
      fix: ['Delete the pod: its controller makes it anew, with its routes', 'See what in the pod has NET_ADMIN and changes routes'],
      notThis: [
        "Calico's `default via 169.254.1.1` and Cilium's gateway are on no interface: by design",
        'Only IPv6 lacks a default route: IPv4 is not concerned',
      ],
      refs: [
        'ip-route(8)',
        'https://docs.tigera.io/calico/latest/reference/faq#why-cant-i-see-the-16925411-address-mentioned-above-on-my-host',
      ],
    },
  },
  needs: () => [],
  judge: (facts) => {
    const legs = flowLegs(facts);
    const pods = [
      ...new Map(
        legs
          .flatMap((leg) => [leg.from.pod, leg.to.pod])
          .filter((pod) => pod !== undefined)
          .map((pod) => [podName(pod), pod]),
      ).values(),
    ];
    if (pods.length === 0) return skip('no pod with a network of its own in this flow');
    const results = pods.map((pod) => judgePod(facts, pod, legs));
    const faults = results.flatMap((result) => (result.state === 'fail' ? result.faults : []));
    if (faults.length > 0) return fail(...faults);
    return (
      results.find((result) => result.state === 'unknown') ??
      pass('the pods have routes to each other and to the Service', `ip route in ${pods.map(podName).join(', ')}`)
    );
  },
});

function judgePod(facts: Facts, pod: Pod, legs: readonly Leg[]): CheckResult {
  const net = facts.podNet(pod);
  const routes = net.routes();
  if (routes.state !== 'seen')
    return cannotTell(
      routes.state === 'unknown' ? routes.reason : 'not-collected',
      `routes of pod ${podName(pod)}: ${routes.state === 'unknown' ? routes.detail : 'not there'}`,
    );
  const works = legsSeenToWork(facts);
  const lostLegs = legs.filter(
    (leg) => [leg.from.pod, leg.to.pod].includes(pod) && !works.has(pathKey(leg)) && !covers(routes.value, farAddress(leg, pod)),
  );
  const isClient = facts.client.pod === pod;
  const virtual = isClient ? [...facts.target.addresses, ...facts.dns.addresses].filter((address) => !covers(routes.value, address)) : [];
  if (lostLegs.length > 0 || virtual.length > 0) {
    if (!routes.complete) return cannotTell('unparsed', `routes of pod ${podName(pod)} were not read whole`);
    return fail(describeMissing(facts, pod, lostLegs, virtual));
  }
  const silent = silentGateway(
    facts,
    pod,
    legs.filter((leg) => !works.has(pathKey(leg))),
  );
  return silent ? fail(silent) : pass('', '');
}

const farAddress = (leg: Leg, pod: Pod): string => (leg.from.pod === pod ? leg.to.address : leg.from.address);

/** Rules of policy routing are not read in pods, so that a route in any table may serve. */
const covers = (routes: readonly Route[], address: string): boolean => {
  const parsed = parseAddress(address);
  return (
    parsed === undefined ||
    routes.some(
      (route) =>
        (route.type === 'unicast' || route.type === 'local') &&
        route.family !== 6 &&
        (route.dst === 'default' || routeCovers(route, parsed) === true),
    )
  );
};

function describeMissing(facts: Facts, pod: Pod, legs: readonly Leg[], virtual: readonly string[]): Fault {
  const byLeg = breaksLegs(facts, legs);
  const far = [...new Set([...legs.map((leg) => farAddress(leg, pod)), ...virtual])];
  const isClient = facts.client.pod === pod;
  return fault({
    title: `pod ${podName(pod)} has no route to ${far.slice(0, 3).join(', ')}${far.length > 3 ? ` and ${far.length - 3} more` : ''}: it ${isClient ? "can't leave its own subnet" : "can't answer pods of other nodes"}`,
    where: { kind: 'route', namespace: pod.metadata.namespace ?? '', name: `default route of pod ${podName(pod)}` },
    evidence: [evidence(podKey(pod, 'ip-route'), ...mainRoutes(facts, pod))],
    next: [`kubectl exec -n ${pod.metadata.namespace} ${pod.metadata.name} -- ip route`],
    fix: [`kubectl delete pod -n ${pod.metadata.namespace} ${pod.metadata.name}, so that the CNI plugin gives it its routes anew`],
    breaks: (probe) => (isClient && fromClient(facts, probe) ? breaksClient(facts, probe, virtual) : false) || byLeg(probe),
  });
}

/** What the pod has instead; none at all is shown as the whole output. */
function mainRoutes(facts: Facts, pod: Pod): number[] {
  const routes = facts.podNet(pod).routes();
  return routes.state === 'seen'
    ? routes.value.filter((route) => route.table === undefined && route.family !== 6).map((route) => route.line)
    : [];
}

/** What the client itself sends goes to a virtual address where there is one, whatever becomes of it on the node. */
const breaksClient = (facts: Facts, probe: ProbeResult, virtual: readonly string[]): boolean =>
  probe.stage !== 'node' && dependenciesOf(facts, probe).virtual.some((address) => virtual.includes(address));

/** The gateway of a pod's route, where the pod asked for it and got no answer. */
function silentGateway(facts: Facts, pod: Pod, legs: readonly Leg[]): Fault | null {
  const net = facts.podNet(pod);
  const neighbours = net.neighbours();
  if (neighbours.state !== 'seen') return null;
  const failed = neighbours.value.filter((item) => item.states.includes('FAILED') || item.states.includes('INCOMPLETE'));
  const lost = legs
    .filter((leg) => [leg.from.pod, leg.to.pod].includes(pod))
    .flatMap((leg) => {
      const decision = lookupRoute(net, { to: farAddress(leg, pod) });
      const via = decision.state === 'seen' ? decision.value.via : undefined;
      const entry = failed.find((item) => item.address === via);
      return entry && decision.state === 'seen' && decision.value.route ? [{ leg, entry, line: decision.value.route.line }] : [];
    });
  const [first] = lost;
  if (!first) return null;
  const { entry, line } = first;
  const byLeg = breaksLegs(
    facts,
    lost.map((item) => item.leg),
  );
  const isClient = facts.client.pod === pod;
  return fault({
    title: `pod ${podName(pod)} gets no answer from its gateway ${entry.address}: nothing that it sends gets out of its subnet`,
    where: { kind: 'neighbour', namespace: pod.metadata.namespace ?? '', name: `${entry.address} of pod ${podName(pod)}` },
    evidence: [evidence(podKey(pod, 'ip-neigh'), entry.line), evidence(podKey(pod, 'ip-route'), line)],
    next: [
      `kubectl exec -n ${pod.metadata.namespace} ${pod.metadata.name} -- ip neigh`,
      `kubectl get pod -n ${pod.metadata.namespace} ${pod.metadata.name} -o wide`,
    ],
    fix: [`see that node ${pod.spec.nodeName} has ${entry.address} on the bridge of its pods (or answers ARP for it), then delete the pod`],
    breaks: (probe) =>
      (isClient && fromClient(facts, probe) && probe.stage !== 'node' && dependenciesOf(facts, probe).virtual.length > 0) || byLeg(probe),
  });
}
