import { isIP } from 'node:net';
import type { GetentOutput } from '../model/dns.ts';
import type { Parsed } from '../model/parsed.ts';
import { applyRules, type LineRule, linesOf } from './line-rules.ts';
import { shellMarkRules } from './shell-mark.ts';
import { endsInLine } from './text-lines.ts';

/**
 * Reads `getent hosts|ahosts|ahostsv4|ahostsv6` (glibc 2.17 to 2.41, nss/getent.c). `hosts` prefers IPv6 and shows one family; `ahosts` prints each
 * address once per socket type, the name behind the first only. Nothing printed (exit 2) is no proof that the name does not exist: never complete then.
 */
export function parseGetent(text: string): Parsed<GetentOutput> {
  const value: GetentOutput = { entries: [], marks: [] };
  const unparsed = applyRules(linesOf(text), value, rules, 'no line of getent');
  return { value, unparsed, complete: endsInLine(text) && unparsed.length === 0 && value.entries.length > 0 };
}

const rules: readonly LineRule<GetentOutput>[] = [
  [
    /^(\S+)\s+(STREAM|DGRAM|RAW|SEQPACKET|RDM)(?:\s+(\S+))?\s*$/,
    ({ entries }, [, address = '', socketType = '', name = ''], { line }) =>
      isIP(address) !== 0 && entries.push({ line, address, socketType, names: name ? [name] : [] }),
  ],
  [
    /^(\S+)\s+(\w[\w.-]*(?:\s+\w[\w.-]*)*)\s*$/,
    ({ entries }, [, address = '', names = ''], { line }) =>
      isIP(address) !== 0 && entries.push({ line, address, socketType: undefined, names: names.split(/\s+/) }),
  ],
  ...shellMarkRules,
];
