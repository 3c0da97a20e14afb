import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import type { KernelCounter, Socket } from '../model/socket.ts';
import { counterNameOf } from './netstat-names.ts';
import { isUnixHeading, parseUnixRow } from './netstat-unix.ts';
import { socketFamilies } from './socket-families.ts';
import { splitSocketAddress } from './ss.ts';
import { type Attempt, readText, type TextLine, toCount, unparsedLine, wordsOf } from './text-lines.ts';

/**
 * `netstat -tnlp`, `-tnl`, `-anp`, `-une` of net-tools 1.60 to 2.10 and BusyBox 1.35, whatever the language of the titles. Program names are cut. A socket bound
 * to `:::80` may be IPv6 only or dual stack, which netstat does not show: `families` is `unknown`. BusyBox prints `tcp` for both families. For sockets of the
 * UNIX domain see `parseUnixRow`.
 */
export const parseNetstat = (text: string): Parsed<Socket[]> => {
  const { lines, whole } = readText(text);
  const value: Socket[] = [];
  const unparsed: UnparsedLine[] = [];
  let columns: Columns | 'unix' | undefined;
  lines.forEach((line, index) => {
    if (line.text.trim() === '' || isNote(line.text)) return;
    const heading = headingOf(line.text);
    if (heading !== undefined) columns = heading;
    else if (headingOf(lines[index + 1]?.text ?? '') === undefined) {
      const attempt: Attempt<Socket> =
        columns === undefined ? { why: 'stands before the heading' } : columns === 'unix' ? parseUnixRow(line) : parseRow(line, columns);
      if ('ok' in attempt) value.push(attempt.ok);
      else unparsed.push(unparsedLine(line, attempt.why));
    } else if (!isTitle(line.text)) unparsed.push(unparsedLine(line, 'stands where a title should'));
  });
  return { value, unparsed, complete: whole && unparsed.length === 0 && columns !== undefined };
};

/** `Active Internet connections (only servers)` in any language: words, and more of them in parentheses. */
const isTitle = (text: string): boolean => /^\p{L}[\p{L}\p{M} ,'’/-]*(?:\([\p{L}\p{M} ,'’/-]*\))?\s*$/u.test(text);

/**
 * Two lines that netstat prints in front when it is not run by root: they say that names of programs are missing, not sockets; and protocols that the kernel does not have, which
 * `-v` names.
 */
