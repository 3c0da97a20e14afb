import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import type { Socket, SocketAddress, SocketProcess } from '../model/socket.ts';
import { type SocketDialect, socketFamilies } from './socket-families.ts';
import { type Attempt, readText, type TextLine, toCount, unparsedLine, wordsOf } from './text-lines.ts';

/**
 * `ss` of iproute2 3.10 to 6.15: `-tnlp`, `-lntup`, `-tnapiom`, `-uanpe`, with or without the heading (`-H`), one line per socket (`-O`) or with
 * continuation lines. Columns Netid and State are left out by ss when they are the same for all rows. Grammar: misc/ss.c.
 *
 * Without a heading an empty text could be anything, so a result is complete only with the heading, or with `-H` when `options.headless` says that
 * it was asked for. `RTNETLINK answers: …` says that some protocol could not be listed: not complete. Listening `*:port` is dual stack with ss of iproute2 4.16 and newer, IPv4 with older ones; where the text does not tell which it is,
 * `families` is `unknown`. Messages about cgroups in front of the heading are harmless and skipped.
 */
export const parseSs = (text: string, options: { headless?: boolean } = {}): Parsed<Socket[]> => {
  const { lines, whole } = readText(text);
  const dialect = dialectOf(text);
  const value: Socket[] = [];
  const unparsed: UnparsedLine[] = [];
  let headings = 0;
  let refused = false;
  let open: Socket | undefined;
  for (const line of lines) {
    if (line.text.trim() === '' || isHarmless(line.text)) continue;
    if (isRefusal(line.text)) {
      refused = true;
      continue;
    }
    if (isHeading(line.text)) {
      headings += 1;
      open = undefined;
    } else if (/^\s/.test(line.text) && open !== undefined && !startsRow(line.text)) {
      addDetails(open, line.text);
    } else {
      const attempt = parseSocketRow(line, dialect);
      open = 'ok' in attempt ? attempt.ok : undefined;
      if ('ok' in attempt) value.push(attempt.ok);
      else unparsed.push(unparsedLine(line, attempt.why));
    }
  }
  return { value, unparsed, complete: whole && !refused && unparsed.length === 0 && (headings > 0 || options.headless === true) };
};

/** `users:(("nginx",pid=12,fd=3),("nginx",pid=13,fd=3))`, or `("sshd",1234,3)` of old versions. Names may hold any character but a quote. */
export const processesOf = (text: string): SocketProcess[] => {
  const start = text.indexOf('users:((');
  if (start < 0) return [];
  const entries = text
    .slice(start)
    .matchAll(/\("([^"]{0,64})",(?:pid=)?([0-9]{1,10})(?:,(?:proc_ctx=[^,()]*,)?(?:fd=)?([0-9]{1,10}))?[^()]{0,200}\)/g);
  return [...entries].map(([, name = '', pid, fd]) =>
    fd === undefined ? { name, pid: Number(pid) } : { name, pid: Number(pid), fd: Number(fd) },
  );
};

/** Host, zone and port of an address column: `10.0.0.1%eth0:80`, `[fe80::1]%eth0:80`, `*:80`, `:::80` (old). */
export const splitSocketAddress = (text: string): SocketAddress | undefined => {
  const colon = text.lastIndexOf(':');
  if (colon < 0) return undefined;
  const portText = text.slice(colon + 1);
  const port = toCount(portText);
  const [bare = '', zone] = text.slice(0, colon).replace(/[[\]]/g, '').split('%');
  if (portText === '' || bare === '' || (port !== undefined && port > 65535)) return undefined;
  const address: SocketAddress = { host: bare, port };
  if (zone !== undefined) address.zone = zone;
  if (port === undefined && portText !== '*') address.service = portText;
  return address;
};

const isHarmless = (text: string): boolean => text === 'Failed to find cgroup2 mount' || text === 'Failed to open cgroup2 by ID';

/** The kernel has not all of the protocols that were asked for (MPTCP, SCTP…): the others follow. */
const isRefusal = (text: string): boolean => /^RTNETLINK answers: [A-Z][a-z ]+$/.test(text);

const isHeading = (text: string): boolean => /^(Netid\s|State\s|Recv-Q\s).*Local Address:Port\s+Peer Address:Port/.test(text);

