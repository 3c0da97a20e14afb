import type { NatTarget, Statement } from '../../model/netfilter.ts';
import { addressValue } from '../../model/netfilter-address.ts';
import { fixedTarget } from '../nat-target.ts';
import { addressList, portRanges } from './generic.ts';

/**
 * Why a rule that could be taken apart is not understood all the same: an address or a port in it that iptables itself would refuse, such as port 99999. Undefined where there is none:
 * an extension, a target or an argument that is merely not known stands in the rule as what it is.
 */
export function misreadPart(statements: readonly Statement[]): string | undefined {
  for (const statement of statements) {
    if (statement.kind !== 'opaque' && statement.kind !== 'opaqueAction') continue;
    if (statement.why === 'not an address' || hasImpossibleValue(statement.text)) return `${statement.text}: ${statement.why}`;
  }
  return undefined;
}

/** Whether the addresses that a translation goes to are addresses. */
export const hasAddresses = ({ addresses }: Extract<NatTarget, { type: 'fixed' }>): boolean =>
  addresses.every(({ from, to }) => addressValue(from) !== undefined && (to === from || addressValue(to) !== undefined));

function hasImpossibleValue(text: string): boolean {
  const words = text.split(' ');
  return words.some((word, index) => {
    const value = words[index + 1] ?? '';
    if (/^--(?:to-)?(?:[a-z-]*)ports?$/.test(word)) return isNoPort(value);
    if (/^--to-(?:destination|source)$/.test(word)) return isNoTarget(value);
    return /^--ct(?:orig|repl)(?:src|dst)$/.test(word) && addressList(value) === undefined;
  });
}

/** Names of ports are another matter: what they stand for is the node's to say. */
const isNoPort = (value: string): boolean => /^[\d,:-]+$/.test(value) && portRanges(value.replaceAll('-', ':')) === undefined;

/** A range that is shifted by a base (`80-90/8080`) is right, but not read. */
function isNoTarget(value: string): boolean {
  const target = fixedTarget([value.replace(/(:\d+-\d+)\/\d+$/, '$1')]);
  return target?.type !== 'fixed' || !hasAddresses(target);
}
