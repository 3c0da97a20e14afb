import { parseAddress } from '../model/ip.ts';
import type { Link, Vxlan } from '../model/link.ts';
import { commonWordNames, commonWords } from './link-words.ts';
import { toCount, wordsOf } from './text-lines.ts';
import { type KeywordTable, readKeywords, Words } from './word-table.ts';

/** Kinds of iproute2's `ip link help`; a line that begins with another word is not taken for details. */
const kinds: ReadonlySet<string> = new Set([
  ...[
    'bareudp',
    'batadv',
    'bond',
    'bridge',
    'can',
    'dsa',
    'dummy',
    'erspan',
    'geneve',
    'gre',
    'gretap',
    'gtp',
    'hsr',
    'ifb',
    'ip6erspan',
    'ip6gre',
  ],
  ...[
    'ip6gretap',
    'ip6tnl',
    'ipip',
    'ipip6',
    'ipoib',
    'ipvlan',
    'ipvtap',
    'lowpan',
    'macsec',
    'macvlan',
    'macvtap',
    'netdevsim',
    'netkit',
    'nlmon',
    'ovpn',
  ],
  ...[
    'openvswitch',
    'pfcp',
    'rmnet',
    'sit',
    'team',
    'tun',
    'vcan',
    'veth',
    'virt_wifi',
    'vlan',
    'vrf',
    'vti',
    'vti6',
    'vxcan',
    'vxlan',
    'wireguard',
    'wwan',
  ],
  ...['xfrm', 'amt', 'ip6_vti', 'vsockmon', 'macsec', 'nlmon', 'tap', 'hns', 'bpf'],
]);
const portKinds: ReadonlySet<string> = new Set(['bridge_slave', 'bond_slave', 'vrf_slave', 'team_slave', 'hsr_slave', 'bridge_port']);

const commonNames: ReadonlySet<string> = new Set(commonWordNames);

/**
 * The details line of `ip -d link`: `vxlan id 1 local 192.0.2.1 dev eth0 srcport 0 0 dstport 8472 nolearning … addrgenmode eui64 numtxqueues 1 …`.
 * VXLAN is read word by word (iplink_vxlan.c), bridges and ports as pairs; of other kinds the words are kept as printed under `details.text`.
 */
export const readKindLine = (link: Link, text: string): string | undefined => {
  const words = wordsOf(text);
  const [kind = ''] = words;
  if (commonNames.has(kind)) return readCommon(link, words);
  if (kind.startsWith('prog/') || kind === 'vf') return keepOther(link, words);
  const isPort = portKinds.has(kind);
  if (!isPort && !kinds.has(kind)) return 'unknown line of an interface';
  const end = words.findIndex((word) => commonNames.has(word));
  const own = words.slice(1, end < 0 ? undefined : end);
  const why = isPort ? readPort(link, kind, own) : readKind(link, kind, own);
  return why ?? (end < 0 ? undefined : readCommon(link, words.slice(end)));
};

const readCommon = (link: Link, words: readonly string[]): string | undefined => {
  const attempt = readKeywords(new Words(words), commonTable, link);
  return 'ok' in attempt ? undefined : attempt.why;
};

const commonTable: KeywordTable<Link> = new Map(commonWords);

/** SR-IOV functions and attached BPF programs: kept as printed. */
const keepOther = (link: Link, words: readonly string[]): undefined => {
  const key = words.slice(0, 2).join(' ');
  link.other[key] = words.slice(2).join(' ');
};

const readPort = (link: Link, kind: string, words: readonly string[]): string | undefined => {
  if (link.portKind !== undefined) return 'a second line about the port';
  link.portKind = kind.replace(/_(slave|port)$/, ''); // JSON calls the port of a bridge "bridge"
  return kind === 'bridge_slave' ? readPairs(link.portDetails, words) : keepText(link.portDetails, words);
};

const readKind = (link: Link, kind: string, words: readonly string[]): string | undefined => {
  if (link.kind !== undefined) return 'a second line about the kind';
  link.kind = kind;
  if (kind === 'vxlan') return readVxlan(link, words);
  if (kind === 'bridge') return readPairs(link.details, words);
  const id = kind === 'vlan' || kind === 'geneve' ? words[words.indexOf('id') + 1] : undefined;
  if (id !== undefined && words.includes('id')) link.details.id = id;
  return keepText(link.details, words);
};

const keepText = (details: Record<string, string>, words: readonly string[]): undefined => {
  if (words.length > 0) details.text = words.join(' ');
};

