import type { Check } from './check.ts';
import { tunnelDeviceDown } from './cni/tunnel-device-down.ts';
import { selectorMatchesNoPod } from './service/selector-matches-no-pod.ts';

/**
 * Every check, in the order in which the root is looked for: the lower layer first, and within a layer the more particular before the more
 * general. A finding further down that explains nothing more than one further up is its consequence.
 */
export const checks: readonly Check[] = [tunnelDeviceDown, selectorMatchesNoPod];
