import type { Capture, CapturedPacket } from '../model/capture.ts';
import type { Parsed } from '../model/parsed.ts';
import { applyRules, type Line, type LineRule, linesOf } from './line-rules.ts';
import { shellMarkRules } from './shell-mark.ts';
import { hasTime, looksLikeFrame, readAddressLine, readPacketLine } from './tcpdump-packet.ts';

/**
 * Reads what tcpdump 4.9 to 4.99 prints (with -n or -nn, any -t, -e, -v, -i any, -r, and with -A, -x, -X), both streams merged or standard output alone.
 * UDP 8472 comes out as OTV: it is VXLAN of flannel, Calico or Cilium. The inner packet of a tunnel is `inner`; the packet that an ICMP error carries is
 * `quoted` and was not seen. Complete when the closing counters are there without drops, or a file was read, and no payload was
 * printed (a line of payload can look like a packet).
 */
export function parseTcpdump(text: string): Parsed<Capture> {
  const counters = { captured: undefined, received: undefined, droppedByKernel: undefined, droppedByInterface: undefined, lines: [] };
  const state: State = {
    packets: [],
    source: undefined,
    counters,
    errors: [],
    warnings: [],
    hasPayload: false,
    marks: [],
    otherLines: [],
    last: undefined,
    awaiting: undefined,
    inPayload: false,
  };
  const unparsed = applyRules(linesOf(text).map(withoutNumber), state, rules, 'no line of tcpdump, or a packet that was cut');
  const { last: _last, awaiting, inPayload: _inPayload, ...value } = state;
  const isClosed =
    value.counters.captured !== undefined && (value.counters.droppedByKernel ?? 0) === 0 && (value.counters.droppedByInterface ?? 0) === 0;
  const isWhole = isClosed || (value.source?.isFile === true && text.endsWith('\n'));
  return {
    value,
    unparsed,
    complete: unparsed.length === 0 && isWhole && awaiting === undefined && !value.hasPayload && value.errors.length === 0,
  };
}

interface State extends Capture {
  /** The packet that indented lines belong to. */
  last: CapturedPacket | undefined;
  /** The packet (or inner, or quoted one) whose addresses stand on the next line. */
  awaiting: CapturedPacket | undefined;
  inPayload: boolean;
}

/** `-#` puts the packet's number in front. */
const withoutNumber = ({ line, text }: Line): Line => ({
  line,
  text: text.replace(/^ {0,4}\d{1,10} {2}(?=\d\d:\d\d:|\d{4}-\d\d-|\d{9,11}\.|IP6? |ARP, |[0-9a-f:]{17} > |\S+ +(?:In|Out|B|M|P) )/, ''),
});

