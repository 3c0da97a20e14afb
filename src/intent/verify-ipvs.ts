import { evidence } from '../model/evidence.ts';
import type { IpSet } from '../model/ipset.ts';
import type { VirtualServer } from '../model/ipvs.ts';
import { type DifferenceKind, listed } from './compare.ts';
import { type ExpectedServer, type IpvsPlan, planIpvs } from './ipvs.ts';
import type { Front, NodePlan } from './node-plan.ts';
import type { NodeTables } from './node-tables.ts';
import type { Explained } from './scene.ts';
import { canonical, endpointKey } from './service-ports.ts';
import { doubt, type NodeVerification } from './verification.ts';

/**
 * Holds the virtual servers of a node in ipvs mode against the intent: each server with its real servers (weight 0 is a graceful end, and none),
 * the addresses that kube-ipvs0 has to hold so that packets come to IPVS at all, and the sets by which packets are masqueraded.
 */
export function verifyIpvs(plan: NodePlan, tables: NodeTables, servicesKnown: boolean): NodeVerification {
  const wanted = planIpvs(plan);
  const result: NodeVerification = {
    node: plan.node.name,
    fronts: plan.fronts,
    flows: wanted.servers.length,
    agree: 0,
    differences: [],
    unknown: new Map(),
    stale: [],
  };
  const servers = tables.ipvs();
  if (servers.state !== 'seen' || !servers.complete) {
    const why = servers.state === 'unknown' ? servers.detail : 'not every line of ipvsadm was understood';
    for (const front of plan.fronts) doubt(result, why, front);
    return result;
  }
  const byPlace = new Map(servers.value.map((server) => [placeOf(server), server]));
  for (const server of wanted.servers) {
    const before = result.differences.length;
    const found = byPlace.get(placeOf(server));
    if (found === undefined) miss(result, server, servers.from);
    else compareServer(result, server, found, servers.from);
    checkBound(result, tables, wanted, server);
    if (result.differences.length === before) result.agree += 1;
  }
  const sets = tables.ipsets();
  if (sets.state === 'seen' && sets.complete) checkSets(result, plan, wanted, sets.value, sets.from);
  if (servicesKnown) addStale(result, wanted, servers.value, plan, servers.from);
  return result;
}

const placeOf = ({ protocol, address, port }: { protocol: string; address?: string; port?: number }): string =>
  `${protocol} ${canonical(address ?? '') ?? ''} ${port}`;

const keyOf = ({ address, port }: { address: string; port?: number }): string => endpointKey(canonical(address) ?? address, port ?? 0);

function add(
  result: NodeVerification,
  front: Front,
  kind: DifferenceKind,
  words: { is: string; should: string },
  endpoints: string[],
  explained: Omit<Explained, 'kind'>,
): void {
  result.differences.push({
    front,
    flow: null,
    difference: { kind, endpoints, expects: 'translated', ...words },
    explained: { kind, ...explained },
  });
}

const name = ({ front }: ExpectedServer): string =>
  `${front.planned.port.namespace}/${front.planned.port.name}:${front.planned.port.portName}`;

function miss(result: NodeVerification, server: ExpectedServer, from: string): void {
  add(
    result,
    server.front,
    'missing',
    { is: 'has no virtual server', should: `to be a virtual server for ${listed(server.realServers)}` },
    server.realServers,
    {
      cause: `no server ${name(server)}`,
      why: `IPVS has no virtual server ${endpointKey(server.address, server.port)}/${server.protocol}`,
      evidence: [evidence(from)],
    },
  );
}

