import { type FollowedTry, placeKey, placeText } from '../../model/capture-path.ts';
import type { CaptureReport } from '../../schema/capture-report.ts';

const words: Record<string, string> = {
  syn: 'SYN',
  'syn-ack': 'SYN-ACK',
  reset: 'RST',
  'request-data': 'request data',
  'reply-data': 'reply data',
  'icmp-error': 'ICMP error',
};
const dnsWords: Record<string, string> = { syn: 'DNS question', 'syn-ack': 'DNS answer' };
const datagramWords: Record<string, string> = { syn: 'datagram', 'syn-ack': 'answer' };
const mostLines = 60;

/** The first transmission of each packet of the handshake, or of the data that was lost, at every device in order. */
export function timelineOf({ sightings, try: { protocol, datagram } }: FollowedTry): CaptureReport['losses'][number]['timeline'] {
  const start = Math.min(...sightings.map(({ at }) => at));
  const nameOf = protocol === 'UDP' ? { ...words, ...(datagram ? datagramWords : dnsWords) } : words;
  const seen = new Set<string>();
  return sightings
    .filter((sighting) => {
      const key = `${sighting.part} ${placeKey(sighting.place)} ${sighting.device} ${sighting.direction}`;
      const isFirst = sighting.part !== 'other' && !seen.has(key);
      seen.add(key);
      return isFirst;
    })
    .slice(0, mostLines)
    .map((sighting) => ({
      microseconds: sighting.at - start,
      at: `${placeText(sighting.place)}, ${sighting.direction} ${sighting.device}`,
      direction: sighting.leg,
      packet: sighting.icmp ? `ICMP ${sighting.icmp}` : (nameOf[sighting.part] ?? sighting.part),
      source: sighting.source,
      destination: sighting.destination,
      through: sighting.outer
        ? `${sighting.outer.source} -> ${sighting.outer.destination}${sighting.outer.vni === undefined ? '' : ` VNI ${sighting.outer.vni}`}`
        : null,
    }));
}
