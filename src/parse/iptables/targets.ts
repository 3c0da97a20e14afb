import type { Action, ModuleOption } from '../../model/netfilter.ts';
import { fixedTarget, portRange } from '../nat-target.ts';
import { valueAndMask } from './generic.ts';
import { hasAddresses } from './misread.ts';
import { onlyOptions, optionOf, optionsText, optionValue } from './options.ts';

/**
 * The action of `-j NAME` or `-g NAME` with its options (iptables-extensions(8) of 1.8.11). A name that is declared as a chain is a jump; a name
 * that is neither a chain nor a known target stays opaque, because nobody can say whether it lets the packet go on.
 */
export function targetAction(
  name: string,
  isGoto: boolean,
  options: ModuleOption[],
  declaredChains: ReadonlySet<string>,
  family: 'ip' | 'ip6',
): Action {
  if (isGoto) return { role: 'action', kind: 'goto', chain: name };
  if (declaredChains.has(name)) return { role: 'action', kind: 'jump', chain: name };
  const text = options.length === 0 ? `-j ${name}` : `-j ${name} ${optionsText(options)}`;
  const reader = readers.get(name);
  if (reader !== undefined)
    return reader(options, text, family) ?? { role: 'action', kind: 'opaqueAction', text, why: `arguments of -j ${name} not understood` };
  if (fallsThrough.has(name)) return { role: 'action', kind: 'fallThrough', name, options, text };
  return { role: 'action', kind: 'opaqueAction', text, why: `neither a chain of this table nor a known target` };
}

/** Targets that return XT_CONTINUE in the kernel: the packet goes on to the next rule. */
const fallsThrough = new Set([
  'LOG',
  'NFLOG',
  'ULOG',
  'SET',
  'TCPMSS',
  'TCPOPTSTRIP',
  'CHECKSUM',
  'CLASSIFY',
  'TRACE',
  'DSCP',
  'TOS',
  'TTL',
  'HL',
  'ECN',
  'TEE',
  'AUDIT',
  'SECMARK',
  'CONNSECMARK',
  'IDLETIMER',
  'LED',
  'RATEEST',
]);

type Reader = (options: ModuleOption[], text: string, family: 'ip' | 'ip6') => Action | undefined;

const verdict =
  (kind: 'accept' | 'drop' | 'return'): Reader =>
  (options) =>
    options.length === 0 ? { role: 'action', kind } : undefined;

const nat =
  (kind: 'dnat' | 'snat', option: string): Reader =>
  (options) => {
    if (!onlyOptions(options, option, ...natFlags)) return undefined;
    const target = fixedTarget(options.filter((other) => other.name === option).map((other) => other.values[0] ?? ''));
    return target?.type === 'fixed' && hasAddresses(target) ? { role: 'action', kind, to: target, flags: flagsOf(options) } : undefined;
  };

const natFlags = ['random', 'random-fully', 'persistent'];

const flagsOf = (options: ModuleOption[]): string[] =>
  options.filter((option) => option.values.length === 0 && !option.negated).map((option) => option.name);

const masquerade: Reader = (options) => withPorts('masquerade', options);
const redirect: Reader = (options) => withPorts('redirect', options);

function withPorts(kind: 'masquerade' | 'redirect', options: ModuleOption[]): Action | undefined {
  const text = optionValue(options, 'to-ports');
  const ports = text === undefined ? undefined : portRange(text);
  if ((text !== undefined && ports === undefined) || !onlyOptions(options, 'to-ports', ...natFlags)) return undefined;
  return { role: 'action', kind, ...(ports ? { ports } : {}), flags: flagsOf(options) };
}

const reject: Reader = (options, _text, family) => {
  const usual = family === 'ip6' ? 'icmp6-port-unreachable' : 'icmp-port-unreachable';
  return onlyOptions(options, 'reject-with')
    ? { role: 'action', kind: 'reject', with: optionValue(options, 'reject-with') ?? usual }
    : undefined;
};

