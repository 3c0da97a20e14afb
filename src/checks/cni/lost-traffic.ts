import type { Facts } from '../../facts/facts.ts';
import { failed, isFailing, isPassing, type ProbeResult } from '../../facts/probe-results.ts';
import type { Leg } from '../../walk/leg.ts';
import { runCheck } from '../check.ts';
import { causesOfLoss } from './causes-of-loss.ts';
import { scopedStop } from './forwarding-rules.ts';
import { directProbes, legsOf, legsSeenToWork, pathKey } from './legs.ts';

/** A direct probe that got nothing back, on a leg that nothing else was seen to pass, and that no particular check explains. */
export interface Lost {
  probe: ProbeResult;
  leg: Leg;
}

export interface LostTraffic {
  lost: Lost[];
  /** What could not be looked at, in the words of the checks that said so. */
  notSeen: string[];
}

const memo = new WeakMap<Facts, LostTraffic>();

/** Pod traffic that is lost without a reason found. Worked out once for each snapshot. */
export function lostTraffic(facts: Facts): LostTraffic {
  const known = memo.get(facts);
  if (known) return known;
  const results = causesOfLoss.map((check) => ({ check, result: runCheck(check, facts) }));
  const explains = (probe: ProbeResult): boolean =>
    results.some(({ result }) => result.state === 'fail' && result.faults.some((item) => item.breaks(probe)));
  const works = legsSeenToWork(facts);
  const answersAtHome = answersOnItsNode(facts);
  const lost = directProbes(facts).flatMap((probe) => {
    const [leg] = legsOf(facts, probe);
    if (!leg || leg.to.isNode || !isLost(probe) || works.has(pathKey(leg)) || explains(probe)) return [];
    if (answersAtHome(leg.to.address) === false || scopedStop(facts, leg).stop?.scope === 'dns-port') return [];
    return [{ probe, leg }];
  });
  const notSeen = results.flatMap(({ check, result }) => (result.state === 'unknown' ? [`${check.meta.id} ${result.detail}`] : []));
  const value = { lost, notSeen };
  memo.set(facts, value);
  return value;
}

/** Every try ran into silence, or nobody could be found: not refused, not reset, not a wrong answer. A lost ping counts only beside it. */
const isLost = (probe: ProbeResult): boolean =>
  probe.stage !== 'payload' &&
  isFailing(probe) &&
  failed(probe).length === probe.tries.length &&
  probe.tries.every((item) => item.cause === 'timeout' || item.cause === 'host-unreachable' || item.cause === 'net-unreachable');

/** Whether a pod answers its own node; undefined where that was not tried. A pod that doesn't is no matter of the way between nodes. */
const answersOnItsNode =
  (facts: Facts) =>
  (address: string): boolean | undefined => {
    const node = facts.nodeOf(address);
    const local = directProbes(facts).filter(
      (probe) =>
        probe.stage !== 'payload' &&
        probe.origin.kind === 'node' &&
        probe.origin.name === node &&
        legsOf(facts, probe).some((leg) => leg.to.address === address),
    );
    if (local.length === 0) return undefined;
    return local.some(isPassing) ? true : local.some(isFailing) ? false : undefined;
  };

/** Lost traffic by the two nodes that it is between, in the order of the alphabet. */
export function byNodePair(lost: readonly Lost[]): { near: string; far: string; items: Lost[] }[] {
  const pairs = new Map<string, { near: string; far: string; items: Lost[] }>();
  for (const item of lost) {
    const { from, to } = item.leg;
    if (from.node === null || to.node === null || from.node === to.node) continue;
    const key = [from.node, to.node].sort().join(' ');
    const pair = pairs.get(key) ?? { near: from.node, far: to.node, items: [] };
    pair.items.push(item);
    pairs.set(key, pair);
  }
  return [...pairs.values()];
}
