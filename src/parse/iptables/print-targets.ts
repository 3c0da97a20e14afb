import type { Action, ModuleOption, NatTarget, NumberRange } from '../../model/netfilter.ts';
import { optionsText } from './options.ts';
import { hex } from './print-matches.ts';

type Kind<Name extends Action['kind']> = Extract<Action, { kind: Name }>;

/** The words of one action as iptables-save writes them (save functions of libxtables' targets, 1.8). */
export function targetWords(action: Action): string[] {
  switch (action.kind) {
    case 'accept':
    case 'drop':
    case 'return':
      return ['-j', action.kind.toUpperCase()];
    case 'jump':
      return ['-j', action.chain];
    case 'goto':
      return ['-g', action.chain];
    case 'reject':
      return target('REJECT', option('reject-with', action.with));
    case 'dnat':
    case 'snat':
      return translation(action);
    case 'masquerade':
    case 'redirect':
      return target(action.kind.toUpperCase(), ...portOption(action.ports), ...action.flags.map((flag) => option(flag)));
    case 'netmap':
      return target('NETMAP', option('to', action.to));
    case 'fallThrough':
      return target(action.name, ...action.options);
    case 'notrack':
      return action.target === 'NOTRACK' ? target('NOTRACK') : target('CT', option('notrack'));
    default:
      return marking(action);
  }
}

const option = (name: string, ...values: string[]): ModuleOption => ({ name, negated: false, values });
const target = (name: string, ...options: ModuleOption[]): string[] => [
  '-j',
  name,
  ...(options.length === 0 ? [] : [optionsText(options)]),
];
const portOption = (ports: NumberRange | undefined): ModuleOption[] => (ports === undefined ? [] : [option('to-ports', rangeWord(ports))]);
const rangeWord = ({ first, last }: NumberRange): string => (first === last ? `${first}` : `${first}-${last}`);

function translation({ kind, to, flags }: Kind<'dnat' | 'snat'>): string[] {
  const name = kind === 'dnat' ? 'to-destination' : 'to-source';
  return target(kind.toUpperCase(), ...targetTexts(to).map((text) => option(name, text)), ...flags.map((flag) => option(flag)));
}

/** `10.0.0.1-10.0.0.9:80-90`, `[fd00::1-fd00::9]:80`, `fd00::1`, `:8080`. Before 1.4.20 there could be several, which share their ports. */
function targetTexts(to: NatTarget): string[] {
  if (to.type === 'expression') return [to.text];
  const ports = to.ports === undefined ? '' : `:${rangeWord(to.ports)}`;
  if (to.addresses.length === 0) return [ports];
  return to.addresses.map(({ from, to: last }) => {
    const range = from === last ? from : `${from}-${last}`;
    return `${range.includes(':') && ports !== '' ? `[${range}]` : range}${ports}`;
  });
}

function marking(
  action: Exclude<
    Action,
    Kind<
      | 'accept'
      | 'drop'
      | 'return'
      | 'jump'
      | 'goto'
      | 'reject'
      | 'dnat'
      | 'snat'
      | 'masquerade'
      | 'redirect'
      | 'netmap'
      | 'fallThrough'
      | 'notrack'
    >
  >,
): string[] {
  switch (action.kind) {
    case 'setMark':
      return target(action.of === 'packet' ? 'MARK' : 'CONNMARK', option('set-xmark', `${hex(action.value)}/${hex(action.mask)}`));
    case 'copyMark':
      return target(
        'CONNMARK',
        option(action.from === 'packet' ? 'save-mark' : 'restore-mark'),
        option('nfmask', hex(action.packetMask)),
        option('ctmask', hex(action.connectionMask)),
      );
    case 'tproxy':
      return target(
        'TPROXY',
        option('on-port', `${action.port ?? 0}`),
        ...(action.address === undefined ? [] : [option('on-ip', action.address)]),
        option('tproxy-mark', `${hex(action.value)}/${hex(action.mask)}`),
      );
    case 'continue':
      return [];
    default:
      return [action.text];
  }
}
