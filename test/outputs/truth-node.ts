import { type Comparator, entriesOf, isLoose, type Loose, looseList, missing, objectsIn } from './objects.ts';

/** Tools that show less of a route than iproute2 does: net-tools, /proc and BusyBox (see the items' quirks). */
const isPoorer = (slug: string): boolean => /route-n|netstat|proc-net-route|busybox|route-n6/.test(slug);

/** Each configured route, with its way, metric and type as far as the tool shows them. */
export const routes: Comparator = (truth, value, { slug }) => {
  const objects = objectsIn(value);
  const candidates = isPoorer(slug)
    ? objects.filter(({ destination, flags }) => isLoose(destination) && (typeof flags === 'string' || slug.includes('busybox')))
    : objects.filter(({ dst }) => typeof dst === 'string');
  const wanted = looseList(truth.routes).filter(
    ({ type }) => !/route-n|netstat|proc-net-route|route-n6/.test(slug) || !['multicast', 'broadcast', 'local'].includes(String(type)),
  );
  return wanted.flatMap((route) => {
    const same = candidates.filter(
      (candidate) =>
        isSameDestination(String(route.dst), candidate) && (slug.includes('busybox') || isPoorer(slug) || isSameWay(route, candidate)),
    );
    return same.length > 0 ? [] : [`no route to ${route.dst} as configured`];
  });
};

function isSameDestination(dst: string, candidate: Loose): boolean {
  if (typeof candidate.dst === 'string') return candidate.dst === dst || candidate.dst === `${dst}/32` || `${candidate.dst}/32` === dst;
  const { destination } = candidate;
  if (!isLoose(destination)) return false;
  const length = Number(destination.length ?? destination.prefixLength ?? destination.bits);
  const [, wanted] = dst.split('/');
  return dst === 'default' ? length === 0 : length === Number(wanted ?? (dst.includes(':') ? 128 : 32));
}

function isSameWay(route: Loose, candidate: Loose): boolean {
  const hops = looseList(candidate.nexthops);
  const ways = [candidate, ...hops];
  const has = (key: string, wanted: unknown): boolean => wanted === undefined || ways.some((way) => String(way[key]) === String(wanted));
  const nexthops = Array.isArray(route.nexthops) ? route.nexthops : [];
  const type = String(route.type ?? 'unicast');
  return (
    String(candidate.type) === type &&
    has('via', route.via ?? route.via6) &&
    has('dev', route.dev) &&
    has('metric', route.metric) &&
    nexthops.every((hop) =>
      hops.some(
        (way) =>
          String(way.via ?? '') === String(Array.isArray(hop) ? hop[0] : (hop.via ?? hop.via6 ?? '')) &&
          way.weight === (Array.isArray(hop) ? hop[1] : hop.weight),
      ),
    )
  );
}

/** Each configured rule of the routing policy. */
export const rules: Comparator = (truth, value) => {
  const parsed = objectsIn(value).filter(({ priority, from }) => typeof priority === 'number' && typeof from === 'string');
  return looseList(truth.rules).flatMap((rule) => {
    const found = parsed.find(({ priority }) => priority === rule.pref);
    if (!found) return [`no rule ${rule.pref}`];
    const mark = isLoose(found.fwmark) ? found.fwmark : {};
    return missing([
      [`rule ${rule.pref}: not`, Boolean(rule.not) === found.not],
      [`rule ${rule.pref}: from`, found.from === (rule.from ?? 'all')],
      [`rule ${rule.pref}: to`, found.to === (rule.to ?? 'all')],
      [
        `rule ${rule.pref}: mark`,
        rule.fwmark === undefined || (Number(mark.value) === Number(rule.fwmark) && Number(mark.mask) === Number(rule.mask)),
      ],
      [
        `rule ${rule.pref}: interfaces`,
        found.iif === rule.iif && found.oif === rule.oif && Boolean(rule.detached) === Boolean(found.iifDetached),
      ],
      [
        `rule ${rule.pref}: suppress`,
        rule.suppress_prefixlength === undefined || found.suppressPrefixLength === rule.suppress_prefixlength,
      ],
    ]);
  });
};

/** Neighbour states; where the truth tells a course of time rather than a state, only that the neighbour is there. */
export const neighbourStates: Comparator = (truth, value, { slug, text }) => {
  const parsed = objectsIn(value).filter(({ address, states }) => typeof address === 'string' && Array.isArray(states));
  return entriesOf(truth.states).flatMap(([address, words]) => {
    if (!text.includes(address) || (slug.includes('arp') && address.includes(':'))) return [];
    const found = parsed.find((neighbour) => neighbour.address === address);
    const state = String(words).split(' ')[0] ?? '';
    const isSettled = !/was |when added/.test(String(words)) && !slug.includes('arp');
    return missing([
      [`no neighbour ${address}`, found !== undefined],
      [`${address} is not ${state}`, !isSettled || found === undefined || (found.states as string[]).includes(state)],
    ]);
  });
};

/** Addresses of eth0. */
export const addresses: Comparator = (truth, value) => {
  const eth0 = isLoose(truth.eth0) ? truth.eth0 : {};
  const link = objectsIn(value).find(({ name }) => name === 'eth0');
  const found = objectsIn(link ?? {}).map(({ address, prefixLength, flags }) => ({ address, prefixLength, flags }));
  return [...((eth0.v4 as string[]) ?? []), ...((eth0.v6 as string[]) ?? [])].flatMap((words) => {
    const [, address = '', , length] = /^([\d.a-f:]+)(\/(\d+))?/.exec(words) ?? [];
    const same = found.find(
      (candidate) => candidate.address === address && (length === undefined || candidate.prefixLength === Number(length)),
    );
    const flag = ['secondary', 'deprecated', 'dadfailed', 'noprefixroute', 'tentative'].filter((name) => words.includes(name));
    return missing([
      [`no address ${words}`, same !== undefined],
      [
        `${address} lacks ${flag}`,
        same === undefined ||
          flag.every((name) => name === 'noprefixroute' || name === 'tentative' || (same.flags as string[]).includes(name)),
      ],
    ]);
  });
};

