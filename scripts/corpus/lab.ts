import { addressMask, addressValue } from '../../src/model/netfilter-address.ts';
import { newConnection, type Packet } from '../../src/model/packet.ts';
import type { NodeSurroundings, RouteDecision } from '../../src/walk/netfilter/traverse.ts';
import type { WalkContext } from '../../src/walk/netfilter.ts';
import type { CorpusCase, CorpusFlow } from './cases.ts';

const podNetworks = ['10.0.0.0/8', 'fd00:10::/32'];
const loopback = ['127.0.0.0/8', '::1'];
const podDeviceAddress = { ip: '10.255.255.254', ip6: 'fd00:10::ffff:fffe' };

const isIn = (address: string, networks: string[]): boolean => {
  const parsed = addressValue(address);
  return networks.some((text) => {
    const mask = addressMask(text);
    return mask !== undefined && parsed?.family === mask.family && (parsed.value & mask.mask) === mask.value;
  });
};

/** The network namespace of the corpus' kernel lab: eth0 with the node's addresses, pod0 with an address of its own ("Kernel lab" in its README). */
export function labOf(item: CorpusCase, flow: CorpusFlow): { packet: Packet; around: NodeSurroundings; context: WalkContext } {
  const local = [...item.nodeIPs, podDeviceAddress.ip, podDeviceAddress.ip6];
  const isLocal = (address: string): boolean => isIn(address, loopback) || isIn(address, local);
  const route = (packet: Packet): RouteDecision =>
    isLocal(packet.destination) ? { to: 'local' } : { to: 'device', outInterface: deviceOf(packet.destination) };
  const origin = isLocal(flow.sourceIP) ? 'local' : 'network';
  const family = flow.sourceIP.includes(':') ? 'ip6' : 'ip';
  const nodeAddress = item.nodeIPs.find((address) => address.includes(':') === (family === 'ip6'));
  return {
    packet: newConnection({
      family,
      source: flow.sourceIP,
      destination: flow.destIP,
      protocol: flow.protocol.toLowerCase(),
      sourcePort: 20001,
      destinationPort: flow.destPort,
      ...(origin === 'network' ? { inInterface: deviceOf(flow.sourceIP) } : {}),
      bridgeIn: null,
      bridgeOut: null,
    }),
    around: { origin, route },
    context: {
      localAddresses: local,
      addressType: () => 'UNICAST',
      recentListsEmpty: true,
      masqueradeAddress: (device) => (device === 'pod0' ? podDeviceAddress[family] : device === 'lo' ? flow.sourceIP : nodeAddress),
    },
  };
}

const deviceOf = (address: string): string => (isIn(address, podNetworks) ? 'pod0' : 'eth0');
