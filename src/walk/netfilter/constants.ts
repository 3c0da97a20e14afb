import type { Value } from '../../model/netfilter.ts';
import { addressMask, prefixMask } from '../../model/netfilter-address.ts';
import { protocolName } from '../../model/netfilter-protocol.ts';
import { addressNumber } from './addresses.ts';
import { type Certainty, cannotTell, certain, no, random, yes } from './certainty.ts';
import { bitNames, type Datum, type Domain } from './fields.ts';

/** Whether a packet's datum is (in) a constant of the ruleset, which is read under the domain of the field it is compared with. */
export function isConstant(datum: Datum, value: Value, domain: Domain): Certainty {
  if (datum.is === 'absent') return no;
  if (value.type === 'wildcard') return yes;
  if (datum.is === 'unknown') return cannotTell(datum.why);
  if (datum.is === 'random') return randomIs(datum, value);
  const result =
    datum.is === 'address'
      ? addressIs(datum, value)
      : datum.is === 'number'
        ? numberIs(datum.value, value, domain)
        : textIs(datum.value, value, domain);
  return result === undefined ? cannotTell(`${valueText(value)} is not understood as ${domain}`) : certain(result);
}

export const valueText = (value: Value): string => {
  if (value.type === 'literal') return value.text;
  if (value.type === 'prefix') return `${value.address}/${value.length}`;
  return value.type === 'range' ? `${value.from}-${value.to}` : '*';
};

function addressIs(datum: Extract<Datum, { is: 'address' }>, value: Value): boolean | undefined {
  if (value.type === 'range') {
    const [from, to] = [addressNumber(value.from), addressNumber(value.to)];
    return from && to && from.family === datum.family && datum.value >= from.value && datum.value <= to.value;
  }
  if (value.type === 'prefix') {
    const base = addressNumber(value.address);
    if (base === undefined) return undefined;
    const mask = prefixMask(value.length, base.family);
    return base.family === datum.family && (datum.value & mask) === (base.value & mask);
  }
  const mask = addressMask(valueText(value));
  return mask && mask.family === datum.family && (datum.value & mask.mask) === mask.value;
}

function numberIs(actual: bigint, value: Value, domain: Domain): boolean | undefined {
  if (value.type === 'range') {
    const [from, to] = [constantNumber(value.from, domain), constantNumber(value.to, domain)];
    return from === undefined || to === undefined ? undefined : actual >= from && actual <= to;
  }
  const constant = value.type === 'literal' ? constantNumber(value.text, domain) : undefined;
  return constant === undefined ? undefined : actual === constant;
}

function textIs(actual: string, value: Value, domain: Domain): boolean | undefined {
  if (value.type !== 'literal') return undefined;
  if (domain === 'protocol') return actual === protocolName(value.text);
  if (domain === 'interface' && value.text.endsWith('*')) return actual.startsWith(value.text.slice(0, -1));
  if (domain === 'family') return actual === (familyNames[value.text] ?? value.text);
  return actual === value.text;
}

const familyNames: Record<string, string> = { '2': 'ipv4', '10': 'ipv6' };

const isNumber = (text: string): boolean => /^(0x[0-9a-fA-F]+|\d+)$/.test(text);
const plainNumber = (text: string): number | undefined => (isNumber(text) ? Number(text) : undefined);

/** The number that a constant stands for, or undefined when it is a name that is not known here. */
export function constantNumber(text: string, domain: Domain): bigint | undefined {
  if (isNumber(text)) return BigInt(text);
  const named = (domain === 'icmp' ? icmpTypes : domain === 'icmpv6' ? icmpv6Types : domain === 'dscp' ? dscpNames : bitNames[domain])?.[
    text
  ];
  return named;
}

function randomIs(datum: Extract<Datum, { is: 'random' }>, value: Value): Certainty {
  const share = shareOf(datum, value);
  return share === undefined ? cannotTell(`${valueText(value)} is not a number`) : random(share);
}

/** The share of a random number's values that a constant covers. */
export function shareOf(datum: Extract<Datum, { is: 'random' }>, value: Value): number | undefined {
  if (value.type === 'wildcard') return 1;
  if (value.type === 'prefix') return undefined;
  const first = plainNumber(value.type === 'range' ? value.from : value.text);
  const last = value.type === 'range' ? plainNumber(value.to) : first;
  if (first === undefined || last === undefined) return undefined;
  const low = Math.max(first, datum.offset);
  const high = Math.min(last, datum.offset + datum.modulus - 1);
  return Math.max(0, high - low + 1) / datum.modulus;
}

/** Type names of nft(8), "ICMP TYPE TYPE" and "ICMPV6 TYPE TYPE". */
const icmpTypes: Record<string, bigint> = {
  'echo-reply': 0n,
  'destination-unreachable': 3n,
  'source-quench': 4n,
  redirect: 5n,
  'echo-request': 8n,
  'router-advertisement': 9n,
  'router-solicitation': 10n,
  'time-exceeded': 11n,
  'parameter-problem': 12n,
  'timestamp-request': 13n,
  'timestamp-reply': 14n,
  'info-request': 15n,
  'info-reply': 16n,
  'address-mask-request': 17n,
  'address-mask-reply': 18n,
};

/** Code points of nft(8), "DIFFERENTIATED SERVICES CODE POINT TYPE": classes, assured and expedited forwarding. */
const dscpNames: Record<string, bigint> = {
  ...Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`cs${index}`, BigInt(index * 8)])),
  ...Object.fromEntries(
    [1, 2, 3, 4].flatMap((group) => [1, 2, 3].map((precedence) => [`af${group}${precedence}`, BigInt(group * 8 + precedence * 2)])),
  ),
  be: 0n,
  df: 0n,
  lephb: 1n,
  ef: 46n,
  va: 44n,
  'voice-admit': 44n,
};

const icmpv6Types: Record<string, bigint> = {
  'destination-unreachable': 1n,
  'packet-too-big': 2n,
  'time-exceeded': 3n,
  'parameter-problem': 4n,
  'echo-request': 128n,
  'echo-reply': 129n,
  'mld-listener-query': 130n,
  'mld-listener-report': 131n,
  'mld-listener-done': 132n,
  'mld-listener-reduction': 132n,
  'nd-router-solicit': 133n,
  'nd-router-advert': 134n,
  'nd-neighbor-solicit': 135n,
  'nd-neighbor-advert': 136n,
  'nd-redirect': 137n,
  'router-renumbering': 138n,
  'ind-neighbor-solicit': 141n,
  'ind-neighbor-advert': 142n,
  'mld2-listener-report': 143n,
};
