import type { Device } from './stations.ts';

/** What decides whether a bridge port takes and gives frames (net/bridge/br_input.c, br_forward.c); `undefined`: not printed. */
export interface PortFlags {
  state: string | undefined;
  hairpin: boolean | undefined;
  isolated: boolean;
  flood: boolean;
  learning: boolean;
}

/** From the `bridge_slave` line of `ip -d link`. */
export function flagsOf({ link }: Device): PortFlags {
  const { portDetails } = link;
  const on = (name: string): boolean | undefined => (portDetails[name] === undefined ? undefined : portDetails[name] === 'on');
  return {
    state: portDetails.state ?? 'forwarding',
    hairpin: on('hairpin'),
    isolated: on('isolated') ?? false,
    flood: on('flood') ?? true,
    learning: on('learning') ?? true,
  };
}