const setMark: Reader = (options) => {
  const option = options[0];
  const value = valueAndMask(option?.values[0] ?? '');
  if (option === undefined || value === undefined || options.length !== 1) return undefined;
  return markOperation('packet', option.name, value);
};

/** All mark operations as mark = (mark & ~mask) ^ value, as the kernel has them (xt_mark revision 2, man page of MARK). */
function markOperation(of: 'packet' | 'connection', name: string, { value, mask }: { value: number; mask: number }): Action | undefined {
  const action = (xorValue: number, clearMask: number): Action => ({
    role: 'action',
    kind: 'setMark',
    of,
    value: xorValue >>> 0,
    mask: clearMask >>> 0,
  });
  if (name === 'set-xmark') return action(value, mask);
  if (name === 'set-mark') return action(value, mask | value);
  if (name === 'and-mark') return action(0, ~value);
  if (name === 'or-mark') return action(value, value);
  if (name === 'xor-mark') return action(value, 0);
  return undefined;
}

const connectionMark: Reader = (options) => {
  const copy = optionOf(options, 'save-mark', 'restore-mark');
  if (copy === undefined) {
    const value = valueAndMask(options[0]?.values[0] ?? '');
    return value && options.length === 1 ? markOperation('connection', options[0]?.name ?? '', value) : undefined;
  }
  if (!onlyOptions(options, copy.name, 'mask', 'nfmask', 'ctmask')) return undefined;
  const both = optionValue(options, 'mask') ?? '0xffffffff';
  const packetMask = Number(optionValue(options, 'nfmask') ?? both);
  const connectionMask = Number(optionValue(options, 'ctmask') ?? both);
  return { role: 'action', kind: 'copyMark', from: copy.name === 'save-mark' ? 'packet' : 'connection', packetMask, connectionMask };
};

const conntrackTarget: Reader = (options, text) =>
  options.length === 1 && optionOf(options, 'notrack')
    ? { role: 'action', kind: 'notrack', target: 'CT' }
    : { role: 'action', kind: 'fallThrough', name: 'CT', options, text };

const tproxy: Reader = (options, text) => {
  const mark = valueAndMask(optionValue(options, 'tproxy-mark') ?? '0/0');
  const port = Number(optionValue(options, 'on-port') ?? Number.NaN);
  const address = optionValue(options, 'on-ip');
  if (mark === undefined || !Number.isInteger(port) || !onlyOptions(options, 'on-port', 'on-ip', 'tproxy-mark')) return undefined;
  return { role: 'action', kind: 'tproxy', ends: true, port, ...(address === undefined ? {} : { address }), ...mark, text };
};

const netmap: Reader = (options) => {
  const to = optionValue(options, 'to');
  return to === undefined || options.length !== 1 ? undefined : { role: 'action', kind: 'netmap', to };
};

const readers = new Map<string, Reader>(
  Object.entries({
    ACCEPT: verdict('accept'),
    DROP: verdict('drop'),
    RETURN: verdict('return'),
    QUEUE: (_options, text) => ({ role: 'action', kind: 'queue', text }),
    NFQUEUE: (_options, text) => ({ role: 'action', kind: 'queue', text }),
    DNAT: nat('dnat', 'to-destination'),
    SNAT: nat('snat', 'to-source'),
    MASQUERADE: masquerade,
    REDIRECT: redirect,
    REJECT: reject,
    MARK: setMark,
    CONNMARK: connectionMark,
    NOTRACK: () => ({ role: 'action', kind: 'notrack', target: 'NOTRACK' }),
    CT: conntrackTarget,
    TPROXY: tproxy,
    NETMAP: netmap,
    // A mark from a hash of the packet: what it is can't be foreseen.
    HMARK: (_options, text) => ({ role: 'action', kind: 'assign', target: 'meta mark', value: { type: 'opaque', text }, text }),
  }),
);
