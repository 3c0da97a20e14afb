import type { HasLine, Parsed } from '../model/parsed.ts';
import { applyRules, type Line, type LineRule, linesOf } from './line-rules.ts';

/** One change of links, addresses, routes or neighbours, as the kernel told it when it happened. */
export interface NetworkEvent extends HasLine {
  /** Its other lines: links have a second one, addresses their lifetimes, routes their next hops, and -t writes the time on a line before it. */
  lines: number[];
  /** As printed by -t or -ts. */
  time?: string;
  event: 'new' | 'deleted';
  object: 'link' | 'address' | 'route' | 'neighbour' | 'fdb' | 'rule' | 'nexthop' | 'settings';
  /** The link, address, prefix or number that it is about. */
  subject: string;
  /** All of its lines, without time and label. */
  text: string;
}

/**
 * Reads `ip monitor` (also `all`, `label`, `-t`, `-ts`; iproute2 4.x to 6.15; ip/ipmonitor.c): what `ip link`, `ip addr` and so on print of one thing, as often as it changes. An
 * entry of a bridge's forwarding table is printed as a neighbour without an address. It runs until it is ended, so that it is never complete.
 */
export function parseIpMonitor(text: string): Parsed<NetworkEvent[]> {
  const state: State = { events: [], stamp: undefined, unused: [] };
  const unparsed = applyRules(linesOf(text), state, rules, 'no line of ip monitor');
  const unused = [...state.unused, ...(state.stamp === undefined ? [] : [state.stamp])];
  for (const { line, text: stamp } of unused) unparsed.push({ line, text: stamp, why: 'no change stands behind the time' });
  return { value: state.events, unparsed, complete: false };
}

interface State {
  events: NetworkEvent[];
  /** The time on the line before, by -t. */
  stamp: Line | undefined;
  unused: Line[];
}

const head = String.raw`^(?:\[([\d:.T-]+)\] ?)?(?:\[(LINK|ADDR|ROUTE|NEIGH|RULE|NEXTHOP|NETCONF|PREFIX|NSID)\])?`;

const rules: readonly LineRule<State>[] = [
  [/^Timestamp: .+ usec$/, takeStamp],
  [new RegExp(`${head}(Deleted )?(\\S.*)$`), takeHead],
  [/^\s+(?:link\/|inet6? |valid_lft |nexthop |altname |alias |vf \d)/, takeContinuation],
];

function takeStamp(state: State, _groups: readonly string[], at: Line): void {
  if (state.stamp !== undefined) state.unused.push(state.stamp);
  state.stamp = at;
}

function takeHead(state: State, [, at = '', label = '', deleted = '', content = '']: readonly string[], { line }: Line): boolean {
  const object = objects.find(({ label: own, pattern }) => (label === '' || label === own) && pattern.test(content));
  const subject = object?.pattern.exec(content)?.[1];
  if (object === undefined || subject === undefined) return false;
  const time = at || state.stamp?.text.slice('Timestamp: '.length);
  const lines = state.stamp === undefined ? [] : [state.stamp.line];
  state.stamp = undefined;
  const event = deleted === '' ? 'new' : 'deleted';
  state.events.push({
    line,
    lines,
    ...(time === undefined ? {} : { time }),
    event,
    object: object.name,
    subject,
    text: content.trimEnd(),
  });
  return true;
}

function takeContinuation({ events }: State, _groups: readonly string[], { line, text }: Line): boolean {
  const event = events.at(-1);
  if (
    event === undefined ||
    Math.max(event.line, event.lines.at(-1) ?? 0) !== line - 1 ||
    !['link', 'address', 'route'].includes(event.object)
  )
    return false;
  event.lines.push(line);
  event.text += `\n${text.trimEnd()}`;
  return true;
}

const states = 'PERMANENT|NOARP|REACHABLE|STALE|DELAY|PROBE|FAILED|INCOMPLETE|NONE';
const prefix = String.raw`default|[\d.]+(?:\/\d+)?|[\da-f]*:[\da-f:.]*(?:\/\d+)?`;

/** How each object begins, and the one thing that it is about. */
const objects: readonly { name: NetworkEvent['object']; label: string; pattern: RegExp }[] = [
  { name: 'link', label: 'LINK', pattern: /^\d+: ([^\s:@]+)(?:@[^\s:]+)?: <[\w,-]*> / },
  { name: 'address', label: 'ADDR', pattern: /^\d+: \S+ +inet6? (\S+) .*\bscope / },
  { name: 'rule', label: 'RULE', pattern: /^(\d+):\s+(?:not )?from \S+ / },
  { name: 'nexthop', label: 'NEXTHOP', pattern: /^id (\d+) (?:via|dev|group|blackhole|scope|encap)\b/ },
  { name: 'settings', label: 'NETCONF', pattern: /^inet6? (\S+)(?: \w+ (?:on|off|strict|loose))*\s*$/ },
  { name: 'fdb', label: 'NEIGH', pattern: new RegExp(`^dev \\S+ lladdr (\\S+) .*(?:${states})\\b`) },
  { name: 'neighbour', label: 'NEIGH', pattern: new RegExp(`^([\\d.]+|[\\da-f]*:[\\da-f:.]*) dev \\S+ .*(?:${states})\\b`) },
  {
    name: 'route',
    label: 'ROUTE',
    pattern: new RegExp(
      `^(?:(?:unicast|local|broadcast|multicast|anycast|throw|unreachable|prohibit|blackhole|nat) )?(${prefix})(?: (?:via|dev|proto|metric|nhid|table|scope|encap|src|tos|linkdown|onlink)\\b.*)?\\s*$`,
    ),
  },
];