const rules: readonly LineRule<State>[] = [
  [
    /^(?:tcpdump: )?listening on (\S+), link-type (.+?)(?:, (?:snapshot length|capture size) \d+ bytes)?$/,
    (state, [, from = '', linkType = ''], at) => takeSource(state, from, linkType, false, at),
  ],
  [
    /^reading from file (.+?), link-type (.+?)(?:, snapshot length \d+)?$/,
    (state, [, from = '', linkType = ''], at) => takeSource(state, from, linkType, true, at),
  ],
  [
    /^tcpdump: (?:verbose output suppressed|data link type )|^dropped privs to |^--$|^Got \d+$|^\^C$/,
    (state, _groups, at) => state.otherLines.push(at.line),
  ],
  [
    /^\^?C?(\d+) packets? (captured|received by filter|dropped by kernel|dropped by interface)$/,
    (state, [, count, what = ''], at) => takeCounter(state, Number(count), what, at),
  ],
  // `--count` of a file; of a live capture such a line is the beginning of a closing counter
  [/^\d+ packets?$/, (state, _groups, { line }) => state.source?.isFile === true && state.otherLines.push(line)],
  [/^(?:Warning|tcpdump: WARNING|tcpdump: Warning): (.+)$/i, (state, [text = ''], { line }) => state.warnings.push({ line, text })],
  [/^tcpdump: (.+)$/, (state, [, text = ''], { line }) => state.errors.push({ line, text })],
  [
    /^\((?:No such device exists|socket: .+|SIOC\w+: .+|.*[Pp]ermission.*)\)$/,
    (state, [text = ''], { line }) => state.errors.length > 0 && state.errors.push({ line, text }),
  ],
  [/^\t0x[0-9a-f]{4}: {2}/, (state, _groups, at) => hexDump(state, at)],
  [/^ {4,}\S/, (state, _groups, at) => addressLine(state, at)],
  [/^\t\s*\S/, (state, _groups, at) => indented(state, at)],
  [/^\t$|^ +$/, (state, _groups, at) => state.otherLines.push(at.line)],
  [
    /^(?:IP6? |ARP, |[0-9a-f:]{17} > |\S{1,16} +(?:In|Out|B|M|P) +(?:ifindex \d+ )?(?:IP6? |ARP, |[0-9a-f:]{17} )|(?:LLDP|STP|EAPOL|LACPv\d|PPPoE|MPLS|Loopback)\b)/,
    (state, _groups, at) => timeless(state, at),
  ],
  [/^ ?\d/, (state, _groups, at) => timed(state, at)],
  [/^[E`6]/, (state, _groups, at) => startsPayload(state, at)],
  ...shellMarkRules,
  [/^[\x20-\x7e]+$/, (state, _groups, at) => startsOtherPayload(state, at)],
  [/^/, (state, _groups, at) => continuesPayload(state, at)],
];

function takeSource(state: State, from: string, linkType: string, isFile: boolean, { line }: Line): undefined {
  state.source ??= { line, from, linkType, isFile };
  if (state.source.line !== line) state.otherLines.push(line);
  return undefined;
}

function takeCounter(state: State, count: number, what: string, { line }: Line): undefined {
  const key = (
    {
      captured: 'captured',
      'received by filter': 'received',
      'dropped by kernel': 'droppedByKernel',
      'dropped by interface': 'droppedByInterface',
    } as const
  )[what];
  if (key) state.counters[key] = count;
  state.counters.lines.push(line);
  state.inPayload = false;
  return undefined;
}

function timed(state: State, at: Line): undefined | false {
  const read = hasTime(at.text) ? readPacketLine(at.line, at.text) : undefined;
  if (!read) return state.inPayload ? belongs(state, at) : false;
  return takePacket(state, read.packet, read.awaitsBody);
}

/** Without a time it is the inner packet of the tunnel before, or (-t) a packet of its own; inside payload it is payload. */
function timeless(state: State, at: Line): undefined | false {
  if (state.inPayload && state.last?.time !== undefined) return belongs(state, at);
  const read = readPacketLine(at.line, at.text);
  if (!read) return state.inPayload ? belongs(state, at) : false;
  const outer = state.last && deepest(state.last);
  if (outer?.body.kind !== 'tunnel' || outer.inner) return takePacket(state, read.packet, read.awaitsBody);
  outer.inner = read.packet;
  state.awaiting = read.awaitsBody ? read.packet : undefined;
  return belongs(state, at);
}

function takePacket(state: State, packet: CapturedPacket, awaitsBody: boolean): undefined {
  state.packets.push(packet);
  state.last = packet;
  state.awaiting = awaitsBody ? packet : undefined;
  state.inPayload = false;
  return undefined;
}

const deepest = (packet: CapturedPacket): CapturedPacket => {
  let inner = packet;
  while (inner.inner) inner = inner.inner;
  return inner;
};

/** The addresses of -v. Of a tunnel's outer packet the line may hold the head of the inner one: `a > b: IP (tos …)`. */
function addressLine(state: State, at: Line): undefined | false {
  const target = state.awaiting;
  if (target) {
    const [, outer, header] = /^ {4,}(\S+ > \S+: )(IP \(.*\))$/.exec(at.text) ?? [];
    const isNested = outer !== undefined && header !== undefined;
    if (isNested) return nestedHeader(state, target, outer, header, at);
    if (!readAddressLine(target, at.text)) return false;
    state.awaiting = undefined;
    return belongs(state, at);
  }
  return state.last ? indented(state, at) : false;
}

/** IPIP with -v: the inner header stands behind the outer addresses, the inner addresses on the next line. */
function nestedHeader(state: State, target: CapturedPacket, outer: string, header: string, at: Line): undefined | false {
  const inner = readPacketLine(at.line, header);
  if (!inner || !readAddressLine(target, `    ${outer}x`)) return false;
  target.body = { kind: 'tunnel', protocol: 'ipip', vni: undefined };
  target.inner = inner.packet;
  state.awaiting = inner.packet;
  return belongs(state, at);
}

/** A line that begins with a tab: the packet that an ICMP error carries, the inner packet of Geneve, or words of the application (-v). */
function indented(state: State, at: Line): undefined | false {
  const { last } = state;
  if (!last || state.awaiting) return false;
  const holder = deepest(last);
  // with -e, GRE has named the protocol and leaves `IP` out
  const text = at.text.trimStart().replace(/^(?=\(tos )/, holder.body.kind === 'tunnel' ? 'IP ' : '');
  const read = looksLikeFrame(text) ? readPacketLine(at.line, text) : undefined;
  if (read && holder.body.kind === 'icmp' && !holder.quoted) holder.quoted = read.packet;
  else if (read && holder.body.kind === 'tunnel' && !holder.inner) holder.inner = read.packet;
  else return belongs(state, at);
  state.awaiting = read.awaitsBody ? read.packet : undefined;
  return belongs(state, at);
}

function hexDump(state: State, at: Line): undefined | false {
  state.hasPayload = true;
  return state.last ? belongs(state, at) : false;
}

/** -A prints the packet from its IP header on: 0x45 is `E`, 0x60 is a backquote; the line has at least the bytes up to the first newline. */
function startsPayload(state: State, at: Line): undefined | false {
  if (!state.last) return false;
  const isFirst =
    state.last.lines.at(-1) === at.line - 1 && /^(?:E[.\x20-\x7e]{3,}|`[.\x20-\x7e]{3,})/.test(at.text) && at.text.includes('.');
  if (!isFirst && !state.inPayload) return false;
  state.inPayload = true;
  state.hasPayload = true;
  return belongs(state, at);
}

/** -A of a packet that is no IP (ARP, STP): most of its bytes are dots. */
function startsOtherPayload(state: State, at: Line): undefined | false {
  const { last } = state;
  if (state.inPayload) return belongs(state, at);
  if (!last || last.ip !== undefined || last.lines.at(-1) !== at.line - 1 || !at.text.includes('...')) return false;
  state.inPayload = true;
  state.hasPayload = true;
  return belongs(state, at);
}

const continuesPayload = (state: State, at: Line): undefined | false => (state.inPayload ? belongs(state, at) : false);

function belongs(state: State, { line }: Line): undefined {
  state.last?.lines.push(line);
  return undefined;
}
