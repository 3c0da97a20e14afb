import { type IpFamily, parseCidr } from '../model/ip.ts';
import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import { destinationOf, type Nexthop, type Route, type RouteType, routeTypes } from '../model/route.ts';
import { parseRouteJson } from './ip-route-json.ts';
import { looksLikeJson } from './json-items.ts';
import { type Attempt, emptyRecord, readText, type TextLine, toCount, unparsedLine, wordsOf } from './text-lines.ts';
import { countField, flagWords, type KeywordTable, otherValues, readKeywords, textField, Words } from './word-table.ts';

/** What the caller knows about the command: `ip -6 route` prints `default dev eth0` without a word about the family. */
export interface RouteOptions {
  family?: IpFamily;
}

/**
 * `ip route [show]` and `ip -6 route`, any table, with `-d`, `-o`, `-s`, `-N`, of iproute2 3.10 to 6.15, and BusyBox 1.35 (which prints no nexthops
 * of multipath routes: `nexthopsHidden`, never complete; no protocol; no IPv6 gateway of an IPv4 route; metrics above 2^31 as negative numbers). JSON (`-j`) is accepted as well: there `line` is
 * the number of the item. Grammar: print_route() in iproute2's ip/iproute.c.
 *
 * Values: metrics without unit as printed, `expires` in seconds. Messages of the tool between the routes (`Error: …`, `RTNETLINK answers: …`)
 * are unparsed lines. An empty text is an empty table.
 */
export const parseIpRoute = (text: string, options: RouteOptions = {}): Parsed<Route[]> =>
  looksLikeJson(text) ? parseRouteJson(text, options.family) : parseRouteText(text, options.family);

/** One route of one line, without its nexthop lines. */
export const parseRouteLine = (line: TextLine, family?: IpFamily): Attempt<Route> => {
  const words = new Words(wordsOf(line.text));
  const draft = newDraft(line);
  const first = words.next() ?? '';
  const type = typeOf(first);
  if (type !== undefined) draft.type = type;
  draft.dst = type === undefined ? first : (words.next() ?? '');
  if (draft.dst !== 'default' && parseCidr(draft.dst) === undefined) return { why: `"${draft.dst}" is no destination` };
  const attempt = readKeywords(words, routeWords, draft);
  return 'ok' in attempt ? finishRoute(attempt.ok, family) : attempt;
};

/** Fills in family and destination once all words are read. */
export const finishRoute = (route: Route, family: IpFamily | undefined): Attempt<Route> => {
  route.family = familyOf(route) ?? family;
  route.destination = destinationOf(route.dst, route.family);
  return { ok: route };
};

const parseRouteText = (text: string, family: IpFamily | undefined): Parsed<Route[]> => {
  const { lines, whole } = readText(text);
  const value: Route[] = [];
  const unparsed: UnparsedLine[] = [];
  let open: Route | undefined;
  for (const line of lines.flatMap(splitOneLine)) {
    if (line.text.trim() === '') continue;
    if (isContinuation(line.text)) {
      const why = open === undefined ? 'continues a line that is not a route' : continueRoute(open, line);
      if (why !== undefined) unparsed.push(unparsedLine(line, why));
      continue;
    }
    const attempt = parseRouteLine(line, family);
    open = 'ok' in attempt ? attempt.ok : undefined;
    if ('ok' in attempt) value.push(attempt.ok);
    else unparsed.push(unparsedLine(line, attempt.why));
  }
  for (const route of value) finishRoute(route, family);
  const hidden = value.filter(isWayOutHidden);
  for (const route of hidden) route.nexthopsHidden = true;
  return { value, unparsed, complete: whole && unparsed.length === 0 && hidden.length === 0 };
};

/** BusyBox prints a multipath route without its nexthops: the route is there, so the default route is not taken, but where it leads is not known. */
const isWayOutHidden = (route: Route): boolean =>
  route.type === 'unicast' &&
  route.dev === undefined &&
  route.via === undefined &&
  route.nexthops.length === 0 &&
  route.nexthopId === undefined;

/** `-o` puts a backslash where the newline would be. */
const splitOneLine = ({ line, text }: TextLine): TextLine[] => text.split('\\').map((part) => ({ line, text: part }));

const isContinuation = (text: string): boolean => /^\s+(nexthop|cache|nh_info)\b/.test(text);

const continueRoute = (route: Route, line: TextLine): string | undefined => {
  const [first, ...rest] = wordsOf(line.text);
  const words = new Words(rest);
  route.text += `\n${line.text}`;
  if (first === 'cache') {
    const attempt = readKeywords(words, cacheWords, route);
    return 'ok' in attempt ? undefined : attempt.why;
  }
  // The nexthop object that `nhid` names (`-d`); its ways out follow as nexthop lines.
  if (first === 'nh_info') {
    route.other.nh_info = rest.join(' ');
    return undefined;
  }
  const attempt = readKeywords<Nexthop>(words, nexthopWords, { flags: [] });
  if (!('ok' in attempt)) return attempt.why;
  route.nexthops.push(attempt.ok);
  return undefined;
};

const newDraft = (line: TextLine): Route => ({
  line: line.line,
  text: line.text,
  type: 'unicast',
  family: undefined,
  dst: '',
  destination: undefined,
  flags: [],
  nexthops: [],
  other: emptyRecord(),
});

