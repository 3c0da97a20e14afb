import type { Match, ModuleOption } from '../../model/netfilter.ts';
import type { Packet } from '../../model/packet.ts';
import { all, type Certainty, cannotTell, certain, negatedIf, no, yes } from './certainty.ts';
import { interfaceIs } from './primitives.ts';

/** Extensions without a type of their own: those that can be told from the packet are, all others cannot be told. */
export function moduleMatch(match: Extract<Match, { kind: 'module' }>, packet: Packet): Certainty {
  const reader = readers[match.module];
  return reader?.(match.options, packet) ?? cannotTell(`${match.text} can't be predicted`);
}

type Reader = (options: ModuleOption[], packet: Packet) => Certainty | undefined;

const inRange =
  (field: 'length' | 'ttl'): Reader =>
  (options, packet) => {
    const option = options[0];
    const value = packet[field];
    if (option === undefined || options.length !== 1 || value === undefined) return undefined;
    return rangeTest(option, value);
  };

function rangeTest(option: ModuleOption, value: number): Certainty | undefined {
  const [from, to = from] = (option.values[0] ?? '').split(':').map(Number);
  if (from === undefined || to === undefined || Number.isNaN(from) || Number.isNaN(to)) return undefined;
  if (option.name.endsWith('-lt')) return certain(value < from);
  if (option.name.endsWith('-gt')) return certain(value > from);
  return negatedIf(option.negated, certain(value >= from && value <= to));
}

const mac: Reader = ([option], packet) =>
  option?.name === 'mac-source' && packet.sourceMac !== undefined
    ? negatedIf(option.negated, certain(packet.sourceMac.toLowerCase() === option.values[0]?.toLowerCase()))
    : undefined;

const dscp: Reader = ([option], packet) =>
  option?.name === 'dscp' && packet.dscp !== undefined
    ? negatedIf(option.negated, certain(packet.dscp === Number(option.values[0])))
    : undefined;

/** `-m tcp` and the like without an option: the rule's `-p` asks the same, and later fragments have no header to look at. */
function header(protocol: string): Reader {
  return (options, packet) => (options.length === 0 ? certain(packet.protocol === protocol && packet.fragment !== true) : undefined);
}

/** xt_owner: without a socket only conditions that are all negated hold. */
const owner: Reader = (options, { owner: socket }) => {
  if (socket === undefined) return undefined;
  if (socket === null) return certain(options.every((option) => option.negated));
  const parts = options.map((option) => {
    const number = option.name === 'uid-owner' ? socket.uid : option.name === 'gid-owner' ? socket.gid : undefined;
    const range = /^(\d+)(?:-(\d+))?$/.exec(option.values[0] ?? '');
    if (option.name === 'socket-exists') return certain(!option.negated);
    if (number === undefined || range === null) return cannotTell(`--${option.name} ${option.values.join(' ')} can't be predicted`);
    return negatedIf(option.negated, certain(number >= Number(range[1]) && number <= Number(range[2] ?? range[1])));
  });
  return all(parts);
};

const readers: Record<string, Reader> = {
  length: inRange('length'),
  ttl: inRange('ttl'),
  hl: inRange('ttl'),
  mac,
  owner,
  dscp,
  // xt_nfacct counts and holds, except for an accounting object with a quota, which kube-proxy never makes.
  nfacct: () => yes,
  tcp: header('tcp'),
  udp: header('udp'),
  udplite: header('udplite'),
  sctp: header('sctp'),
  dccp: header('dccp'),
};

/** xt_physdev: what a bridge port did with the packet; a packet that crossed no bridge has no ports. */
export function physdevMatch(options: readonly ModuleOption[], packet: Packet): Certainty {
  return all(options.map((option) => physdevOption(option, packet)));
}

function physdevOption(option: ModuleOption, packet: Packet): Certainty {
  const { bridgeIn, bridgeOut } = packet;
  if (option.name === 'physdev-is-bridged') return negatedIf(option.negated, all([portKnown(bridgeIn), portKnown(bridgeOut)]));
  if (option.name === 'physdev-is-in') return negatedIf(option.negated, portKnown(bridgeIn));
  if (option.name === 'physdev-is-out') return negatedIf(option.negated, portKnown(bridgeOut));
  const port = option.name === 'physdev-in' ? bridgeIn : option.name === 'physdev-out' ? bridgeOut : undefined;
  // Without a bridge every plain option fails and every negated one holds (physdev_mt in xt_physdev.c).
  if (port === null) return negatedIf(option.negated, no);
  return negatedIf(option.negated, interfaceIs(port, option.values[0] ?? ''));
}

const portKnown = (port: string | null | undefined): Certainty =>
  port === undefined ? cannotTell('whether the packet crosses a bridge port is not known') : certain(port !== null);
