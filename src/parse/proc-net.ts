import { addressFromValue } from '../model/ip.ts';
import type { DirectionCounters, LinkCounters } from '../model/link.ts';
import type { HasLine, Parsed, UnparsedLine } from '../model/parsed.ts';
import type { KernelCounter, Socket, SocketAddress } from '../model/socket.ts';
import { socketFamilies } from './socket-families.ts';
import { type Attempt, emptyRecord, parseEachLine, readText, type TextLine, toCount, unparsedLine, wordsOf } from './text-lines.ts';

export interface InterfaceCounters extends HasLine {
  text: string;
  name: string;
  counters: LinkCounters;
}

/**
 * /proc/net/snmp and /proc/net/netstat (kernel 2.6 to 6.18), one or both in one text: a line of names and a line of numbers for each protocol, and
 * /proc/net/snmp6 (a name and a number a line). Names are those of nstat (`TcpExt` + `ListenOverflows`); `line` is the line of the number. Which names there are
 * depends on the kernel. Kernel: snmp_seq_show() and netstat_seq_show() in net/ipv4/proc.c.
 */
export const parseProcNetSnmp = (text: string): Parsed<KernelCounter[]> => {
  const { lines, whole } = readText(text);
  const value: KernelCounter[] = [];
  const unparsed: UnparsedLine[] = [];
  let names: TextLine | undefined;
  for (const line of lines) {
    if (line.text.trim() === '') continue;
    const single = /^([A-Z][A-Za-z0-9]*)\s+([0-9]+)\s*$/.exec(line.text);
    if (single !== null && names === undefined) {
      const number = toCount(single[2]);
      if (number === undefined) unparsed.push(unparsedLine(line, 'the number is larger than 2^53'));
      else value.push({ ...line, name: single[1] ?? '', value: number });
    } else if (names === undefined) names = line;
    else {
      const attempt = readPair(names, line);
      if ('ok' in attempt) value.push(...attempt.ok);
      else unparsed.push(unparsedLine(names, attempt.why), unparsedLine(line, attempt.why));
      names = undefined;
    }
  }
  if (names !== undefined) unparsed.push(unparsedLine(names, 'names without numbers'));
  return { value, unparsed, complete: whole && unparsed.length === 0 && value.length > 0 };
};

const readPair = (heading: TextLine, row: TextLine): Attempt<KernelCounter[]> => {
  const [protocol = '', ...names] = wordsOf(heading.text);
  const [again, ...numbers] = wordsOf(row.text);
  if (!/^[A-Z][A-Za-z0-9]*:$/.test(protocol) || protocol !== again || names.length !== numbers.length)
    return { why: 'no line of names with its line of numbers' };
  const prefix = protocol.slice(0, -1);
  const counters: KernelCounter[] = [];
  for (const [index, name] of names.entries()) {
    const text = numbers[index] ?? '';
    const value = text === '-1' ? -1 : toCount(text); // Tcp MaxConn is -1 for "no limit"
    if (value === undefined) return { why: `"${text}" is no number that can be kept exactly` };
    counters.push({ line: row.line, text: `${prefix}: ${name} ${text}`, name: `${prefix}${name}`, value });
  }
  return { ok: counters };
};

/** /proc/net/dev (kernel 2.2 to 6.18): two heading lines and a row per interface. Kernel: dev_seq_printf_stats() in net/core/net-procfs.c. */
export const parseProcNetDev = (text: string): Parsed<InterfaceCounters[]> => {
  const { lines, whole } = readText(text);
  const heading = lines.find((line) => /^\s*face\s*\|/.test(line.text));
  const [, rxNames = [], txNames = []] = (heading?.text ?? '').split('|').map(wordsOf);
  const value: InterfaceCounters[] = [];
  const unparsed: UnparsedLine[] = [];
  for (const line of lines) {
    if (line === heading || /^Inter-\|\s+Receive\s+\|\s+Transmit\s*$/.test(line.text) || line.text.trim() === '') continue;
    const match = /^\s*(\S+):([0-9\s]+)$/.exec(line.text);
    const numbers = wordsOf(match?.[2] ?? '').map(toCount);
    if (heading === undefined || match === null || numbers.includes(undefined) || numbers.length !== rxNames.length + txNames.length) {
      unparsed.push(unparsedLine(line, 'not a number for each column'));
      continue;
    }
    const counters = { rx: column(rxNames, numbers), tx: column(txNames, numbers.slice(rxNames.length)) };
    value.push({ ...line, name: match[1] ?? '', counters });
  }
  return { value, unparsed, complete: whole && unparsed.length === 0 && heading !== undefined };
};