const typeOf = (word: string): RouteType | undefined => routeTypes.find((type) => type === word);

/** IPv6 routes always carry `pref` (iproute2 4.1 and newer); otherwise an address tells. A gateway may be of the other family, so it comes last. */
const familyOf = (route: Route): IpFamily | undefined => {
  for (const text of [route.dst, route.from, route.src]) {
    const cidr = text === undefined ? undefined : parseCidr(text);
    if (cidr !== undefined) return cidr.family;
  }
  if (route.pref !== undefined) return 6;
  const gateways = [route.via, ...route.nexthops.map((nexthop) => nexthop.via)];
  const families = gateways.map((gateway) => (gateway === undefined ? undefined : parseCidr(gateway)?.family));
  // An IPv6 route can't have an IPv4 gateway; an IPv4 route's IPv6 gateway is written "via inet6", which is kept in `other`.
  if (families.includes(4) || route.other.via === 'inet6') return 4;
  return families.includes(6) ? 6 : undefined;
};

const gateway = (draft: Nexthop, words: Words): boolean => {
  const word = words.next();
  const familyWord = word === 'inet6' || word === 'inet';
  const address = familyWord ? words.next() : word;
  if (address === undefined || parseCidr(address) === undefined) return false;
  draft.via = address;
  const other = (draft as Partial<Route>).other;
  if (familyWord && other !== undefined) other.via = word;
  return true;
};

/** `encap TYPE …` runs to the next word that a route knows; its inner words differ by type and iproute2 version. */
const encap = (draft: Nexthop, words: Words): boolean => {
  const taken: string[] = [];
  while (words.peek !== undefined && words.peek !== 'via' && words.peek !== 'dev') taken.push(words.next() ?? '');
  draft.encap = taken.join(' ');
  return taken.length > 0;
};

const seconds = (draft: Route, words: Words): boolean => {
  const value = toCount(words.next()?.replace(/sec$/, ''));
  if (value === undefined) return false;
  draft.expires = value;
  return true;
};

/** BusyBox prints the 32 bits as a signed number. */
const metric = (draft: Route, words: Words): boolean => {
  const text = words.next() ?? '';
  const value = /^-[0-9]{1,10}$/.test(text) ? 2 ** 32 + Number(text) : toCount(text);
  if (value === undefined || value < 0) return false;
  draft.metric = value;
  return true;
};

const mtu = (draft: Route, words: Words): boolean => {
  if (words.peek === 'lock') {
    words.next();
    draft.mtuLocked = true;
  }
  const value = toCount(words.next());
  if (value === undefined) return false;
  draft.mtu = value;
  return true;
};

/** A metric of the route that may be locked: `rto_min lock 200ms`. */
const lockable =
  (name: string) =>
  (draft: Route, words: Words): boolean => {
    const locked = words.peek === 'lock';
    if (locked) words.next();
    const value = words.next();
    if (value === undefined) return false;
    draft.other[name] = locked ? `lock ${value}` : value;
    return true;
  };

const errorNumber = (draft: Route, words: Words): boolean => {
  const value = words.next() ?? '';
  draft.error = Number(value);
  return /^-?[0-9]{1,4}$/.test(value);
};

const nexthopFlags = [
  'onlink',
  'linkdown',
  'dead',
  'pervasive',
  'offload',
  'trap',
  'unresolved',
  'notify',
  'rt_notify',
  'rt_offload',
  'rt_trap',
];
const routeFlags = [...nexthopFlags, 'rt_offload_failed', 'offload_failed'];

const lockableMetrics = [
  ...['advmss', 'window', 'hoplimit', 'initcwnd', 'initrwnd', 'rto_min', 'rtt', 'rttvar', 'ssthresh', 'cwnd', 'reordering', 'quickack'],
  ...['congctl', 'features', 'fastopen_no_cookie', 'advertised_mss'],
];

const nexthopWords: KeywordTable<Nexthop> = new Map([
  ['via', gateway],
  ['dev', textField<Nexthop>('dev')],
  ['weight', countField<Nexthop>('weight')],
  ['encap', encap],
  ...flagWords<Nexthop>(...nexthopFlags),
]);

const routeWords: KeywordTable<Route> = new Map([
  ['via', gateway],
  ['dev', textField<Route>('dev')],
  ['encap', encap],
  ['from', textField<Route>('from')],
  ['table', textField<Route>('table')],
  ['proto', textField<Route>('protocol')],
  ['scope', textField<Route>('scope')],
  ['src', textField<Route>('src')],
  ['metric', metric],
  ['tos', textField<Route>('tos')],
  ['dsfield', textField<Route>('tos')],
  ['pref', textField<Route>('pref')],
  ['nhid', countField<Route>('nexthopId')],
  ['expires', seconds],
  ['mtu', mtu],
  ['error', errorNumber],
  ...lockableMetrics.map((name) => [name, lockable(name)] as const),
  ...otherValues<Route>(
    'realms',
    'realm',
    'iif',
    'mark',
    'uid',
    'users',
    'used',
    'age',
    'ipid',
    'ts',
    'tsage',
    'flowlabel',
    'nh_info',
    'ttl-propagate',
  ),
  ...flagWords<Route>(...routeFlags),
]);

/** The `cache` line of `show cache` and of IPv4 exceptions. */
const cacheWords: KeywordTable<Route> = new Map([...routeWords, ...flagWords<Route>()]);
