import { z } from 'zod';
import { parseAddress } from '../model/ip.ts';
import type { Link, LinkAddress, Vxlan } from '../model/link.ts';
import type { Parsed } from '../model/parsed.ts';
import { parseJsonItems } from './json-items.ts';
import { commonWordsOfJson, countersOfJson, detailWordsOfJson, portWordsOfJson } from './link-json-words.ts';
import { textRecord } from './word-table.ts';

const addressSchema = z.looseObject({
  // absent with -br
  family: z.enum(['inet', 'inet6']).optional(),
  local: z.string(),
  address: z.string().optional(),
  prefixlen: z.number(),
  broadcast: z.string().optional(),
  scope: z.string().optional(),
  label: z.string().optional(),
  metric: z.number().optional(),
  protocol: z.string().optional(),
  valid_life_time: z.number().optional(),
  preferred_life_time: z.number().optional(),
});

const counters = z.record(z.string(), z.number());
const info = z.looseObject({
  info_kind: z.string().optional(),
  info_data: z.record(z.string(), z.unknown()).optional(),
  info_slave_kind: z.string().optional(),
  info_slave_data: z.record(z.string(), z.unknown()).optional(),
});

/** An item of `ip -j link` and `ip -j addr` (also `-d`, `-s`), iproute2 4.15 to 6.15 (print_linkinfo() in ip/ipaddress.c). Unknown keys are kept. */
const linkSchema = z.looseObject({
  ifindex: z.number().optional(),
  ifname: z.string(),
  link: z.string().nullable().optional(),
  link_index: z.number().optional(),
  flags: z.array(z.string()).optional(),
  mtu: z.number().optional(),
  qdisc: z.string().optional(),
  master: z.string().optional(),
  operstate: z.string().optional(),
  txqlen: z.number().optional(),
  group: z.string().optional(),
  link_type: z.string().optional(),
  address: z.string().optional(),
  broadcast: z.string().optional(),
  link_pointtopoint: z.boolean().optional(),
  permaddr: z.string().optional(),
  link_netnsid: z.number().optional(),
  'link-netns': z.string().optional(),
  link_netns: z.string().optional(),
  ifalias: z.string().optional(),
  altnames: z.array(z.string()).default([]),
  linkinfo: info.optional(),
  addr_info: z.array(z.unknown()).optional(),
  stats64: z.looseObject({ rx: counters, tx: counters }).optional(),
  stats: z.looseObject({ rx: counters, tx: counters }).optional(),
});

type JsonLink = z.output<typeof linkSchema>;

/** The JSON form of `ip link` and `ip addr`: `line` is the number of the item, its addresses carry the same number. */
export const parseLinkJson = (text: string): Parsed<Link[]> => parseJsonItems(text, linkSchema, linkFromJson);

const linkFromJson = (item: JsonLink, line: number): Link | undefined => {
  const addresses = addressesOf(item, line);
  if (addresses === undefined) return undefined;
  const link: Link = {
    line,
    lastLine: line,
    text: '',
    name: item.ifname,
    flags: item.flags,
    altNames: item.altnames,
    details: detailWordsOfJson(item.linkinfo?.info_kind, item.linkinfo?.info_data ?? {}),
    portDetails: portWordsOfJson(item.linkinfo?.info_slave_data ?? {}),
    addresses,
    other: commonWordsOfJson(textRecord(item, knownKeys)),
  };
  setOptional(link, item);
  setPeer(link, item);
  setKind(link, item);
  link.text = renderLink(link);
  return link;
};

const knownKeys: ReadonlySet<string> = new Set(Object.keys(linkSchema.shape));

const setOptional = (link: Link, item: JsonLink): void => {
  if (item.ifindex !== undefined) link.index = item.ifindex;
  if (item.mtu !== undefined) link.mtu = item.mtu;
  if (item.qdisc !== undefined) link.qdisc = item.qdisc;
  if (item.master !== undefined) link.master = item.master;
  if (item.operstate !== undefined) link.state = item.operstate;
  if (item.txqlen !== undefined) link.qlen = item.txqlen;
  if (item.group !== undefined) link.group = item.group;
  if (item.link_type !== undefined) link.linkType = item.link_type;
  if (item.address !== undefined) link.address = item.address;
  // of a point-to-point tunnel, `broadcast` is the far end
  if (item.broadcast !== undefined && item.link_pointtopoint === true) link.peerAddress = item.broadcast;
  if (item.broadcast !== undefined && item.link_pointtopoint !== true) link.broadcast = item.broadcast;
  if (item.permaddr !== undefined) link.permanentAddress = item.permaddr;
  if (item.ifalias !== undefined) link.alias = item.ifalias;
  const netns = item['link-netns'] ?? item.link_netns ?? item.link_netnsid;
  if (netns !== undefined) link.netns = String(netns);
};

