import { parseAddress } from '../model/ip.ts';
import type { Neighbour } from '../model/link.ts';
import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import { isMac } from './bridge-fdb.ts';
import { type Attempt, readText, type TextLine, unparsedLine, wordsOf } from './text-lines.ts';

/**
 * IPv4 neighbours from `arp -n` and `arp -an` (net-tools 1.60 to 2.10, BusyBox 1.35) and /proc/net/arp. These show no states, so `states` is empty; an
 * incomplete entry (INCOMPLETE or FAILED, they can't be told apart) has no `mac`, even where /proc/net/arp still prints the old one. Permanent entries carry
 * PERMANENT. Proxy entries have the flag `proxy`. Without `-n`, names stand in place of addresses: such rows are unparsed.
 *
 * The table forms always have a heading; `arp -an` has none, there an empty text is an empty table (`arp -n` prints nothing at all for one, too).
 */
export const parseArp = (text: string): Parsed<Neighbour[]> => {
  const { lines, whole } = readText(text);
  const value: Neighbour[] = [];
  const unparsed: UnparsedLine[] = [];
  let parseRow: (line: TextLine) => Attempt<Neighbour> = parseBsdRow;
  for (const line of lines) {
    if (line.text.trim() === '') continue;
    const next = rowParserOf(line.text);
    if (next !== undefined) {
      parseRow = next;
      continue;
    }
    const attempt = parseRow(line);
    if ('ok' in attempt) value.push(attempt.ok);
    else unparsed.push(unparsedLine(line, attempt.why));
  }
  return { value, unparsed, complete: whole && unparsed.length === 0 };
};

const rowParserOf = (text: string): ((line: TextLine) => Attempt<Neighbour>) | undefined => {
  if (/^IP address\s+HW type\s+Flags\s+HW address\s+Mask\s+Device\s*$/.test(text)) return parseProcRow;
  return /^\S+\s+HW\S+\s+HW\S+\s+Flags\s+Mask\s+Iface\s*$/.test(text) ? parseTableRow : undefined;
};

const neighbour = (line: TextLine, address: string, dev: string, mac: string | undefined, flags: readonly string[]): Neighbour => {
  const entry: Neighbour = {
    ...line,
    address,
    dev,
    states: flags.includes('permanent') ? ['PERMANENT'] : [],
    flags: flags.filter((flag) => flag !== 'permanent'),
  };
  if (mac !== undefined) entry.mac = mac;
  return entry;
};

/** `? (10.0.0.9) at 02:00:00:00:00:09 [ether] PERM PUB on eth0`, `? (10.0.0.9) at <incomplete> on eth0`. */
const parseBsdRow = (line: TextLine): Attempt<Neighbour> => {
  const match = /^\S+ \(([0-9.]{7,15})\) at (\S+)(?: \[\S+\])?((?: +(?:PERM|PUP|PUB|DONTPUB|AUTO|TRAIL|netmask \S+))*) +on (\S+)\s*$/.exec(
    line.text,
  );
  const [, address = '', hardware = '', words = '', dev = ''] = match ?? [];
  if (match === null || parseAddress(address) === undefined) return { why: 'not a neighbour' };
  const flags = [...(/\bPERM\b/.test(words) ? ['permanent'] : []), ...(/\bP(?:UB|UP)\b/.test(words) ? ['proxy'] : [])];
  if (isMac(hardware)) return { ok: neighbour(line, address, dev, hardware.toLowerCase(), flags) };
  return hardware === '<incomplete>' || hardware === '<from_interface>'
    ? { ok: neighbour(line, address, dev, undefined, flags) }
    : { why: 'unknown hardware address' };
};

/** `10.0.0.9   ether   02:00:00:00:00:09   CM   eth0`; an incomplete row has no type and no flags, the Mask column is mostly empty. */
const parseTableRow = (line: TextLine): Attempt<Neighbour> => {
  const words = wordsOf(line.text);
  const [address = ''] = words;
  const dev = words[words.length - 1] ?? '';
  if (parseAddress(address) === undefined || words.length < 3) return { why: 'not a neighbour' };
  if (words[1] === '(incomplete)' && words.length === 3) return { ok: neighbour(line, address, dev, undefined, []) };
  const [, , hardware = '', flagText = '', mask] = words;
  if (
    words.length < 5 ||
    words.length > 6 ||
    !/^[CMP]+$/.test(flagText) ||
    (words.length === 6 && mask !== '*' && parseAddress(mask ?? '') === undefined)
  )
    return { why: 'unknown columns' };
  const flags = [...(flagText.includes('M') ? ['permanent'] : []), ...(flagText.includes('P') ? ['proxy'] : [])];
  if (!isMac(hardware) && hardware !== '<from_interface>' && hardware !== '*') return { why: 'unknown hardware address' };
  return { ok: neighbour(line, address, dev, isMac(hardware) ? hardware.toLowerCase() : undefined, flags) };
};

/** Flags of linux/if_arp.h: 0x2 complete, 0x4 permanent, 0x8 published. */
const parseProcRow = (line: TextLine): Attempt<Neighbour> => {
  const [address = '', type = '', flagText = '', mac = '', mask, dev = '', ...rest] = wordsOf(line.text);
  const bits = /^0x[0-9a-f]{1,4}$/.test(flagText) ? Number(flagText) : undefined;
  if (
    parseAddress(address) === undefined ||
    !/^0x[0-9a-f]+$/.test(type) ||
    bits === undefined ||
    mask === undefined ||
    dev === '' ||
    rest.length > 0
  )
    return { why: 'not a neighbour' };
  const flags = [...((bits & 4) !== 0 ? ['permanent'] : []), ...((bits & 8) !== 0 ? ['proxy'] : [])];
  return { ok: neighbour(line, address, dev, (bits & 2) !== 0 && isMac(mac) ? mac : undefined, flags) };
};
