import type { Hook } from '../../model/netfilter.ts';
import type { Packet } from '../../model/packet.ts';
import { evaluateHook, type Outcome } from '../netfilter.ts';
import { contextAt } from './context.ts';
import { decisionEvidence, dispositionOf, rulesStep } from './rules-words.ts';
import { assuming, describePacket, ended, nameOf, type Station, type Way, type World, withStep } from './way.ts';

/** Device names as a hook's rules see them; bridge ports where a bridged frame passes the IP hooks. */
export interface HookDevices {
  in?: string | undefined;
  out?: string | undefined;
  bridgeIn?: string | undefined;
  bridgeOut?: string | undefined;
  /** Next hop, by which masquerading chooses among the addresses of the outgoing device. */
  gateway?: string | undefined;
}

/** Ways that were let through a hook, and ways that ended there. */
export interface Passed {
  on: Way[];
  over: Way[];
}

/** One hook of a station's rules: all backends together, and the translation of connections that are known. */
export function passHook(world: World, way: Way, station: Station, hook: Hook, devices: HookDevices): Passed {
  const { family } = way.packet;
  const rulesets = world.rulesets(station, family);
  const isPod = station.place.kind === 'pod';
  const unread = rulesets.state !== 'seen' ? 'its rules were not read' : rulesets.complete ? undefined : 'not all of its rules were read';
  const known =
    unread !== undefined && isPod ? assuming(way, `${nameOf(station)} has no netfilter rules beside those that were read`) : way;
  if (rulesets.state !== 'seen') {
    if (isPod) return { on: [known], over: [] };
    const why = rulesets.state === 'unknown' ? rulesets.detail : 'none were found';
    return {
      on: [],
      over: ended(way, 'insufficient-info', unknownRules(station, hook, `the rules of ${nameOf(station)} are not known: ${why}`)),
    };
  }
  const packet = onDevices(known.packet, devices);
  const outcomes = evaluateHook(rulesets.value, hook, packet, contextAt(station, devices.gateway));
  const passed = toWays(known, station, hook, outcomes);
  if (unread === undefined || isPod) return passed;
  const detail = `${unread} on ${nameOf(station)}, so that it can't be told whether ${hook.toUpperCase()} lets it through`;
  return {
    on: [],
    over: [...passed.over, ...passed.on.flatMap((one) => ended(one, 'insufficient-info', unknownRules(station, hook, detail)))],
  };
}

function toWays(way: Way, station: Station, hook: Hook, outcomes: readonly Outcome[]): Passed {
  const sure = outcomes.filter((outcome) => outcome.assumptions.length === 0);
  const doubtful = outcomes.filter((outcome) => outcome.assumptions.length > 0);
  const passed: Passed = { on: [], over: [] };
  const settle = (outcome: Outcome, share: number) => {
    const on: Way = { ...way, share: way.share * share, packet: outcome.packet, reroutes: outcome.reroutes ?? [] };
    const step = rulesStep(station, hook, outcome, way.packet);
    if (outcome.verdict === 'accept') {
      const translated = outcome.dnat ? { ...on, chosenBy: [...on.chosenBy, ...decisionEvidence(station, outcome.dnat.decision)] } : on;
      passed.on.push(step ? withStep(translated, step) : translated);
    } else if (outcome.verdict === 'insufficient-info') {
      const text = outcome.decidedBy ? ` "${outcome.decidedBy.text}"` : '';
      const says = `${hook.toUpperCase()} of ${nameOf(station)}: it can't be told whether a rule applies${text}${outcome.why ? ` (${outcome.why})` : ''}`;
      const quoted = outcome.decidedBy ? decisionEvidence(station, outcome.decidedBy) : [];
      passed.over.push(...ended(on, 'insufficient-info', { kind: 'rules', says, brief: hook.toUpperCase(), evidence: quoted }));
    } else if (step) {
      passed.over.push(...ended(on, dispositionOf(outcome), step));
    }
  };
  for (const outcome of sure) settle(outcome, outcome.probability);
  const rest = Math.max(0, 1 - sure.reduce((sum, outcome) => sum + outcome.probability, 0));
  const [first] = doubtful;
  if (first === undefined) return passed;
  if (doubtful.every((outcome) => sameEffect(outcome, first))) settle(first, rest);
  else settle({ ...first, verdict: 'insufficient-info', why: first.assumptions[0]?.why ?? 'a rule that is not understood' }, rest);
  return passed;
}

const sameEffect = (a: Outcome, b: Outcome): boolean =>
  a.verdict === b.verdict &&
  describePacket(a.packet) === describePacket(b.packet) &&
  a.packet.mark === b.packet.mark &&
  a.packet.unknown?.join() === b.packet.unknown?.join();

function onDevices(packet: Packet, devices: HookDevices): Packet {
  const { inInterface: _in, outInterface: _out, bridgeIn: _bridgeIn, bridgeOut: _bridgeOut, ...rest } = packet;
  return {
    ...rest,
    ...(devices.in === undefined ? {} : { inInterface: devices.in }),
    ...(devices.out === undefined ? {} : { outInterface: devices.out }),
    bridgeIn: devices.bridgeIn ?? null,
    bridgeOut: devices.bridgeOut ?? null,
  };
}

const unknownRules = (station: Station, hook: Hook, says: string) => ({
  kind: 'rules' as const,
  says,
  brief: hook.toUpperCase(),
  evidence: (['iptables-save', 'nft'] as const)
    .filter((name) => station.net.entry(name) !== undefined)
    .map((name) => ({ entry: `${station.key}/${name}`, lines: [] })),
});
