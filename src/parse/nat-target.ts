import type { NatTarget, NumberRange } from '../model/netfilter.ts';

/**
 * A translation target as iptables and nft write it: `10.0.0.1:8080`, `10.0.0.1-10.0.0.9:80-90`, `[fd00::1]:8080`, `fd00::1`, `:8080`. Several texts
 * are several `--to-destination` of iptables before 1.4.20. Undefined when it is none of these.
 */
export function fixedTarget(texts: readonly string[]): NatTarget | undefined {
  const addresses: { from: string; to: string }[] = [];
  let ports: NumberRange | undefined;
  for (const text of texts) {
    const match = /^(?:\[([^\]]+)\](?:-\[([^\]]+)\])?(?::(.*))?|([^:]*)(?::([^:]*))?|([0-9a-fA-F:.-]+))$/.exec(text);
    if (match === null) return undefined;
    const [from, to = match[2] ?? from] = (match[1] ?? match[4] ?? match[6] ?? '').split('-');
    if (from && to) addresses.push({ from, to });
    const portText = match[3] ?? match[5];
    if (portText !== undefined) {
      ports = portRange(portText);
      if (ports === undefined) return undefined;
    }
  }
  if (addresses.length === 0 && ports === undefined) return undefined;
  return { type: 'fixed', addresses, ...(ports ? { ports } : {}) };
}

/** A port or `first-last`. A range shifted by a base (`80-90/8080`, iptables 1.8.5 and later) is not understood. */
export function portRange(text: string): NumberRange | undefined {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
  return first <= last && last <= 65535 ? { first, last } : undefined;
}
