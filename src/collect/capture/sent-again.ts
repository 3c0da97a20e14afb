import { parsePcap } from '../../parse/pcap.ts';

/** Whether a client's own capture shows that the SYN of a connection from this port was sent more than once; its transmissions have IP ids of their own. */
export function wasSentAgain(file: Uint8Array, sourcePort: number): boolean {
  const packets = parsePcap(file)?.packets ?? [];
  const ids = packets
    .filter(({ direction, source, body }) => {
      const isSyn = body.kind === 'tcp' && body.flags.includes('S') && !body.flags.includes('.');
      return direction === 'Out' && source?.port === sourcePort && isSyn;
    })
    .map(({ ip }) => ip?.id);
  return new Set(ids).size > 1;
}
