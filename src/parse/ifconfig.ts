import { maskLength, parseAddress, parseCidr } from '../model/ip.ts';
import type { DirectionCounters, Link, LinkAddress } from '../model/link.ts';
import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import { newLink } from './link-lines.ts';
import { emptyRecord, readText, type TextLine, toCount, unparsedLine } from './text-lines.ts';

/**
 * `ifconfig [-a] [DEV]`: the layout of net-tools 2.x (`flags=4163<UP,…>  mtu 1500`) and the old one of net-tools 1.60 and BusyBox (`Link encap:Ethernet`).
 * ifconfig shows one IPv4 address per label and neither index, master nor carrier errors of IPv6 addresses, so a missing address proves nothing: the
 * result speaks of what it shows only. `RUNNING` stands for carrier.
 */
export const parseIfconfig = (text: string): Parsed<Link[]> => {
  const { lines, whole } = readText(text);
  const value: Link[] = [];
  const unparsed: UnparsedLine[] = [];
  let open: Link | undefined;
  for (const line of lines) {
    if (line.text.trim() === '') continue;
    let why: string | undefined;
    if (/^\s/.test(line.text)) why = open === undefined ? 'continues nothing' : readDetailLine(open, line);
    else {
      open = parseHead(line);
      if (open === undefined) why = 'not the first line of an interface';
      else value.push(open);
    }
    if (why !== undefined) unparsed.push(unparsedLine(line, why));
  }
  return { value, unparsed, complete: whole && unparsed.length === 0 && value.length > 0 };
};

const parseHead = (line: TextLine): Link | undefined => {
  const modern = /^(\S+): flags=-?[0-9]+<([A-Z0-9,_-]*)> +mtu ([0-9]{1,10})\s*$/.exec(line.text);
  if (modern !== null) {
    const link = newLink(line, modern[1] ?? '');
    link.flags = (modern[2] ?? '').split(',').filter((flag) => flag !== '');
    link.mtu = Number(modern[3]);
    return link;
  }
  const old = /^(\S+) +Link encap:(\S(?:[^:]*\S)?)(?: +HWaddr (\S+))?\s*$/.exec(line.text);
  if (old === null) return undefined;
  const link = newLink(line, old[1] ?? '');
  link.linkType = (old[2] ?? '').trim();
  if (old[3] !== undefined) link.address = old[3].toLowerCase();
  return link;
};

type Reader = (link: Link, match: RegExpExecArray, line: TextLine) => string | undefined;

const readDetailLine = (link: Link, line: TextLine): string | undefined => {
  const text = line.text.trim();
  for (const [pattern, read] of readers) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const why = read(link, match, line);
    link.text += `\n${line.text}`;
    link.lastLine = line.line;
    return why;
  }
  return 'unknown line of an interface';
};

const addAddress = (link: Link, line: TextLine, address: LinkAddress): string | undefined => {
  if (parseAddress(address.address)?.family !== address.family) return 'not an address';
  link.addresses.push({ ...address, line: line.line });
  return undefined;
};

const readInet: Reader = (link, [, address, mask, broadcast, peer], line) => addInet(link, line, { address, mask, broadcast, peer });

const readOldInet: Reader = (link, [, address, peer, broadcast, mask], line) => addInet(link, line, { address, mask, broadcast, peer });

type InetParts = Record<'address' | 'mask' | 'broadcast' | 'peer', string | undefined>;

const addInet = (link: Link, line: TextLine, { address = '', mask = '', broadcast, peer }: InetParts): string | undefined => {
  const prefixLength = maskLength(mask);
  if (prefixLength === undefined) return 'not a netmask';
  const entry: LinkAddress = { line: line.line, family: 4, address, prefixLength, flags: [] };
  if (broadcast !== undefined) entry.broadcast = broadcast;
  if (peer !== undefined) entry.peer = peer;
  return addAddress(link, line, entry);
};

