import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import { parseAddress } from '../../model/ip.ts';
import type { Socket } from '../../model/socket.ts';
import { decapsulate } from './tunnel.ts';
import { assuming, ended, going, nameOf, type Stage, type Station, type Way, type World, withPort, withStep } from './way.ts';

/** A packet for the station itself: a tunnel's, an answer that a socket waits for, or a request for a socket that listens. */
export const deliver: Stage<'deliver'> = (world, way, { station }) => {
  if (way.inside.length > 0) return decapsulate(way, station);
  return way.direction === 'reply' ? answered(world, way, station) : asked(way, station);
};

/** The client takes an answer only from the address and port that it asked. */
function answered(world: World, way: Way, station: Station): Way[] {
  const { packet } = way;
  const wanted = world.asked;
  const isFor = station.key === world.origin?.key;
  if (isFor && packet.source === wanted.destination && packet.sourcePort === wanted.destinationPort) {
    const says = `${nameOf(station)} gets the answer of ${withPort(packet.source, packet.sourcePort)}`;
    const done = withStep(way, { kind: 'deliver', says, brief: 'answer taken', evidence: lastWords(way) });
    return [going(done, { at: 'end', disposition: 'delivered', why: says, station })];
  }
  const expected = withPort(wanted.destination, wanted.destinationPort);
  const says = isFor
    ? `${nameOf(station)} has no connection to ${withPort(packet.source, packet.sourcePort)}: it asked ${expected}, and the address of the answer was not translated back`
    : `the answer ends at ${nameOf(station)}, which did not ask`;
  return ended(way, 'rejected', { kind: 'deliver', says, brief: 'not its connection', evidence: [...way.chosenBy, ...lastWords(way)] });
}

/** What was looked at last: the end of a way rests on it where no table of its own decides. */
const lastWords = (way: Way): EvidenceRef[] => (way.hops.at(-1)?.steps.at(-1)?.evidence ?? []).slice(0, 2);

function asked(way: Way, station: Station): Way[] {
  const { packet } = way;
  const arrived = (reached: Way, says: string, refs: EvidenceRef[]): Way[] => {
    const done = withStep(reached, { kind: 'deliver', says, brief: 'delivered', evidence: refs });
    return [going(done, { at: 'end', disposition: 'delivered', why: says, station })];
  };
  const ask = packet.protocol === 'tcp' ? 'tcp' : packet.protocol === 'udp' ? 'udp' : undefined;
  const entry = `${station.key}/ss`;
  const goal = `${nameOf(station)} takes it`;
  if (ask === undefined) return arrived(way, `${goal} (${packet.protocol})`, lastWords(way));
  const sockets = station.net.sockets();
  const where = withPort(packet.destination, packet.destinationPort);
  if (packet.destinationPort === undefined) return arrived(assuming(way, noPort), `${goal}; no port was named`, lastWords(way));
  if (sockets.state !== 'seen' || !sockets.complete)
    return arrived(assuming(way, `a socket of ${nameOf(station)} listens on ${ask} ${where}`), goal, lastWords(way));
  const onPort = sockets.value.filter(
    (socket) => socket.netid === ask && isListening(socket) && socket.local.port === packet.destinationPort,
  );
  const listener = onPort.find((socket) => takes(socket, packet.destination));
  if (listener) return arrived(way, `${goal}: a socket listens on ${ask} ${socketName(listener)}`, [evidence(entry, listener.line)]);
  const others = onPort.map(socketName).join(', ');
  const says = `nothing in ${nameOf(station)} listens on ${ask} ${where}${others === '' ? '' : ` (only on ${others})`}: refused`;
  return ended(way, 'rejected', {
    kind: 'deliver',
    says,
    brief: 'refused: no socket',
    evidence: [evidence(entry, ...onPort.map((socket) => socket.line))],
  });
}

const noPort = 'no port was given: whether anything listens there was not looked at';

const isListening = (socket: Socket): boolean => socket.state === 'LISTEN' || (socket.netid === 'udp' && socket.state === 'UNCONN');

const socketName = ({ local }: Socket): string => `${local.host}:${local.port ?? '*'}`;

/** A wildcard takes every address of its family; an IPv6 wildcard IPv4's too, unless it is known to be IPv6 only. */
function takes(socket: Socket, destination: string): boolean {
  const { host } = socket.local;
  const family = parseAddress(destination)?.family;
  if (host === '0.0.0.0') return family === 4;
  if (host === '*' || host === '::') return family === 6 || socket.families !== 'ipv6';
  return host === destination || host === `::ffff:${destination}`;
}
