import type { Match, ModuleOption } from '../../model/netfilter.ts';
import { type Certainty, cannotTell, certain, negatedIf, no, yes } from './certainty.ts';
import type { State, WalkContext } from './types.ts';

type Recent = Extract<Match, { kind: 'recent' }>;

/** How often a rule on this way may have put the packet into a list: not known. */
const perhaps = -1;

/**
 * xt_recent (recent_mt in net/netfilter/xt_recent.c): `--set` always holds, the others ask whether the packet's address is in the list, by the
 * entries that the context knows and those that rules have made on this way.
 */
export function recentMatch(match: Recent, state: State, context: WalkContext): Certainty {
  return match.action === 'set' ? negatedIf(match.negated, yes) : negatedIf(match.negated, isListed(match, state, context));
}

/**
 * The state behind a `recent` match: `--set` puts the address into the list, `--update` again where it holds, `--remove` takes it out. `reached`: the
 * matches before it hold for certain, so that it was asked.
 */
export function afterRecent(match: Recent, held: Certainty, reached: boolean, state: State): State {
  const count = certainCount(state, match);
  const isTelling = reached && count !== perhaps;
  if (match.action === 'set') return withCount(match, state, isTelling ? count + 1 : perhaps);
  if (match.action === 'rcheck' || held.is === 'no') return state;
  return withCount(match, state, match.action === 'update' && held.is === 'yes' && isTelling ? count + 1 : perhaps);
}

function isListed(match: Recent, state: State, context: WalkContext): Certainty {
  const count = certainCount(state, match);
  const otherSide = Object.keys(state.recent ?? {}).some((key) => key.startsWith(`${match.name} `) && key !== keyOf(match));
  const earlier = context.recentListsEmpty === true ? [] : earlierEntries(match, state, context);
  if (count === perhaps || otherSide || earlier === undefined)
    return cannotTell(`whether the client is in the list ${match.name} is not known`);
  if (count + earlier.length === 0) return no;
  if (match.options.some(({ name }) => name === 'rttl'))
    return cannotTell(`the TTL of earlier packets in the list ${match.name} is not known`);
  if (match.action === 'remove') return yes;
  const seconds = numberOf(match.options, 'seconds');
  const hits = count + earlier.filter((age) => seconds === undefined || age <= seconds).length;
  return certain(hits >= (numberOf(match.options, 'hitcount') ?? 1));
}

const earlierEntries = (match: Recent, { packet }: State, context: WalkContext): readonly number[] | undefined => {
  const mask = match.options.find(({ name }) => name === 'mask')?.values[0];
  const isWhole = mask === undefined || /^(255\.255\.255\.255|ffff(:ffff){7})$/i.test(mask);
  return isWhole ? context.recentEntries?.(match.name, isOfDestination(match) ? packet.destination : packet.source) : undefined;
};

const certainCount = (state: State, match: Recent): number => state.recent?.[keyOf(match)] ?? 0;

const withCount = (match: Recent, state: State, count: number): State => ({ ...state, recent: { ...state.recent, [keyOf(match)]: count } });

const keyOf = (match: Recent): string =>
  `${match.name} ${isOfDestination(match) ? 'destination' : 'source'} ${match.options.find(({ name }) => name === 'mask')?.values[0] ?? ''}`;

const isOfDestination = (match: Recent): boolean => match.options.some(({ name }) => name === 'rdest');

function numberOf(options: readonly ModuleOption[], name: string): number | undefined {
  const text = options.find((option) => option.name === name)?.values[0];
  return text === undefined ? undefined : Number(text);
}