/** The names of `ip -s link` for the columns of the kernel, so that both can be compared. */
const columnNames: ReadonlyMap<string, string> = new Map([
  ['errs', 'errors'],
  ['drop', 'dropped'],
  ['multicast', 'mcast'],
  ['colls', 'collsns'],
]);

const column = (names: readonly string[], numbers: readonly (number | undefined)[]): DirectionCounters => {
  const counters = emptyRecord<number>();
  names.forEach((name, index) => {
    const value = numbers[index];
    if (value !== undefined) counters[columnNames.get(name) ?? name] = value;
  });
  return counters;
};

/**
 * /proc/net/tcp, tcp6, udp, udp6 (kernel 2.6 to 6.18), also one after the other. Addresses are hexadecimal in words of the machine's byte order, taken as
 * little-endian (all but s390x). `sendQueue` of a listener is 0: the limit of its accept queue is not shown. A socket bound to `::` may be dual stack or
 * IPv6 only, which is not shown either: `families` is `unknown`. Kernel: get_tcp4_sock() in net/ipv4/tcp_ipv4.c.
 */
export const parseProcNetSockets = (text: string, protocol: 'tcp' | 'udp' = 'tcp'): Parsed<Socket[]> => {
  const { lines } = readText(text);
  const isAnyHeading = lines.some((line) => isSocketHeading(line.text));
  const parsed = parseEachLine<Socket | undefined>(text, (line) =>
    isSocketHeading(line.text) ? { ok: undefined } : parseSocketRow(line, protocol),
  );
  return { ...parsed, value: parsed.value.filter((socket) => socket !== undefined), complete: parsed.complete && isAnyHeading };
};

const isSocketHeading = (text: string): boolean => /^\s*sl\s+local_address\s+(rem|remote)_address\s+st\s/.test(text);

/** linux/tcp_states.h, in the words of ss. */
const tcpStates = [
  'ESTAB',
  'SYN-SENT',
  'SYN-RECV',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'TIME-WAIT',
  'UNCONN',
  'CLOSE-WAIT',
  'LAST-ACK',
  'LISTEN',
  'CLOSING',
  'SYN-RECV',
];

const parseSocketRow = (line: TextLine, protocol: 'tcp' | 'udp'): Attempt<Socket> => {
  const [slot = '', local = '', peer = '', stateText = '', queues = '', , , uid, , inode] = wordsOf(line.text);
  const state = /^[0-9A-F]{2}$/.test(stateText) ? tcpStates[Number.parseInt(stateText, 16) - 1] : undefined;
  const queue = /^([0-9A-F]{8}):([0-9A-F]{8})$/.exec(queues);
  const addresses = [local, peer].map(hexAddress);
  const [localAddress, peerAddress] = addresses;
  if (!/^[0-9]+:$/.test(slot) || state === undefined || queue === null || localAddress === undefined || peerAddress === undefined)
    return { why: 'not a socket' };
  const socket: Socket = {
    ...line,
    netid: protocol,
    state,
    recvQueue: Number.parseInt(queue[2] ?? '', 16),
    sendQueue: Number.parseInt(queue[1] ?? '', 16),
    local: localAddress,
    peer: peerAddress,
    families: socketFamilies(localAddress.host, 'unknown', false),
    processes: [],
    details: '',
  };
  const uidNumber = toCount(uid);
  const inodeNumber = toCount(inode);
  if (uidNumber !== undefined) socket.uid = uidNumber;
  if (inodeNumber !== undefined) socket.inode = inodeNumber;
  return { ok: socket };
};

/** `0100007F:1F90`, or four such words for IPv6; each word is little-endian. */
const hexAddress = (text: string): SocketAddress | undefined => {
  const match = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(text);
  if (match === null) return undefined;
  const words = (match[1] ?? '').match(/.{8}/g) ?? [];
  const bytes = words.map((word) => (word.match(/../g) ?? []).reverse().join('')).join('');
  const address = addressFromValue(words.length === 1 ? 4 : 6, BigInt(`0x${bytes}`));
  return address === undefined ? undefined : { host: address.text, port: Number.parseInt(match[2] ?? '', 16) };
};
