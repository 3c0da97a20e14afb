import type { HasLine, Parsed } from '../model/parsed.ts';
import { readText } from './text-lines.ts';

/** A line of the kernel's log. */
export interface KernelLogLine extends HasLine {
  text: string;
  /** As printed: seconds since boot, `Sat Nov 21 07:03:05 2026`, syslog time… */
  time?: string;
  message: string;
  /** What the message is known to be; `undefined` for all others. */
  event?: KernelLogEvent;
  /** How many messages were left out, for `suppressed`. */
  count?: number;
  /** Interface, port or table that the message names. */
  subject?: string;
}

export type KernelLogEvent =
  | 'conntrack-table-full'
  | 'conntrack-expectation-table-full'
  | 'neighbour-table-overflow'
  | 'suppressed'
  | 'martian-source'
  | 'syn-flooding'
  | 'out-of-sockets'
  | 'netdev-watchdog'
  | 'bridge-port-state'
  | 'bridge-own-address'
  | 'duplicate-address'
  | 'waiting-for-device'
  | 'oom-kill';

/**
 * Kernel log lines of `dmesg` (plain, `-T`, `-x`, `--time-format iso`), `journalctl -k`, syslog files and /dev/kmsg, kernel 3.10 to 6.18. Every
 * line is kept; those about a full conntrack table, neighbour table overflow and the like are named. A log is a window: it starts when the ring buffer was
 * last overwritten, and messages are rate limited (`suppressed`), so `complete` speaks of the text alone and never of the kernel's past.
 */
export const parseKernelLog = (text: string): Parsed<KernelLogLine[]> => {
  const { lines, whole } = readText(text);
  const value = lines
    .filter((line) => line.text.trim() !== '')
    .map((line): KernelLogLine => {
      const { time, message } = splitTime(line.text);
      const entry: KernelLogLine = { ...line, message };
      if (time !== undefined) entry.time = time;
      return nameEvent(entry);
    });
  return { value, unparsed: [], complete: whole };
};

const prefixes: readonly RegExp[] = [
  /^(?:[a-z0-9]+\s*:[a-z]+\s*: )?\[\s*([^\]]{1,40})\]\s?(?:\[\s*[TC][0-9]+\]\s?)?(.*)$/, // dmesg, dmesg -T, dmesg -x
  /^[0-9]+,[0-9]+,([0-9]+),[^;]{0,40};(.*)$/, // /dev/kmsg
  /^(\S{3} +[0-9]{1,2} [0-9:]{8}) \S+ kernel: (?:\[\s*[0-9.]+\]\s?)?(.*)$/, // syslog, journalctl
  /^([0-9]{4}-[0-9]{2}-[0-9]{2}T\S+)(?: \S+ kernel:)? (.*)$/, // journalctl -o short-iso, dmesg --time-format iso
];

const splitTime = (text: string): { time: string | undefined; message: string } => {
  for (const prefix of prefixes) {
    const match = prefix.exec(text);
    if (match !== null) return { time: (match[1] ?? '').trim(), message: (match[2] ?? '').trimEnd() };
  }
  return { time: undefined, message: text.trim() };
};

/** Messages in net/netfilter/nf_conntrack_core.c, net/core/neighbour.c, net/core/utils.c, net/ipv4/route.c, net/ipv4/tcp_input.c, net/bridge. */
const messages: readonly (readonly [RegExp, KernelLogEvent])[] = [
  [/^(?:nf_conntrack: )*(?:nf_conntrack|ip_conntrack): (?:nf_conntrack: )?table full, dropping packet/, 'conntrack-table-full'],
  [/^(?:nf_conntrack: )*nf_conntrack: expectation table full/, 'conntrack-expectation-table-full'],
  [/^(?:neighbour: )?(?<subject>arp_cache|ndisc_cache|[a-z_]*cache): neighbor table overflow!/, 'neighbour-table-overflow'],
  [/^(?:neighbour|Neighbour) table overflow/, 'neighbour-table-overflow'],
  [/^(?<subject>[^:]{1,60}): (?<count>[0-9]+) (?:callbacks|messages|output lines) suppressed/, 'suppressed'],
  [/^IPv4: martian source .* on dev (?<subject>\S+)/, 'martian-source'],
  [/^(?:TCP: )?(?:request_sock_TCP(?:v6)?: )?[Pp]ossible SYN flooding on port (?<subject>\S+?)\. /, 'syn-flooding'],
  [/^TCP: (?:out of memory|too many orphaned sockets)/, 'out-of-sockets'],
  [/^(?:.*: )?NETDEV WATCHDOG: (?<subject>[^ :]+)/, 'netdev-watchdog'],
  [/^[^ :]+: port [0-9]+\((?<subject>[^)]+)\) entered (?:disabled|blocking|listening|learning|forwarding) state/, 'bridge-port-state'],
  [/^(?<subject>[^ :]+): received packet on \S+ with own address as source address/, 'bridge-own-address'],
  [/^IPv6: (?<subject>[^ :]+): IPv6 duplicate address /, 'duplicate-address'],
  [/^unregister_netdevice: waiting for (?<subject>\S+) to become free/, 'waiting-for-device'],
  [/^(?:Memory cgroup out of memory|Out of memory): Kill(?:ed)? process /, 'oom-kill'],
];

const nameEvent = (entry: KernelLogLine): KernelLogLine => {
  for (const [pattern, event] of messages) {
    const match = pattern.exec(entry.message);
    if (match === null) continue;
    const { subject, count } = match.groups ?? {};
    return { ...entry, event, ...(subject === undefined ? {} : { subject }), ...(count === undefined ? {} : { count: Number(count) }) };
  }
  return entry;
};
