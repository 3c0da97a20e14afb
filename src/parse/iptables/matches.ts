import type { Match, ModuleOption } from '../../model/netfilter.ts';
import { conntrackMatches, stateMatch } from './conntrack-match.ts';
import { numberRange, portRanges, valueAndMask } from './generic.ts';
import { onlyOptions, optionOf, optionsText, optionValue } from './options.ts';

type Reader = (options: ModuleOption[], family: 'ip' | 'ip6', module: string) => Match[] | undefined;

/**
 * The matches of one `-m MODULE` with its options, after the man page iptables-extensions(8) of 1.8.11 and the printing functions of 1.4 to 1.8.
 * Extensions that the packet walk does not need stay a `module` with their options; arguments that are not understood make an `opaque` match.
 */
export function moduleMatches(module: string, options: ModuleOption[], family: 'ip' | 'ip6'): Match[] {
  const reader = readers.get(module);
  const alone = options.length === 0 ? standingAlone.get(module) : undefined;
  if (alone !== undefined) return [alone];
  if (reader === undefined) return [asModule(module, options)];
  const matches = reader(options, family, module);
  if (matches === undefined)
    return [{ role: 'match', kind: 'opaque', text: moduleText(module, options), why: `arguments of -m ${module} not understood` }];
  for (let index = 1; index < matches.length; index++) {
    const match = matches[index];
    if (match !== undefined) match.joined = true;
  }
  return matches;
}

const asModule = (module: string, options: ModuleOption[]): Match => ({
  role: 'match',
  kind: 'module',
  module,
  options,
  text: moduleText(module, options),
});

const moduleText = (module: string, options: ModuleOption[]): string => `-m ${module} ${optionsText(options)}`.trim();

/** Without options these hold for every whole packet of their protocol. One object for all rules: each endpoint has such a match. */
const standingAlone = new Map(['tcp', 'udp', 'udplite', 'sctp', 'dccp'].map((module) => [module, asModule(module, [])]));

const ports: Reader = (options, _family, module) => {
  const matches = options.map((option) => portMatch(option, module) ?? otherOption(option, module));
  return matches.every((match) => match !== undefined) ? matches : undefined;
};

/** Options of a protocol's extension that the packet walk does not look at. */
const otherOptions = new Set(['tcp-option', 'chunk-types', 'dccp-types', 'dccp-option']);
const otherOption = (option: ModuleOption, module: string): Match | undefined =>
  otherOptions.has(option.name) ? asModule(module, [option]) : undefined;

function portMatch(option: ModuleOption, module: string): Match | undefined {
  const end = portEnds.get(option.name);
  const ranges = portRanges(option.values[0] ?? '');
  if (end === undefined || ranges === undefined || option.values.length !== 1) return undefined;
  return { role: 'match', kind: 'ports', module, end, negated: option.negated, ranges };
}

const portEnds = new Map<string, 'source' | 'destination' | 'either'>(
  Object.entries({
    sport: 'source',
    sports: 'source',
    'source-port': 'source',
    'source-ports': 'source',
    dport: 'destination',
    dports: 'destination',
    'destination-port': 'destination',
    'destination-ports': 'destination',
    ports: 'either',
  }),
);

const tcp: Reader = (options, _family, module) => {
  const matches = options.map((option) => tcpFlagsMatch(option) ?? portMatch(option, module) ?? otherOption(option, module));
  return matches.every((match) => match !== undefined) ? matches : undefined;
};

function tcpFlagsMatch(option: ModuleOption): Match | undefined {
  if (option.name === 'syn') {
    return { role: 'match', kind: 'tcpFlags', negated: option.negated, mask: ['FIN', 'SYN', 'RST', 'ACK'], set: ['SYN'] };
  }
  if (option.name !== 'tcp-flags' || option.values.length !== 2) return undefined;
  const [mask, set] = option.values.map(flagNames);
  return mask && set ? { role: 'match', kind: 'tcpFlags', negated: option.negated, mask, set } : undefined;
}

const allFlags = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'];
const flagNames = (text: string): string[] => (text === 'NONE' ? [] : text === 'ALL' ? allFlags : text.split(','));

const icmp: Reader = (options, family) => {
  const module = family === 'ip6' ? 'icmp6' : 'icmp';
  const option = optionOf(options, 'icmp-type', 'icmpv6-type');
  if (option === undefined) return options.length === 0 ? [{ role: 'match', kind: 'icmpType', module, negated: false }] : undefined;
  return option.values.length === 1 && options.length === 1 ? icmpTypeMatch(option, module) : undefined;
};