const readInet6: Reader = (link, [, address = '', length = '', scope], line) => {
  if (parseCidr(`${address}/${length}`) === undefined) return 'not an address';
  const entry: LinkAddress = { line: line.line, family: 6, address, prefixLength: Number(length), flags: [] };
  if (scope !== undefined) entry.scope = scope.toLowerCase();
  return addAddress(link, line, entry);
};

const countersOf = (link: Link, direction: string): DirectionCounters => {
  link.counters ??= { rx: emptyRecord(), tx: emptyRecord() };
  return direction === 'RX' ? link.counters.rx : link.counters.tx;
};

/** `RX packets 3  bytes 266 (266.0 B)`, `TX errors 0  dropped 0 overruns 0 …`, `RX packets:3 errors:0 …`, `collisions:0 txqueuelen:1000`. */
const readCounters: Reader = (link, [, direction = '', rest = '']) => {
  const target = countersOf(link, direction);
  const words = rest
    .replace(/\([^()]*\)/g, ' ')
    .split(/[\s:]+/)
    .filter((word) => word !== '');
  if (words.length % 2 !== 0) return 'counters without numbers';
  for (let at = 0; at < words.length; at += 2) {
    const name = words[at] ?? '';
    const value = toCount(words[at + 1]);
    if (value === undefined || !/^[a-z]+$/.test(name)) return 'a counter that is no exact number';
    target[name === 'overruns' ? 'overrun' : name] = value;
  }
  return undefined;
};

const readOldBytes: Reader = (link, [, rx, tx]) => {
  const received = toCount(rx);
  const sent = toCount(tx);
  if (received === undefined || sent === undefined) return 'a counter that is no exact number';
  countersOf(link, 'RX').bytes = received;
  countersOf(link, 'TX').bytes = sent;
  return undefined;
};

const readers: readonly (readonly [RegExp, Reader])[] = [
  [/^inet (\S+) {2}netmask (\S+)(?: {2}broadcast (\S+))?(?: {2}destination (\S+))?$/, readInet],
  [/^inet6 (\S+) {2}prefixlen ([0-9]{1,3}) {2}scopeid 0x[0-9a-f]+<([a-z,0-9]+)>$/, readInet6],
  [/^inet addr:(\S+) {2}(?:P-t-P:(\S+) {2})?(?:Bcast:(\S+) {2})?Mask:(\S+)$/, readOldInet],
  [/^inet6 addr: ?([0-9a-fA-F:.]+)\/([0-9]{1,3}) Scope:(\S+)$/, readInet6],
  [
    /^(ether|loop|tunnel|unspec|infiniband|sit|ppp)(?: ([0-9a-fA-F:-]+))? {1,2}txqueuelen ([0-9]+) {2}\([^()]*\)$/,
    (link, [, type, address, qlen]) => {
      link.linkType = type ?? '';
      if (address !== undefined) link.address = address.toLowerCase();
      link.qlen = Number(qlen);
      return undefined;
    },
  ],
  [
    /^((?:[A-Z]+ )+) ?MTU:([0-9]{1,10}) {2}Metric:[0-9]+$/,
    (link, [, flags = '', mtu]) => {
      link.flags = flags.split(' ').filter((flag) => flag !== '');
      link.mtu = Number(mtu);
      return undefined;
    },
  ],
  [/^(RX|TX) ((?:packets|errors)[ :].*)$/, readCounters],
  [
    /^collisions:([0-9]+) txqueuelen:([0-9]+)$/,
    (link, [, collisions, qlen]) => {
      countersOf(link, 'TX').collisions = Number(collisions);
      link.qlen = Number(qlen);
      return undefined;
    },
  ],
  [/^RX bytes:([0-9]+) \([^()]*\) {2}TX bytes:([0-9]+) \([^()]*\)$/, readOldBytes],
  [/^device (?:interrupt|memory) .*$/, () => undefined],
  [/^(?:Interrupt|Base address|Memory):.*$/, () => undefined],
];
