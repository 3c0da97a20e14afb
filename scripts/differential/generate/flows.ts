import type { Case, Flow } from '../case.ts';
import { type DeviceName, hostsOf, routerAddresses } from '../lab.ts';
import { clients, destinations, ports } from '../pools.ts';
import type { Random } from '../random.ts';

/** Packets that open connections, each with a source port of its own. Rules that remember addresses get one packet of each. */
export function randomFlows(random: Random, rules: Omit<Case, 'flows'>): Flow[] {
  const flows = random.times(random.between(8, 14), (index) => randomFlow(random, index));
  const remembers = /-m recent|(add|update) @/.test(JSON.stringify(rules));
  return remembers ? flows.filter((flow, at) => flows.findIndex((other) => other.source === flow.source) === at) : flows;
}

function randomFlow(random: Random, index: number): Flow {
  const protocol = random.pick(['tcp', 'tcp', 'udp', 'udp', 'icmp'] as const);
  const isLocal = random.chance(0.25);
  const comesBack = random.chance(0.1);
  const device: DeviceName = comesBack ? 'out0' : 'in0';
  return {
    id: 0x1000 + index * 16 + random.between(0, 0xffff) * 0x1000,
    source: isLocal ? random.pick(routerAddresses) : random.pick(comesBack ? hostsOf('out0') : clients),
    destination: random.pick(comesBack ? [...hostsOf('in0'), ...destinations] : destinations),
    protocol,
    sourcePort: 20_000 + index,
    destinationPort: protocol === 'icmp' ? 0 : random.pick(ports),
    tcpFlags: ['SYN'],
    icmpType: 8,
    ...(isLocal ? {} : { device }),
    mark: isLocal && random.chance(0.2) ? 1 : 0,
  };
}
