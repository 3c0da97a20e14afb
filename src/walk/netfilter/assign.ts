import type { Action, Expression } from '../../model/netfilter.ts';
import { copyPacket } from '../../model/packet.ts';
import { isTracked } from './conntrack.ts';
import { evaluate, evaluateParts } from './expression.ts';
import type { RuleRun } from './run.ts';
import { type State, withKnown, withPacket, withShare, withUnknown } from './types.ts';

/**
 * `meta mark set …`, `ct mark set …`, and headers that nft writes into (`ip daddr set`, `tcp dport set`, `ip dscp set`). A value that can't be had,
 * because the packet has no such header or the key is not in the map, breaks the rule off (NFT_BREAK). Other fields that nft can set (priority,
 * TCP options) change nothing that rules look at here.
 */
export function assign(action: Extract<Action, { kind: 'assign' }>, run: RuleRun, state: State): (State | { breaks: State })[] {
  const { target } = action;
  if (target === 'ct mark' && !isTracked(state.packet)) return [state];
  const field = written[target];
  if (field === undefined) return [state];
  return valuesOf(action.value, run, state).map((value) => {
    if (value.is === 'absent') return { breaks: state };
    const entered = withShare(state, value.probability);
    return value.is === 'unknown' ? withoutValue(entered, field) : withValue(entered, field, value.text);
  });
}

type Field = 'mark' | 'connectionMark' | 'source' | 'destination' | 'sourcePort' | 'destinationPort' | 'dscp' | 'ttl';

const written: Record<string, Field | undefined> = {
  'meta mark': 'mark',
  'ct mark': 'connectionMark',
  'ip saddr': 'source',
  'ip6 saddr': 'source',
  'ip daddr': 'destination',
  'ip6 daddr': 'destination',
  'tcp sport': 'sourcePort',
  'udp sport': 'sourcePort',
  'th sport': 'sourcePort',
  'tcp dport': 'destinationPort',
  'udp dport': 'destinationPort',
  'th dport': 'destinationPort',
  'ip dscp': 'dscp',
  'ip6 dscp': 'dscp',
  'ip ttl': 'ttl',
  'ip6 hoplimit': 'ttl',
};

type Written =
  | { is: 'value'; text: string; probability: number }
  | { is: 'unknown'; probability: number }
  | { is: 'absent'; probability: number };

function valuesOf(expression: Expression, run: RuleRun, state: State): Written[] {
  if (expression.type === 'map') {
    return evaluateParts([expression], run, state).map(({ values, probability, breaks }): Written => {
      const [text] = values ?? [];
      if (text !== undefined) return { is: 'value', text, probability };
      return { is: breaks === true ? 'absent' : 'unknown', probability };
    });
  }
  const datum = evaluate(expression, state, run);
  if (datum.is === 'absent') return [{ is: 'absent', probability: 1 }];
  if (datum.is === 'number') return [{ is: 'value', text: String(datum.value), probability: 1 }];
  if (datum.is === 'address') return [{ is: 'value', text: datum.text, probability: 1 }];
  return datum.is === 'text' ? [{ is: 'value', text: datum.value, probability: 1 }] : [{ is: 'unknown', probability: 1 }];
}

function withValue(state: State, field: Field, text: string): State {
  if (field === 'source' || field === 'destination') return withKnown(withPacket(state, { [field]: text }), field);
  const number = Number(text);
  if (!Number.isInteger(number)) return withoutValue(state, field);
  const changed = withPacket(state, { [field]: field === 'mark' || field === 'connectionMark' ? number >>> 0 : number });
  return field === 'mark' || field === 'connectionMark' ? withKnown(changed, field) : changed;
}

function withoutValue(state: State, field: Field): State {
  if (field === 'mark' || field === 'connectionMark' || field === 'source' || field === 'destination') return withUnknown(state, field);
  const packet = copyPacket(state.packet);
  delete packet[field];
  return { ...state, packet };
}