const setPeer = (link: Link, item: JsonLink): void => {
  if (item.link_index !== undefined) link.peer = { index: item.link_index };
  else if (item.link !== undefined && item.link !== null) link.peer = { name: item.link };
};

const setKind = (link: Link, item: JsonLink): void => {
  const kind = item.linkinfo?.info_kind;
  const portKind = item.linkinfo?.info_slave_kind;
  if (kind !== undefined) link.kind = kind;
  if (portKind !== undefined) link.portKind = portKind;
  if (kind === 'vxlan') link.vxlan = vxlanOf(item.linkinfo?.info_data ?? {});
  const stats = item.stats64 ?? item.stats;
  if (stats !== undefined) link.counters = { rx: countersOfJson(stats.rx), tx: countersOfJson(stats.tx) };
};

const vxlanOf = (data: Record<string, unknown>): Vxlan => {
  const vxlan: Vxlan = { external: data.external === true };
  const text = (key: string): string | undefined => (typeof data[key] === 'string' ? data[key] : undefined);
  const local = text('local') ?? text('local6');
  const remote = text('remote') ?? text('remote6');
  const group = text('group') ?? text('group6');
  const dev = text('link');
  if (typeof data.id === 'number') vxlan.id = data.id;
  if (typeof data.port === 'number') vxlan.dstport = data.port;
  if (typeof data.learning === 'boolean') vxlan.learning = data.learning;
  if (local !== undefined) vxlan.local = local;
  if (remote !== undefined) vxlan.remote = remote;
  if (group !== undefined) vxlan.group = group;
  if (dev !== undefined) vxlan.dev = dev;
  return vxlan;
};

/** `undefined` when one address is not understood: the interface would seem to have fewer addresses than it has. `ip -4` prints `{}` for the others. */
const addressesOf = (item: JsonLink, line: number): LinkAddress[] | undefined => {
  const addresses: LinkAddress[] = [];
  for (const raw of item.addr_info ?? []) {
    if (typeof raw === 'object' && raw !== null && Object.keys(raw).length === 0) continue;
    const checked = addressSchema.safeParse(raw);
    if (!checked.success || parseAddress(checked.data.local) === undefined) return undefined;
    addresses.push(addressFromJson(checked.data, line));
  }
  return addresses;
};

const addressFromJson = (item: z.output<typeof addressSchema>, line: number): LinkAddress => {
  const flags = Object.entries(item).flatMap(([key, value]) => (value === true ? [key] : []));
  const address: LinkAddress = { line, family: item.local.includes(':') ? 6 : 4, address: item.local, prefixLength: item.prefixlen, flags };
  if (item.address !== undefined) address.peer = item.address;
  if (item.broadcast !== undefined) address.broadcast = item.broadcast;
  if (item.scope !== undefined) address.scope = item.scope;
  if (item.label !== undefined) address.label = item.label;
  if (item.metric !== undefined) address.metric = item.metric;
  if (item.protocol !== undefined) address.protocol = item.protocol;
  if (item.valid_life_time !== undefined) address.validLifetime = lifetime(item.valid_life_time);
  if (item.preferred_life_time !== undefined) address.preferredLifetime = lifetime(item.preferred_life_time);
  return address;
};

const lifetime = (seconds: number): number | 'forever' => (seconds === 0xffffffff ? 'forever' : seconds);

/** The interface in the words of `ip link`, for quoting. */
const renderLink = (link: Link): string => {
  const at = link.peer === undefined ? '' : `@${link.peer.name ?? `if${link.peer.index ?? '?'}`}`;
  const head = `${link.index ?? '?'}: ${link.name}${at}: <${link.flags?.join(',') ?? ''}>`;
  const words = (['mtu', 'qdisc', 'master', 'state'] as const).map((key) => (link[key] === undefined ? undefined : `${key} ${link[key]}`));
  const kind =
    link.kind === undefined
      ? undefined
      : [link.kind, ...Object.entries(link.details).map(([key, value]) => `${key} ${value}`.trim())].join(' ');
  const port =
    link.portKind === undefined
      ? undefined
      : [link.portKind, ...Object.entries(link.portDetails).map(([key, value]) => `${key} ${value}`.trim())].join(' ');
  const mac = link.linkType === undefined ? undefined : `link/${link.linkType} ${link.address ?? ''}`.trim();
  const addresses = link.addresses.map((item) => `${item.family === 4 ? 'inet' : 'inet6'} ${item.address}/${item.prefixLength}`);
  return [head, ...words, mac, kind, port, ...addresses].filter((part) => part !== undefined).join(' ');
};
