import { z } from 'zod';
import type { BridgeVlan } from '../model/link.ts';
import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import { looksLikeJson, parseJsonItems } from './json-items.ts';
import { type Attempt, emptyRecord, readText, type TextLine, toCount, unparsedLine, wordsOf } from './text-lines.ts';

/**
 * `bridge vlan [show]`, `-d`, `-s`, `-compressvlans`, `tunnelshow`, `-j` (there `line` is the number of the item), iproute2 3.10 to 6.15: a heading, a line
 * per VLAN or range, the port's name only on its first one (old versions repeat it, or print it alone or with `None`). A port without VLANs is missing
 * or stands alone. On a kernel without VLAN filtering the tool prints an error, which is unparsed. An empty text is never complete: the heading is always
 * there.
 */
export const parseBridgeVlan = (text: string): Parsed<BridgeVlan[]> =>
  looksLikeJson(text) ? parseJsonItems(text, portSchema, vlansFromJson) : parseVlanText(text);

interface State {
  value: BridgeVlan[];
  port: string | undefined;
  tunnels: boolean;
  headings: number;
  /** Old versions print a port's name alone, after an empty line. */
  afterBlank: boolean;
}

const parseVlanText = (text: string): Parsed<BridgeVlan[]> => {
  const { lines, whole } = readText(text);
  const state: State = { value: [], port: undefined, tunnels: false, headings: 0, afterBlank: false };
  const unparsed: UnparsedLine[] = [];
  for (const line of lines) {
    const isBlank = line.text.trim() === '';
    const why = isBlank ? undefined : readVlanLine(state, line);
    state.afterBlank = isBlank;
    if (why !== undefined) unparsed.push(unparsedLine(line, why));
  }
  return { value: state.value, unparsed, complete: whole && unparsed.length === 0 && state.headings > 0 };
};

const readVlanLine = (state: State, line: TextLine): string | undefined => {
  if (/^port\s+vlan([- ]ids?)(\s+tunnel-id)?\s*$/.test(line.text)) {
    state.headings += 1;
    state.tunnels = line.text.includes('tunnel-id');
    state.port = undefined;
    return undefined;
  }
  if (state.headings === 0) return 'stands before the heading';
  const words = wordsOf(line.text);
  if (!/^\s/.test(line.text)) {
    state.port = words.shift();
    if (words.length === 1 && words[0] === 'None') return undefined;
    if (words.length === 0) return state.afterBlank ? undefined : 'a port without VLANs';
  }
  if (state.port === undefined) return 'no port';
  const attempt = state.tunnels ? readTunnel(state.port, words, line) : readVlans(state.port, words, line);
  if ('ok' in attempt) state.value.push(...attempt.ok);
  else return readDetails(state.value[state.value.length - 1], words, line) ? undefined : attempt.why;
  return undefined;
};

const newVlan = (port: string, line: TextLine, range: { first: number; last: number }): BridgeVlan => ({
  ...line,
  port,
  ...range,
  pvid: false,
  untagged: false,
  options: emptyRecord(),
});

/** `10-13`, `10`: VLAN ids are 1 to 4094. */
const rangeOf = (text: string | undefined): { first: number; last: number } | undefined => {
  const match = /^([0-9]{1,8})(?:-([0-9]{1,8}))?$/.exec(text ?? '');
  const first = toCount(match?.[1]);
  const last = toCount(match?.[2]) ?? first;
  return first === undefined || last === undefined || last < first ? undefined : { first, last };
};

/** `1 PVID Egress Untagged`; several on one line and `untagged` alone in some versions. */
const readVlans = (port: string, words: readonly string[], line: TextLine): Attempt<BridgeVlan[]> => {
  const vlans: BridgeVlan[] = [];
  for (const word of words) {
    const range = rangeOf(word);
    const last = vlans[vlans.length - 1];
    if (range !== undefined) vlans.push(newVlan(port, line, range));
    else if (last !== undefined && word === 'PVID') last.pvid = true;
    else if (last !== undefined && /^untagged$/i.test(word)) last.untagged = true;
    else if (last === undefined || word !== 'Egress') return { why: `unknown word "${word}"` };
  }
  return { ok: vlans };
};

const readTunnel = (port: string, words: readonly string[], line: TextLine): Attempt<BridgeVlan[]> => {
  const range = rangeOf(words[0]);
  const tunnel = rangeOf(words[1]);
  if (range === undefined || tunnel === undefined || words.length !== 2) return { why: 'no VLAN and tunnel id' };
  return { ok: [{ ...newVlan(port, line, range), tunnelId: tunnel.first }] };
};

/** `state forwarding mcast_router 1` of `-d`, `RX: 0 bytes 0 packets` of `-s`: kept with the VLAN above. */
const readDetails = (vlan: BridgeVlan | undefined, words: readonly string[], line: TextLine): boolean => {
  const statistics = /^(RX|TX):$/.exec(words[0] ?? '')?.[1];
  if (vlan === undefined || words.length === 0) return false;
  if (statistics !== undefined) vlan.options[statistics] = words.slice(1).join(' ');
  else {
    if (words.length % 2 !== 0 || !/^[a-z_]+$/.test(words[0] ?? '')) return false;
    for (let at = 0; at < words.length; at += 2) vlan.options[words[at] ?? ''] = words[at + 1] ?? '';
  }
  vlan.text += `\n${line.text}`;
  return true;
};

const vlanSchema = z.looseObject({
  vlan: z.number(),
  vlanEnd: z.number().optional(),
  flags: z.array(z.string()).default([]),
  tunid: z.number().optional(),
});
const portSchema = z
  .looseObject({ ifname: z.string(), vlans: z.array(vlanSchema).optional(), tunnels: z.array(vlanSchema).optional() })
  .refine((port) => port.vlans !== undefined || port.tunnels !== undefined, 'neither vlans nor tunnels');

const vlansFromJson = (item: z.output<typeof portSchema>, line: number): BridgeVlan[] =>
  [...(item.vlans ?? []), ...(item.tunnels ?? [])].map((vlan) => {
    const last = vlan.vlanEnd ?? vlan.vlan;
    const text = `${item.ifname} ${vlan.vlan}${last === vlan.vlan ? '' : `-${last}`} ${vlan.flags.join(' ')}`.trim();
    const entry = newVlan(item.ifname, { line, text }, { first: vlan.vlan, last });
    entry.pvid = vlan.flags.includes('PVID');
    entry.untagged = vlan.flags.includes('Egress Untagged');
    if (vlan.tunid !== undefined) entry.tunnelId = vlan.tunid;
    return entry;
  });