function compareServer(result: NodeVerification, server: ExpectedServer, found: VirtualServer, from: string): void {
  const living = found.realServers.filter(({ weight }) => weight !== 0);
  const extra = living.filter((real) => !server.realServers.includes(keyOf(real)));
  const lacking = server.realServers.filter((key) => !living.some((real) => keyOf(real) === key));
  const should = `to have the real servers ${listed(server.realServers)}`;
  if (extra.length > 0) {
    const keys = extra.map(keyOf);
    add(
      result,
      server.front,
      'stale-endpoint',
      { is: `has the real ${keys.length === 1 ? 'server' : 'servers'} ${listed(keys)}, not among its endpoints (any more)`, should },
      keys,
      {
        cause: `endpoints ${name(server)} ${keys.sort().join(' ')}`,
        why: `real servers of ${endpointKey(server.address, server.port)}`,
        evidence: [evidence(from, found.line, ...extra.map(({ line }) => line).slice(0, 7))],
      },
    );
  }
  if (lacking.length > 0)
    add(
      result,
      server.front,
      'missing-endpoint',
      { is: `lacks the real ${lacking.length === 1 ? 'server' : 'servers'} ${listed(lacking)}`, should },
      lacking,
      {
        cause: `endpoints ${name(server)} ${[...lacking].sort().join(' ')}`,
        why: `virtual server ${endpointKey(server.address, server.port)}`,
        evidence: [evidence(from, found.line, ...living.map(({ line }) => line).slice(0, 7))],
      },
    );
  if ((found.persistentTimeout ?? 0) !== server.persistentTimeout)
    add(
      result,
      server.front,
      'wrong-affinity',
      { is: `keeps clients for ${found.persistentTimeout ?? 0} s`, should: `to keep them for ${server.persistentTimeout} s` },
      [],
      {
        cause: `affinity ${name(server)}`,
        why: `virtual server ${endpointKey(server.address, server.port)}`,
        evidence: [evidence(from, found.line)],
      },
    );
}

/** A packet for an address that is not on the node is routed away, and IPVS never sees it. */
function checkBound(result: NodeVerification, tables: NodeTables, wanted: IpvsPlan, server: ExpectedServer): void {
  if (!wanted.bound.has(server.address) || tables.addresses.some((address) => canonical(address) === server.address)) return;
  add(
    result,
    server.front,
    'unhooked',
    { is: 'is not an address of the node, so that IPVS sees no packet for it', should: 'to be bound to kube-ipvs0' },
    [],
    {
      cause: `not bound ${server.address}`,
      why: `kube-ipvs0 does not have ${server.address}`,
      evidence: [evidence(`node/${tables.node}/ip-addr`)],
    },
  );
}

/** Sets decide what is masqueraded and who is barred; one that lacks an entry is quoted by its own line. */
function checkSets(result: NodeVerification, plan: NodePlan, wanted: IpvsPlan, sets: readonly IpSet[], from: string): void {
  const byName = new Map(sets.map((set) => [set.name, set]));
  for (const [setName, entries] of wanted.sets) {
    const set = byName.get(setName);
    const members = new Set(set?.members.map(({ parts }) => parts.join(',')));
    for (const entry of entries) {
      const front = members.has(entry) ? undefined : frontOfEntry(plan, entry);
      if (front === undefined) continue;
      add(
        result,
        front,
        'wrong-masquerade',
        { is: `is not in set ${setName}`, should: 'to be in it, since the rules that masquerade and allow go by sets' },
        [],
        {
          cause: `set ${setName} ${front.planned.port.namespace}/${front.planned.port.name}`,
          why: set === undefined ? `there is no set ${setName}` : `set ${setName} lacks ${entry}`,
          evidence: [evidence(from, ...(set === undefined ? [] : [set.line]))],
        },
      );
    }
  }
}

/** The front that a set's entry is about: `10.96.0.1,tcp:443`, `30080`, `10.244.1.2,tcp:8080,10.244.1.2`, `10.96.0.1`. */
function frontOfEntry(plan: NodePlan, entry: string): Front | undefined {
  const [address = '', port = ''] = entry.split(',');
  return plan.fronts.find((front) => {
    if (/^\d+$/.test(entry)) return front.address === null && front.port === Number(entry);
    if (front.address === address && (port === '' || port === `${front.protocol}:${front.port}`)) return true;
    return front.planned.endpoints.some((endpoint) => endpoint.address === address && port === `${front.protocol}:${endpoint.port}`);
  });
}

function addStale(result: NodeVerification, wanted: IpvsPlan, servers: readonly VirtualServer[], plan: NodePlan, from: string): void {
  const known = new Set(wanted.servers.map(placeOf));
  for (const server of servers) {
    const address = canonical(server.address ?? '');
    if (
      address === undefined ||
      server.port === undefined ||
      address.includes(':') !== (plan.family === 'ip6') ||
      known.has(placeOf(server))
    )
      continue;
    // kube-proxy ends a server's real servers first, and itself once they have drained.
    if (server.realServers.every(({ weight }) => weight === 0)) continue;
    result.stale.push({
      address,
      port: server.port,
      protocol: server.protocol,
      text: endpointKey(address, server.port),
      entry: from,
      line: server.line,
    });
  }
}