const readPairs = (details: Record<string, string>, words: readonly string[]): string | undefined => {
  if (words.length % 2 !== 0) return 'details are no pairs of name and value';
  for (let at = 0; at < words.length; at += 2) details[words[at] ?? ''] = words[at + 1] ?? '';
  return undefined;
};

interface VxlanDraft {
  vxlan: Vxlan;
  details: Record<string, string>;
}

const readVxlan = (link: Link, words: readonly string[]): string | undefined => {
  const draft: VxlanDraft = { vxlan: { external: false, learning: true }, details: link.details };
  const attempt = readKeywords(new Words(words), vxlanWords, draft);
  if (!('ok' in attempt)) return attempt.why;
  link.vxlan = draft.vxlan;
  return undefined;
};

const take = (draft: VxlanDraft, words: Words, name: string): string => {
  const value = words.next() ?? '';
  draft.details[name] = value;
  return value;
};

const vxlanNumber =
  (name: string, key: 'id' | 'dstport') =>
  (draft: VxlanDraft, words: Words): boolean => {
    const value = toCount(take(draft, words, name));
    if (value === undefined) return false;
    draft.vxlan[key] = value;
    return true;
  };

const vxlanAddress =
  (key: 'local' | 'remote' | 'group') =>
  (draft: VxlanDraft, words: Words): boolean => {
    const value = take(draft, words, key);
    draft.vxlan[key] = value;
    return parseAddress(value) !== undefined;
  };

const vxlanText =
  (name: string) =>
  (draft: VxlanDraft, words: Words): boolean =>
    take(draft, words, name) !== '';

const vxlanFlag =
  (name: string) =>
  (draft: VxlanDraft): boolean => {
    draft.details[name] = '';
    return true;
  };

/** iproute2 6.15 writes these with other words, and only where they are not as usual. */
const newVxlanFlags: ReadonlyMap<string, string> = new Map(
  ['', 'no'].flatMap((no): [string, string][] => [
    [`${no}udp_csum`, `${no}udpcsum`],
    [`${no}udp_zero_csum6_tx`, `${no}udp6zerocsumtx`],
    [`${no}udp_zero_csum6_rx`, `${no}udp6zerocsumrx`],
    [`${no}remcsum_tx`, `${no}remcsumtx`],
    [`${no}remcsum_rx`, `${no}remcsumrx`],
  ]),
);

const vxlanFlags = [
  ...[
    'proxy',
    'rsc',
    'l2miss',
    'l3miss',
    'udpcsum',
    'noudpcsum',
    'udp6zerocsumtx',
    'noudp6zerocsumtx',
    'udp6zerocsumrx',
    'noudp6zerocsumrx',
  ],
  ...[
    'remcsumtx',
    'noremcsumtx',
    'remcsumrx',
    'noremcsumrx',
    'gbp',
    'gpe',
    'localbypass',
    'nolocalbypass',
    'vnifilter',
    'mc_route',
    'nomc_route',
  ],
];

/** vxlan_print_opt() in iproute2's ip/iplink_vxlan.c. Learning is on unless `nolearning` is printed. */
const vxlanWords: KeywordTable<VxlanDraft> = new Map([
  ['id', vxlanNumber('id', 'id')],
  ['dstport', vxlanNumber('dstport', 'dstport')],
  ['local', vxlanAddress('local')],
  ['remote', vxlanAddress('remote')],
  ['group', vxlanAddress('group')],
  [
    'dev',
    (draft: VxlanDraft, words: Words) => {
      draft.vxlan.dev = take(draft, words, 'dev');
      return draft.vxlan.dev !== '';
    },
  ],
  [
    'srcport',
    (draft: VxlanDraft, words: Words) =>
      toCount(take(draft, words, 'srcport')) !== undefined && toCount(take(draft, words, 'srcport_max')) !== undefined,
  ],
  [
    'nolearning',
    (draft: VxlanDraft) => {
      draft.vxlan.learning = false;
      return true;
    },
  ],
  ['learning', vxlanFlag('learning')],
  [
    'external',
    (draft: VxlanDraft) => {
      draft.vxlan.external = true;
      return true;
    },
  ],
  ...['tos', 'ttl', 'df', 'flowlabel', 'label', 'ageing', 'maxaddr', 'label_policy', 'reserved_bits'].map(
    (name) => [name, vxlanText(name)] as const,
  ),
  ...vxlanFlags.map((name) => [name, vxlanFlag(name)] as const),
  ...[...newVxlanFlags].map(([word, name]) => [word, vxlanFlag(name)] as const),
]);