const netids: ReadonlySet<string> = new Set([
  ...[
    'tcp',
    'udp',
    'raw',
    'dccp',
    'sctp',
    'mptcp',
    'icmp6',
    'u_str',
    'u_dgr',
    'u_seq',
    'p_raw',
    'p_dgr',
    'nl',
    'v_str',
    'v_dgr',
    'ti_rd',
    'ti_sq',
    'ti_st',
    'ti_dg',
    'xdp',
  ],
  '???',
]);

const states: ReadonlySet<string> = new Set([
  ...[
    'LISTEN',
    'ESTAB',
    'UNCONN',
    'SYN-SENT',
    'SYN-RECV',
    'FIN-WAIT-1',
    'FIN-WAIT-2',
    'TIME-WAIT',
    'CLOSE-WAIT',
    'LAST-ACK',
    'CLOSING',
    'CLOSED',
    'UNKNOWN',
  ],
  'NEW_SYN_RECV',
]);

/** Rows that ss indents: none; but a pasted block may be indented as a whole. */
const startsRow = (text: string): boolean => {
  const [first = ''] = wordsOf(text.slice(0, 200));
  return netids.has(first) || states.has(first);
};

const dialectOf = (text: string): SocketDialect => {
  if (/(^|\n)[^\n]{0,300}Peer Address:Port\s*Process/.test(text) || /\s(0\.0\.0\.0|\[::\]):[0-9*]/.test(text))
    return 'stars-are-dual-stack';
  return /\s:::[0-9*]/.test(text) ? 'stars-are-ipv4' : 'unknown';
};

const parseSocketRow = (line: TextLine, dialect: SocketDialect): Attempt<Socket> => {
  const words = wordsOf(line.text);
  const netid = netids.has(words[0] ?? '') ? words.shift() : undefined;
  const state = states.has(words[0] ?? '') ? words.shift() : undefined;
  const recvQueue = toCount(words.shift());
  const sendQueue = toCount(words.shift());
  if (recvQueue === undefined || sendQueue === undefined) return { why: 'no queue sizes where they stand in a row of ss' };
  // without the column Netid, the far end of a packet or netlink socket is a star alone
  const notIp = isNotIp(netid) || (netid === undefined && words[1] === '*');
  const local = takeAddress(words, notIp);
  const peer = takeAddress(words, notIp);
  if (local === undefined || peer === undefined) return { why: 'no two addresses' };
  const socket: Socket = { ...line, recvQueue, sendQueue, local, peer, families: 'unknown', processes: [], details: '' };
  if (netid !== undefined) socket.netid = netid;
  if (state !== undefined) socket.state = state;
  addWords(socket, words.join(' '));
  socket.families = notIp ? 'not-ip' : socketFamilies(rawHost(local, line.text), dialect, /(^|\s)v6only:1(\s|$)/.test(socket.details));
  return { ok: socket };
};

const isNotIp = (netid: string | undefined): boolean => /^(u_|p_|nl|v_|ti_|xdp|\?)/.test(netid ?? '');

/** UNIX, packet and netlink sockets print address and port as two words (`/run/x.sock 1234`) or with a colon (`rtnl:kernel`). */
const takeAddress = (words: string[], notIp: boolean): SocketAddress | undefined => {
  const word = words.shift();
  if (word === undefined) return undefined;
  if (!notIp) return splitSocketAddress(word);
  const next = words[0];
  // `rtnl:kernel  *`: the star behind an address with a colon is the far end
  if (next !== undefined && ((next === '*' && !word.includes(':')) || toCount(next) !== undefined)) {
    words.shift();
    return { host: word, port: undefined, service: next };
  }
  return splitSocketAddress(word) ?? { host: word, port: undefined };
};

/** The host with its brackets, which say that the tool is a newer one. */
const rawHost = (address: SocketAddress, text: string): string => (text.includes(`[${address.host}]`) ? `[${address.host}]` : address.host);

const addWords = (socket: Socket, details: string): void => {
  socket.details = socket.details === '' ? details : `${socket.details} ${details}`;
  socket.processes.push(...processesOf(details));
  const inode = toCount(/(?:^|\s)ino:([0-9]+)/.exec(details)?.[1]);
  const uid = toCount(/(?:^|\s)uid:([0-9]+)/.exec(details)?.[1]);
  if (inode !== undefined) socket.inode = inode;
  if (uid !== undefined) socket.uid = uid;
};

const addDetails = (socket: Socket, text: string): void => {
  socket.text += `\n${text}`;
  addWords(socket, wordsOf(text).join(' '));
};
