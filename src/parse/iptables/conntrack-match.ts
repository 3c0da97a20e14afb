import type { Match, ModuleOption } from '../../model/netfilter.ts';
import { protocolName } from '../../model/netfilter-protocol.ts';
import { addressList, numberRange } from './generic.ts';

/** `-m conntrack` (iptables-extensions(8)): every option is a match of its own, and all must hold. */
export function conntrackMatches(options: ModuleOption[]): Match[] | undefined {
  const matches = options.map(conntrackMatch);
  return matches.every((match) => match !== undefined) ? matches : undefined;
}

/** `-m state --state`, the older spelling of `--ctstate`. */
export function stateMatch(options: ModuleOption[]): Match[] | undefined {
  const option = options[0];
  if (option?.name !== 'state' || options.length !== 1) return undefined;
  const match = stateList(option);
  return match === undefined ? undefined : [{ ...match, module: 'state' }];
}

function conntrackMatch(option: ModuleOption): Match | undefined {
  const value = option.values[0];
  if (value === undefined || option.values.length !== 1) return undefined;
  if (option.name === 'ctstate') return stateList(option);
  if (option.name === 'ctstatus') return { role: 'match', kind: 'conntrackStatus', negated: option.negated, statuses: value.split(',') };
  if (option.name === 'ctproto')
    return { role: 'match', kind: 'conntrackProtocol', negated: option.negated, protocol: protocolName(value) };
  if (option.name === 'ctdir') return directionMatch(value);
  if (option.name === 'ctexpire')
    return { role: 'match', kind: 'module', module: 'conntrack', options: [option], text: `--ctexpire ${value}` };
  return tupleMatch(option, value);
}

const stateNames = new Set(['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED', 'SNAT', 'DNAT']);

function stateList(option: ModuleOption): Extract<Match, { kind: 'conntrackState' }> | undefined {
  const states = (option.values[0] ?? '').split(',');
  if (!states.every((state) => stateNames.has(state))) return undefined;
  return { role: 'match', kind: 'conntrackState', module: 'conntrack', negated: option.negated, states };
}

function directionMatch(value: string): Match | undefined {
  if (value !== 'ORIGINAL' && value !== 'REPLY') return undefined;
  return { role: 'match', kind: 'conntrackDirection', direction: value === 'ORIGINAL' ? 'original' : 'reply' };
}

const tupleParts = new Map<string, { tuple: 'original' | 'reply'; end: 'source' | 'destination'; port: boolean }>(
  Object.entries({
    ctorigsrc: { tuple: 'original', end: 'source', port: false },
    ctorigdst: { tuple: 'original', end: 'destination', port: false },
    ctreplsrc: { tuple: 'reply', end: 'source', port: false },
    ctrepldst: { tuple: 'reply', end: 'destination', port: false },
    ctorigsrcport: { tuple: 'original', end: 'source', port: true },
    ctorigdstport: { tuple: 'original', end: 'destination', port: true },
    ctreplsrcport: { tuple: 'reply', end: 'source', port: true },
    ctrepldstport: { tuple: 'reply', end: 'destination', port: true },
  }),
);

function tupleMatch(option: ModuleOption, value: string): Match | undefined {
  const part = tupleParts.get(option.name);
  if (part === undefined) return undefined;
  const { tuple, end } = part;
  if (part.port) {
    const ports = numberRange(value, 65535);
    return ports && { role: 'match', kind: 'conntrackPort', negated: option.negated, tuple, end, ports };
  }
  const addresses = addressList(value);
  return addresses && { role: 'match', kind: 'conntrackAddress', negated: option.negated, tuple, end, addresses };
}