const isNote = (text: string): boolean =>
  /^\(Not all processes could be identified, non-owned process info$|^ will not be shown, you would have to be root to see it all\.\)$|^netstat: no support for `AF [\w ()]+' on this system\.$/.test(
    text.trimEnd(),
  );

const headingOf = (text: string): Columns | 'unix' | undefined => (isUnixHeading(text) ? 'unix' : columnsOf(text));

interface Columns {
  state: boolean;
  user: boolean;
  program: boolean;
  timer: boolean;
}

const columnsOf = (text: string): Columns | undefined => {
  const match = /^Proto Recv-Q Send-Q Local Address +Foreign Address(.*)$/.exec(text);
  const rest = match?.[1];
  return rest === undefined
    ? undefined
    : {
        state: /\bState\b/.test(rest),
        user: /\bUser +Inode\b/.test(rest),
        program: /\bPID\/Program name\b/.test(rest),
        timer: /\bTimer\b/.test(rest),
      };
};

/** States of netstat in the words of ss. */
const states: ReadonlyMap<string, string> = new Map([
  ['LISTEN', 'LISTEN'],
  ['ESTABLISHED', 'ESTAB'],
  ['SYN_SENT', 'SYN-SENT'],
  ['SYN_RECV', 'SYN-RECV'],
  ['FIN_WAIT1', 'FIN-WAIT-1'],
  ['FIN_WAIT2', 'FIN-WAIT-2'],
  ['TIME_WAIT', 'TIME-WAIT'],
  ['CLOSE_WAIT', 'CLOSE-WAIT'],
  ['LAST_ACK', 'LAST-ACK'],
  ['CLOSING', 'CLOSING'],
  ['CLOSE', 'UNCONN'],
  // the kernel's number, as raw sockets have it
  ['7', 'UNCONN'],
]);

const parseRow = (line: TextLine, columns: Columns): Attempt<Socket> => {
  const words = wordsOf(line.text);
  const [protocol = '', recv, send, local = '', peer = ''] = words.splice(0, 5);
  const recvQueue = toCount(recv);
  const sendQueue = toCount(send);
  const localAddress = splitSocketAddress(local);
  const peerAddress = splitSocketAddress(peer);
  if (!/^(tcp|udp|udplite|raw|sctp|icmp)6?$/.test(protocol) || recvQueue === undefined || sendQueue === undefined)
    return { why: 'not a socket' };
  if (localAddress === undefined || peerAddress === undefined) return { why: 'no two addresses' };
  const socket: Socket = {
    ...line,
    netid: protocol.replace(/6$/, ''),
    recvQueue,
    sendQueue,
    local: localAddress,
    peer: peerAddress,
    families: socketFamilies(localAddress.host, 'stars-are-ipv4', false),
    processes: [],
    details: '',
  };
  const state = states.get(words[0] ?? '');
  if (state !== undefined) {
    socket.state = state;
    words.shift();
  } else if (protocol.startsWith('tcp')) return { why: 'unknown state' };
  const why = readTail(socket, words, columns);
  return why === undefined ? { ok: socket } : { why };
};

/** User (a name without `-n`), inode, `1234/nginx: worker` or `-` for a program that is not known, and with `-o` `keepalive (7.20/0/0)`. */
const readTail = (socket: Socket, words: string[], columns: Columns): string | undefined => {
  if (columns.user) {
    const user = words.shift() ?? '';
    const uid = toCount(user);
    const inode = toCount(words.shift());
    if (!/^[a-z0-9_][\w.-]*$/i.test(user) || inode === undefined) return 'no user and inode';
    if (uid !== undefined) socket.uid = uid;
    socket.inode = inode;
  }
  if (columns.timer) {
    socket.details = words.splice(-2).join(' ');
    if (!/^(?:off|on|keepalive|timewait|probe|unkn-\d+) \([\d./]+\)$/.test(socket.details)) return 'no timer at the end';
  }
  const [program, ...more] = words;
  const match = /^([0-9]{1,10})\/(.*)$/.exec(program ?? '');
  if (match !== null && columns.program) socket.processes.push({ name: [match[2] ?? '', ...more].join(' '), pid: Number(match[1]) });
  else if (program !== undefined && (program !== '-' || !columns.program)) return 'unknown word at the end';
  return undefined;
};

/**
 * `netstat -s` of net-tools 1.60 to 2.10 (lib/statistics.c) and BusyBox: prose such as `3 times the listen queue of a socket overflowed` under `TcpExt:`. Names are
 * those of nstat where the wording is known; any other counter is kept under its section and words with `#` for the number, for example
 * `TcpExt # packets somehow odd`, so that nothing is taken for what it is not.
 */
export const parseNetstatStatistics = (text: string): Parsed<KernelCounter[]> => {
  const { lines, whole } = readText(text);
  const value: KernelCounter[] = [];
  const unparsed: UnparsedLine[] = [];
  let section: string | undefined;
  let histogram = '';
  for (const line of lines) {
    if (line.text.trim() === '') continue;
    const heading = /^([A-Z][A-Za-z0-9]*):\s*$/.exec(line.text)?.[1];
    const direction = /^\s+ICMP (input|output) histogram/.exec(line.text)?.[1];
    if (heading !== undefined) {
      section = heading;
      histogram = '';
    } else if (direction !== undefined) histogram = direction;
    else {
      const attempt: Attempt<KernelCounter> =
        section === undefined ? { why: 'stands before any section' } : parseCounter(line, section, histogram);
      if ('ok' in attempt) value.push(attempt.ok);
      else unparsed.push(unparsedLine(line, attempt.why));
    }
  }
  return { value, unparsed, complete: whole && unparsed.length === 0 && section !== undefined };
};

const parseCounter = (line: TextLine, section: string, histogram: string): Attempt<KernelCounter> => {
  const words = wordsOf(line.text);
  const numbers = words.filter((word) => /^-?[0-9]+$/.test(word));
  const [number] = numbers;
  const value = number === '-1' ? -1 : toCount(number);
  if (!/^\s/.test(line.text) || numbers.length !== 1 || value === undefined) return { why: 'not one counter with one exact number' };
  const phrase = words.map((word) => (word === number ? '#' : word)).join(' ');
  return { ok: { ...line, name: counterNameOf(section, phrase, histogram), value } };
};
