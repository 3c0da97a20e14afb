import { z } from 'zod';
import type { IpFamily } from '../model/ip.ts';
import { parseCidr } from '../model/ip.ts';
import type { Parsed } from '../model/parsed.ts';
import { destinationOf, type Nexthop, type Route, routeTypes } from '../model/route.ts';
import { jsonText, parseJsonItems } from './json-items.ts';
import { textRecord } from './word-table.ts';

const via = z.looseObject({ family: z.string(), host: z.string() });

const nexthopSchema = z.looseObject({
  gateway: z.string().optional(),
  via: via.optional(),
  dev: z.string().optional(),
  weight: z.number().optional(),
  flags: z.array(z.string()).default([]),
  encap: z.string().optional(),
});

const nexthopObject = z.looseObject({
  id: z.number(),
  group: z.array(z.looseObject({ id: z.number(), weight: z.number().optional() })).optional(),
  gateway: z.string().optional(),
  dev: z.string().optional(),
  scope: z.string().optional(),
  protocol: z.string().optional(),
  flags: z.array(z.string()).default([]),
});

/** An item of `ip -j route`, iproute2 4.14 to 6.15 (print_route() in ip/iproute.c). Unknown keys are kept. */
export const routeSchema = z.looseObject({
  type: z.enum(routeTypes).default('unicast'),
  dst: z.string(),
  from: z.string().optional(),
  gateway: z.string().optional(),
  via: via.optional(),
  dev: z.string().optional(),
  table: z.union([z.string(), z.number()]).optional(),
  protocol: z.union([z.string(), z.number()]).optional(),
  scope: z.union([z.string(), z.number()]).optional(),
  prefsrc: z.string().optional(),
  metric: z.number().optional(),
  tos: z.string().optional(),
  pref: z.string().optional(),
  nhid: z.number().optional(),
  expires: z.number().optional(),
  error: z.number().optional(),
  flags: z.array(z.string()).default([]),
  encap: z.string().optional(),
  flow: z.looseObject({ from: z.string().optional(), to: z.string() }).optional(),
  nh_info: nexthopObject.optional(),
  metrics: z.array(z.record(z.string(), z.unknown())).default([]),
  nexthops: z.array(nexthopSchema).default([]),
});

/** The JSON form of `ip route`; see {@link parseIpRoute}. */
export const parseRouteJson = (text: string, family: IpFamily | undefined): Parsed<Route[]> =>
  parseJsonItems(text, routeSchema, (item, line) => routeFromJson(item, line, family));

/** One validated item as a route; `undefined` when its destination is no prefix. */
export const routeFromJson = (item: z.output<typeof routeSchema>, line: number, family: IpFamily | undefined): Route | undefined => {
  if (item.dst !== 'default' && parseCidr(item.dst) === undefined) return undefined;
  const metrics = Object.assign({}, ...item.metrics) as Record<string, unknown>;
  const route: Route = {
    line,
    text: '',
    type: item.type,
    family: undefined,
    dst: item.dst,
    destination: undefined,
    ...nexthopFromJson(item),
    nexthops: item.nexthops.map(nexthopFromJson),
    other: { ...textRecord(item, knownKeys), ...metricWords(metrics) },
  };
  setOptional(route, item);
  if (typeof metrics.mtu === 'number') route.mtu = metrics.mtu;
  // A gateway of another family than the route's, in the words of the text.
  if (item.via !== undefined) route.other.via = item.via.family;
  if (item.flow !== undefined) route.other[item.flow.from === undefined ? 'realm' : 'realms'] = realmsOf(item.flow);
  if (item.nh_info !== undefined) route.other.nh_info = nexthopObjectOf(item.nh_info);
  route.family = jsonFamily(item) ?? family;
  route.destination = destinationOf(route.dst, route.family);
  route.text = renderRoute(route);
  return route;
};

const knownKeys: ReadonlySet<string> = new Set(Object.keys(routeSchema.shape));

/** Metrics in the words of the text: times in milliseconds say so, and the congestion control has another name. The lock of a metric is not in the JSON. */
const metricWords = (metrics: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(textRecord(metrics, new Set(['mtu']))).map(([name, value]) => {
      if (name === 'congestion') return ['congctl', value];
      return [name, /^(rto_min|rtt|rttvar)$/.test(name) ? `${value}ms` : value];
    }),
  );