function icmpTypeMatch(option: ModuleOption, module: 'icmp' | 'icmp6'): Match[] | undefined {
  const any: Match[] = [{ role: 'match', kind: 'icmpType', module, negated: option.negated }];
  const match = /^(\d+)(?:\/(\d+)(?:-(\d+))?)?$/.exec(option.values[0] ?? '');
  if (match === null) return option.values[0] === 'any' ? any : undefined;
  const icmpType = Number(match[1]);
  // 255 is how old versions print `any` (0xFF in ipt_icmp).
  if (icmpType === 255) return any;
  const code = match[2] === undefined ? {} : { codes: { first: Number(match[2]), last: Number(match[3] ?? match[2]) } };
  return [{ role: 'match', kind: 'icmpType', module, negated: option.negated, icmpType, ...code }];
}

const mark =
  (of: 'packet' | 'connection'): Reader =>
  (options) => {
    const option = optionOf(options, 'mark');
    const value = valueAndMask(option?.values[0] ?? '');
    return option && value && options.length === 1 ? [{ role: 'match', kind: 'mark', of, negated: option.negated, ...value }] : undefined;
  };

const statistic: Reader = (options) => {
  const mode = optionValue(options, 'mode');
  if (mode === 'random') {
    const option = optionOf(options, 'probability');
    const probability = Number(option?.values[0] ?? 'none');
    return option && onlyOptions(options, 'mode', 'probability') && probability >= 0 && probability <= 1
      ? [{ role: 'match', kind: 'statistic', mode: 'random', negated: option.negated, probability }]
      : undefined;
  }
  const every = optionOf(options, 'every');
  if (mode !== 'nth' || every === undefined || !onlyOptions(options, 'mode', 'every', 'packet')) return undefined;
  const packet = Number(optionValue(options, 'packet') ?? '0');
  return [{ role: 'match', kind: 'statistic', mode: 'nth', negated: every.negated, every: Number(every.values[0]), packet }];
};

const ipset: Reader = (options) => {
  const option = optionOf(options, 'match-set', 'set');
  const [set, directions] = option?.values ?? [];
  if (option === undefined || set === undefined || directions === undefined) return undefined;
  const words = directions.split(',');
  if (!words.every((word) => word === 'src' || word === 'dst')) return undefined;
  return [
    { role: 'match', kind: 'ipset', negated: option.negated, set, directions: words, options: options.filter((other) => other !== option) },
  ];
};

const addressType: Reader = (options) => {
  const limit = optionOf(options, 'limit-iface-in') ? 'in' : optionOf(options, 'limit-iface-out') ? 'out' : undefined;
  const matches = options
    .filter((option) => !option.name.startsWith('limit-iface-'))
    .map((option): Match | undefined => {
      const types = option.values[0]?.split(',');
      if (types === undefined || (option.name !== 'src-type' && option.name !== 'dst-type')) return undefined;
      const end = option.name === 'src-type' ? 'source' : 'destination';
      return { role: 'match', kind: 'addressType', end, negated: option.negated, types, ...(limit ? { limitInterface: limit } : {}) };
    });
  return matches.length > 0 && matches.every((match) => match !== undefined) ? matches : undefined;
};

const recentActions = ['set', 'rcheck', 'update', 'remove'] as const;
const recent: Reader = (options) => {
  const option = optionOf(options, ...recentActions);
  const action = recentActions.find((name) => name === option?.name);
  if (option === undefined || action === undefined) return undefined;
  const name = optionValue(options, 'name') ?? 'DEFAULT';
  return [{ role: 'match', kind: 'recent', negated: option.negated, action, name, options: options.filter((other) => other !== option) }];
};

const iprange: Reader = (options) => {
  const matches = options.map((option): Match | undefined => {
    const [from, to = from] = (option.values[0] ?? '').split('-');
    if (!from || !to || (option.name !== 'src-range' && option.name !== 'dst-range')) return undefined;
    const end = option.name === 'src-range' ? 'source' : 'destination';
    return { role: 'match', kind: 'addressRange', end, negated: option.negated, from, to };
  });
  return matches.every((match) => match !== undefined) ? matches : undefined;
};

const comment: Reader = (options) => {
  const text = optionValue(options, 'comment');
  return text === undefined ? undefined : [{ role: 'match', kind: 'comment', text }];
};

const length: Reader = (options) => {
  const option = optionOf(options, 'length');
  if (option === undefined || numberRange(option.values[0] ?? '', 65535) === undefined) return undefined;
  return [asModule('length', options)];
};

const physdev: Reader = (options) => [{ role: 'match', kind: 'physdev', options }];

const readers = new Map<string, Reader>(
  Object.entries({
    tcp,
    udp: ports,
    udplite: ports,
    multiport: ports,
    dccp: ports,
    sctp: ports,
    icmp,
    icmp6: icmp,
    icmpv6: icmp,
    conntrack: conntrackMatches,
    state: stateMatch,
    mark: mark('packet'),
    connmark: mark('connection'),
    comment,
    statistic,
    set: ipset,
    addrtype: addressType,
    recent,
    iprange,
    length,
    physdev,
  }),
);
