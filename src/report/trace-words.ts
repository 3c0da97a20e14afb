import { type Fate, fateOf } from '../model/trace.ts';
import type { TraceHop, TraceWay } from '../schema/way.ts';

/** `pod default/client`, `node n1`. */
export const placeOf = ({ kind, namespace, name }: TraceHop): string =>
  kind === 'outside' ? `outside ${name}` : `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;

/** `33 %`, `0.4 %`. */
export const percent = (share: number): string => `${share > 0 && share < 0.01 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`;

/** What happens at a hop, in a few words: the device in, what changes or decides, the device out. */
export function doingsOf({ steps }: TraceHop): string {
  const came = steps.find(({ device }) => device?.direction === 'in')?.device?.name;
  const left = steps.findLast(({ device }) => device?.direction === 'out')?.device?.name;
  const briefs = steps.flatMap(({ brief }) => (brief === '' ? [] : [brief]));
  return [...(came === undefined ? [] : [`in ${came}`]), ...briefs, ...(left === undefined ? [] : [`out ${left}`])].join(', ');
}

/** Two hops that read the same are the same place on the common part of two ways. */
export const hopKey = (hop: TraceHop): string => JSON.stringify([placeOf(hop), hop.direction, hop.arrives, hop.leaves, doingsOf(hop)]);

/** The ways that matter first: those that end before, then what is not known, then what gets there. */
export const inOrder = (ways: readonly TraceWay[]): TraceWay[] => {
  const order: readonly Fate[] = ['lost', 'unknown', 'delivered'];
  const rank = ({ disposition }: TraceWay): number => order.indexOf(fateOf(disposition));
  return [...ways].sort((a, b) => rank(a) - rank(b));
};
