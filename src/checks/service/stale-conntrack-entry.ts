import type { Facts } from '../../facts/facts.ts';
import type { ConntrackFlow } from '../../model/conntrack.ts';
import { evidence } from '../../model/evidence.ts';
import { defineCheck, fail, fault, notSeen, pass, skip } from '../check.ts';
import { addressOf, breaksVirtual, nameOf, type VirtualService, virtualServices } from './virtual-services.ts';

export const staleConntrackEntry = defineCheck({
  meta: {
    id: 'SVC013',
    slug: 'stale-conntrack-entry',
    layer: 'service',
    title: "The client's flow is pinned by a connection tracking entry to an endpoint that is gone",
    since: '0.1.0',
    explain: {
      what: "An entry of the client node's connection tracking table goes on sending a flow of the client to an address that is no endpoint any more. The entry wins over kube-proxy's rules for as long as packets refresh it.",
      why: 'A UDP client that keeps its source port and never stops sending (DNS forwarders, syslog, game servers) across the death of an endpoint, where kube-proxy did not delete the entry; or TCP clients with few source ports.',
      confirm: ['conntrack -L -d CLUSTER-IP', 'kubectl get endpointslices -l kubernetes.io/service-name=NAME'],
      fix: ['conntrack -D -d CLUSTER-IP -p udp for that address only; never flush the whole table', 'Let the client open a new socket'],
      notThis: [
        'Entries in TIME_WAIT or CLOSE, and old ones of other clients: they pin nobody',
        'Rules that name the dead endpoint: SVC010',
      ],
      refs: ['https://github.com/kubernetes/kubernetes/issues/105657', 'https://github.com/kubernetes/kubernetes/issues/125467'],
    },
  },
  needs: (facts) => (facts.client.node === null ? [] : [facts.nodeNet(facts.client.node).conntrack()]),
  judge: (facts) => {
    const node = facts.client.node;
    if (node === null || facts.client.address === undefined) return skip('there is no client');
    const table = facts.nodeNet(node).conntrack();
    if (table.state !== 'seen') return notSeen(table);
    const found = virtualServices(facts).flatMap((virtual) => {
      const flows = table.value.flows.filter((flow) => isPinned(flow, virtual, facts.client.address as string));
      return flows.length > 0 ? [{ virtual, flows }] : [];
    });
    if (found.length === 0)
      return pass("no entry pins the client's flows to an address that is no endpoint", `conntrack -L on node ${node}`);
    return fail(...found.map(({ virtual, flows }) => describe(facts, node, virtual, flows)));
  },
});

/** A live entry of the client for the virtual address whose replies are expected from an address that is no endpoint. */
function isPinned(flow: ConntrackFlow, virtual: VirtualService, client: string): boolean {
  if (flow.original.dst !== virtual.address || flow.original.src !== client || flow.original.dport !== virtual.port) return false;
  if (!virtual.endpointsComplete || (flow.state !== undefined && flow.state !== 'ESTABLISHED')) return false;
  // Where no endpoint is left at all, what is left of old flows is a consequence and not the cause.
  if (!virtual.endpoints.some((endpoint) => endpoint.ready)) return false;
  // Not translated at all is another matter (no rules).
  return flow.reply.src !== virtual.address && !virtual.endpoints.some((endpoint) => endpoint.address === flow.reply.src);
}

function describe(facts: Facts, node: string, virtual: VirtualService, flows: readonly ConntrackFlow[]) {
  const dead = [...new Set(flows.map((flow) => flow.reply.src))].join(', ');
  return fault({
    title: `${flows.length} connection tracking entr${flows.length === 1 ? 'y' : 'ies'} of node ${node} send${flows.length === 1 ? 's' : ''} the client's flows to Service ${nameOf(virtual)} (${addressOf(virtual)}) to ${dead}, which is no endpoint any more`,
    where: {
      kind: 'conntrack-entry',
      name: `${flows[0]?.protocol ?? ''} ${facts.client.address} -> ${virtual.address}:${virtual.port} reply from ${dead}`,
      node,
    },
    evidence: [evidence(`node/${node}/conntrack`, ...flows.slice(0, 3).map((flow) => flow.line))],
    next: [
      `kubectl debug node/${node} -it --profile=sysadmin --image=nicolaka/netshoot -- conntrack -L -s ${facts.client.address} -d ${virtual.address}`,
    ],
    fix: [`on ${node}: conntrack -D -s ${facts.client.address} -d ${virtual.address} -p ${virtual.protocol}`],
    breaks: breaksVirtual(facts, virtual.address),
  });
}
