import type { Check } from '../check.ts';
import { backendNodePolicyDrop } from './backend-node-policy-drop.ts';
import { fdbEntryWrong } from './fdb-entry-wrong.ts';
import { forwardDrop } from './forward-drop.ts';
import { ipForwardOff } from './ip-forward-off.ts';
import { nodeUnreachable } from './node-unreachable.ts';
import { podDefaultRouteMissing } from './pod-default-route-missing.ts';
import { podRouteMissing } from './pod-route-missing.ts';
import { podVethDown } from './pod-veth-down.ts';
import { podVethNotOnBridge } from './pod-veth-not-on-bridge.ts';
import { rpFilterDrop } from './rp-filter-drop.ts';
import { tunnelDeviceDown } from './tunnel-device-down.ts';
import { tunnelNeighbourWrong } from './tunnel-neighbour-wrong.ts';
import { tunnelPortFiltered } from './tunnel-port-filtered.ts';
import { vtepMacMismatch } from './vtep-mac-mismatch.ts';
import { vxlanParametersDiffer } from './vxlan-parameters-differ.ts';

/**
 * The checks that can explain why pod traffic is lost, in the order in which the root is looked for; the residual ones (CNI008, CNI099) come after
 * them.
 */
export const causesOfLoss: readonly Check[] = [
  tunnelDeviceDown,
  podVethDown,
  podVethNotOnBridge,
  podDefaultRouteMissing,
  vxlanParametersDiffer,
  podRouteMissing,
  vtepMacMismatch,
  tunnelNeighbourWrong,
  fdbEntryWrong,
  tunnelPortFiltered,
  ipForwardOff,
  rpFilterDrop,
  forwardDrop,
  backendNodePolicyDrop,
  nodeUnreachable,
];
