import type { Socket } from '../model/socket.ts';
import { type Attempt, type TextLine, toCount } from './text-lines.ts';

/** `Proto RefCnt Flags       Type       State         I-Node   PID/Program name     Path`: net-tools and BusyBox, which has two blanks before `Path`. */
export const isUnixHeading = (text: string): boolean =>
  /^Proto RefCnt Flags +Type +State +I-Node +(?:PID\/Program name +)?Path\s*$/.test(text);

/**
 * `unix  2      [ ACC ]     STREAM     LISTENING     23657682 1234/nginx  @abstract`: a socket of the UNIX domain. There are no queues (0 stands for them), no addresses and no far end:
 * `local.host` is the path, `*` where it has none. A state may be missing.
 */
export const parseUnixRow = (line: TextLine): Attempt<Socket> => {
  const match =
    /^unix +([0-9]+) +\[([A-Z ]*)\] +(STREAM|DGRAM|SEQPACKET|RAW|RDM|PACKET|UNKNOWN)(?: +(FREE|LISTENING|CONNECTING|CONNECTED|DISCONNECTING|UNKNOWN))? +([0-9]+)(?: +(.*))?$/.exec(
      line.text.trimEnd(),
    );
  const inode = toCount(match?.[5]);
  if (match === null || inode === undefined) return { why: 'not a socket of the UNIX domain' };
  const [, , flags = '', type = '', state = '', , rest = ''] = match;
  const program = /^(?:([0-9]{1,10})\/(.{1,15}?)|-)(?: {2,}(.*)|$)/.exec(rest);
  const path = program === null ? rest : (program[3] ?? '');
  const socket: Socket = {
    ...line,
    netid: 'unix',
    recvQueue: 0,
    sendQueue: 0,
    local: { host: path === '' ? '*' : path.trim(), port: undefined },
    peer: { host: '*', port: undefined },
    families: 'not-ip',
    processes: program?.[1] === undefined ? [] : [{ name: program[2] ?? '', pid: Number(program[1]) }],
    inode,
    details: [type, flags.trim()].filter((word) => word !== '').join(' '),
  };
  const known = unixStates.get(state);
  if (known !== undefined) socket.state = known;
  return { ok: socket };
};

/** States of netstat in the words of ss. */
const unixStates: ReadonlyMap<string, string> = new Map([
  ['LISTENING', 'LISTEN'],
  ['CONNECTED', 'ESTAB'],
  ['FREE', 'UNCONN'],
]);