/** Interfaces of each kind; numbers only where the tool prints them (`-d`). */
export const links: Comparator = (truth, value, { slug }) => {
  const parsed = objectsIn(value).filter(({ name, altNames }) => typeof name === 'string' && Array.isArray(altNames));
  const named = entriesOf(truth).flatMap(([names, words]) =>
    names.split('/').map((name) => ({ name, words: isLoose(words) ? words : {} })),
  );
  return named.flatMap(({ name, words }) => {
    const link = parsed.find((candidate) => candidate.name === name);
    const vxlan = isLoose(link?.vxlan) ? link.vxlan : undefined;
    const isDetailed = slug.includes('-d-');
    return missing([
      [`no interface ${name}`, link !== undefined],
      [`${name}: mtu`, words.mtu === undefined || link?.mtu === undefined || link.mtu === words.mtu],
      [
        `${name}: altnames`,
        !Array.isArray(words.altnames) ||
          slug.includes('brief') ||
          slug.includes('busybox') ||
          words.altnames.every((alt) => ((link?.altNames ?? []) as string[]).includes(String(alt))),
      ],
      [`${name}: VXLAN id`, !isDetailed || !name.startsWith('vx') || words.id === undefined || vxlan?.id === words.id],
      [`${name}: VXLAN port`, !isDetailed || !name.startsWith('vx') || words.port === undefined || vxlan?.dstport === words.port],
    ]);
  });
};

/** The bridge of the bridge items, each tool by what it shows of it. */
export const bridge: Comparator = (truth, value, { slug }) => {
  const objects = objectsIn(value);
  if (slug.includes('fdb')) return fdb(truth, objects);
  if (slug.includes('vlan')) return vlans(truth, objects);
  const ports = entriesOf(truth.ports).map(([name]) => name);
  if (slug.includes('brctl'))
    return missing(ports.map((port) => [`no port ${port}`, JSON.stringify(objects, stringifyBig).includes(`"${port}"`)]));
  const options = (port: string): Loose => (objects.find(({ name, master }) => name === port && master === 'br0')?.options ?? {}) as Loose;
  return missing([
    ...ports.map((port) => [`no port ${port}`, Object.keys(options(port)).length > 0] as const),
    ['p1: hairpin', options('p1').hairpin === 'on'],
    ['p2: isolated', options('p2').isolated === 'on'],
    ['p3: learning', options('p3').learning === 'off'],
    ['vx100: neigh_suppress', options('vx100').neigh_suppress === 'on'],
  ]);
};

function fdb(truth: Loose, objects: readonly Loose[]): string[] {
  return entriesOf(truth.fdb).flatMap(([mac, words]) =>
    (Array.isArray(words) ? words : [words]).flatMap((each) => {
      const all = objects.filter((entry) => entry.mac === mac);
      const [, dev] = /^(p\d|vx\w+) /.exec(String(each)) ?? [];
      const [, vtep] = /(\d+\.\d+\.\d+\.\d+)/.exec(String(each)) ?? [];
      const vni = /[^_]vni (\d+)/.exec(String(each))?.[1];
      return missing([
        [
          `no entry ${mac} ${each}`,
          all.some(
            (entry) =>
              (dev === undefined || entry.dev === dev) &&
              (vtep === undefined || entry.dst === vtep) &&
              (vni === undefined || entry.vni === Number(vni)),
          ),
        ],
      ]);
    }),
  );
}

function vlans(truth: Loose, objects: readonly Loose[]): string[] {
  return entriesOf(truth.ports).flatMap(([port, words]) =>
    entriesOf(isLoose(words) ? words.vlans : {}).flatMap(([range, kind]) => {
      const [first = 0, last = first] = range.split('-').map(Number);
      const covers = (vlan: number): boolean =>
        objects.some(
          (entry) =>
            entry.port === port &&
            Number(entry.first) <= vlan &&
            vlan <= Number(entry.last) &&
            entry.pvid === String(kind).includes('pvid') &&
            entry.untagged === String(kind).includes('untagged'),
        );
      return missing([[`${port}: no vlan ${range} ${kind}`, covers(first) && covers(last)]]);
    }),
  );
}

/** Listening ports and where they listen. */
export const sockets: Comparator = (truth, value, { slug, text }) => {
  const local = objectsIn(value)
    .map(({ local: address, state }) => ({ address: isLoose(address) ? address : {}, state }))
    .filter(({ address }) => address.port !== undefined);
  const listener = (port: string) =>
    local.find(({ address, state }) => address.port === Number(port) && (state === 'LISTEN' || state === 'UNCONN' || state === undefined));
  const udpOnly = slug.includes('summary');
  const checks = [...(udpOnly ? [] : entriesOf(truth.listeners)), ...(slug.includes('tanpi') ? [] : entriesOf(truth.udp))].filter(
    ([port]) => text.includes(`:${port}`),
  );
  return missing(
    checks.map(([port]) => [
      `nothing listens on ${port}`,
      listener(port) !== undefined || local.some(({ address }) => address.port === Number(port)),
    ]),
  );
};

export const stringifyBig = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);
