import type { Facts } from '../../facts/facts.ts';
import type { Observed } from '../../model/observed.ts';
import { mapObserved } from '../../model/observed.ts';
import type { Socket } from '../../model/socket.ts';
import type { Pod } from '../../schema/kubernetes.ts';

/** TCP listeners in a pod's network namespace (ss -lntu). */
export const tcpListeners = (facts: Facts, pod: Pod): Observed<Socket[]> =>
  mapObserved(facts.podNet(pod).sockets(), (sockets) =>
    sockets.filter(
      (socket) => (socket.netid === undefined || socket.netid === 'tcp') && (socket.state === undefined || socket.state === 'LISTEN'),
    ),
  );