const realmsOf = ({ from, to }: { from?: string | undefined; to: string }): string => (from === undefined ? to : `${from}/${to}`);

/** `id 10 group 1,3/2 scope global proto unspec`, as `ip -d route` writes the nexthop object that a route names. */
const nexthopObjectOf = (item: z.output<typeof nexthopObject>): string => {
  const group = item.group?.map(({ id, weight }) => (weight === undefined ? `${id}` : `${id},${weight}`)).join('/');
  const words = [
    `id ${item.id}`,
    pair('group', group),
    pair('via', item.gateway),
    pair('dev', item.dev),
    pair('scope', item.scope),
    pair('proto', item.protocol),
  ];
  return [...words, ...item.flags].filter((word) => word !== undefined).join(' ');
};

const setOptional = (route: Route, item: z.output<typeof routeSchema>): void => {
  if (item.from !== undefined) route.from = item.from;
  if (item.table !== undefined) route.table = String(item.table);
  if (item.protocol !== undefined) route.protocol = String(item.protocol);
  if (item.scope !== undefined) route.scope = String(item.scope);
  if (item.prefsrc !== undefined) route.src = item.prefsrc;
  if (item.metric !== undefined) route.metric = item.metric;
  if (item.tos !== undefined) route.tos = item.tos;
  if (item.pref !== undefined) route.pref = item.pref;
  if (item.nhid !== undefined) route.nexthopId = item.nhid;
  if (item.expires !== undefined) route.expires = item.expires;
  if (item.error !== undefined) route.error = item.error;
};

const nexthopFromJson = (item: z.output<typeof nexthopSchema>): Nexthop => {
  const nexthop: Nexthop = { flags: item.flags };
  const gateway = item.gateway ?? item.via?.host;
  if (gateway !== undefined) nexthop.via = gateway;
  if (item.dev !== undefined) nexthop.dev = item.dev;
  if (item.weight !== undefined) nexthop.weight = item.weight;
  if (item.encap !== undefined) nexthop.encap = item.encap;
  return nexthop;
};

const jsonFamily = (item: z.output<typeof routeSchema>): IpFamily | undefined => {
  for (const text of [item.dst, item.from, item.prefsrc]) {
    const cidr = text === undefined ? undefined : parseCidr(text);
    if (cidr !== undefined) return cidr.family;
  }
  if (item.pref !== undefined) return 6;
  const hops = [item, ...item.nexthops];
  if (hops.some((hop) => hop.via?.family === 'inet6')) return 4; // "via" with a family: the gateway is not of the route's own family
  const gateway = hops.find((hop) => hop.gateway !== undefined)?.gateway;
  return gateway === undefined ? undefined : parseCidr(gateway)?.family;
};

/** The route in the words of `ip route`, for quoting. */
export const renderRoute = (route: Route): string =>
  [
    route.type === 'unicast' ? undefined : route.type,
    route.dst,
    pair('nhid', route.nexthopId),
    ...nexthopWords(route),
    pair('table', route.table),
    pair('proto', route.protocol),
    pair('scope', route.scope),
    pair('src', route.src),
    pair('metric', route.metric),
    pair('mtu', route.mtu),
    ...route.flags,
    ...Object.entries(route.other).map(([key, value]) => `${key} ${value}`.trim()),
    pair('pref', route.pref),
    ...route.nexthops.map((nexthop) =>
      ['nexthop', ...nexthopWords(nexthop), pair('weight', nexthop.weight), ...nexthop.flags].filter(Boolean).join(' '),
    ),
  ]
    .filter((word) => word !== undefined)
    .join(' ');

const nexthopWords = (nexthop: Nexthop): (string | undefined)[] => [
  pair('encap', nexthop.encap),
  pair('via', nexthop.via),
  pair('dev', nexthop.dev),
];

const pair = (key: string, value: string | number | undefined): string | undefined =>
  value === undefined ? undefined : `${key} ${typeof value === 'string' ? value : jsonText(value)}`;
