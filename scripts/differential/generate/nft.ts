import type { NftChain, NftTable } from '../case.ts';
import { routerAddresses } from '../lab.ts';
import { clients, destinations, marks, networks, ports, servers, virtualAddresses } from '../pools.ts';
import type { Random } from '../random.ts';

/** Tables with named sets, maps and verdict maps, and base chains at any hook and priority. */
export const randomNft = (random: Random): NftTable[] =>
  random.times(random.pick([1, 1, 2]), (index) => randomTable(random, random.pick(['ip', 'inet']), `t${index}`));

const kinds = [
  { type: 'filter', hook: 'prerouting', priorities: ['raw', '-199', '-250', 'mangle', 'dstnat - 10', '0'] },
  { type: 'filter', hook: 'input', priorities: ['filter', 'filter - 1', 'filter + 10'] },
  { type: 'filter', hook: 'forward', priorities: ['filter', 'filter', 'mangle', 'filter + 10'] },
  { type: 'filter', hook: 'output', priorities: ['raw', 'filter', 'mangle'] },
  { type: 'route', hook: 'output', priorities: ['mangle', 'filter'] },
  { type: 'filter', hook: 'postrouting', priorities: ['mangle', '0', '150'] },
  { type: 'nat', hook: 'prerouting', priorities: ['-100', '-110', '-90'] },
  { type: 'nat', hook: 'output', priorities: ['-100'] },
  { type: 'nat', hook: 'input', priorities: ['100'] },
  { type: 'nat', hook: 'postrouting', priorities: ['100', '90'] },
];

function randomTable(random: Random, family: NftTable['family'], name: string): NftTable {
  const chains = random.some(kinds, 0.4).flatMap((kind, index): NftChain[] => {
    const own = random.times(random.between(0, 2), (at) => `c${index}-${at}`);
    const rules = (later: readonly string[]) =>
      random.times(random.between(1, 4), () => randomRule(random, family, kind.type, kind.hook, later));
    // Accept in a chain of nat can't be anything but accept; a policy of drop is rarer than in life, so that packets get somewhere.
    const policy = kind.type === 'filter' && random.chance(0.1) ? 'drop' : 'accept';
    return [
      ...own.map((chain, at) => ({ name: chain, rules: rules(own.slice(at + 1)) })).reverse(),
      {
        name: `b${index}`,
        base: `type ${kind.type} hook ${kind.hook} priority ${random.pick(kind.priorities)}; policy ${policy};`,
        rules: rules(own),
      },
    ];
  });
  return { family, name, sets: sets(random), chains };
}

const elements = (random: Random, items: readonly string[], probability = 0.6): string => {
  const chosen = [...new Set(random.some(items, probability))];
  return (chosen.length === 0 ? items.slice(0, 1) : chosen).join(', ');
};

function sets(random: Random): string[] {
  const places = servers.flatMap((address) => ports.map((port) => `${address} . ${random.pick(['tcp', 'udp'])} . ${port}`));
  const fronts = virtualAddresses.map((address) => `${address} : ${random.pick(servers)}`);
  return [
    `set addresses { type ipv4_addr; elements = { ${elements(random, [...new Set([...clients, ...servers])])} }; }`,
    `set networks { type ipv4_addr; flags interval; elements = { ${elements(random, ['10.1.0.0/24', '10.2.0.2-10.2.0.3', '172.30.0.0/16', '10.96.0.0/16'])} }; }`,
    `set places { type ipv4_addr . inet_proto . inet_service; elements = { ${elements(random, places, 0.3)} }; }`,
    `set ranges { type ipv4_addr . inet_service; flags interval; elements = { 10.2.0.0/24 . 80-443, 10.96.0.0-10.96.0.9 . ${random.pick(ports)} }; }`,
    `set wires { type ifname; elements = { "in0", "alt0" }; }`,
    `set seen { type ipv4_addr; flags dynamic, timeout; timeout 1h; }`,
    `map fronts { type ipv4_addr : ipv4_addr; elements = { ${fronts.join(', ')} }; }`,
    `map portmarks { type inet_service : mark; elements = { ${[...new Set(ports)].map((port) => `${port} : ${random.pick(marks)}`).join(', ')} }; }`,
  ];
}

function randomRule(random: Random, family: NftTable['family'], type: string, hook: string, chains: readonly string[]): string {
  const matches = random.times(random.pick([0, 1, 1, 1, 2, 2, 3]), () => randomMatch(random, hook)).filter(noSecondProtocol());
  return `${matches.join(' ')} ${randomVerdict(random, family, type, hook, chains, matches.join(' '))}`.trim();
}

/** Two matches that need different protocols make nft refuse the rule. */
function noSecondProtocol(): (match: string) => boolean {
  let seen = false;
  return (match) => {
    const needs = /^(tcp|udp|icmp|th|meta l4proto|ip protocol)\b/.test(match) || match.includes('th dport');
    const taken = needs && seen;
    seen ||= needs;
    return !taken;
  };
}

const op = (random: Random): string => (random.chance(0.2) ? '!= ' : '');

function randomMatch(random: Random, hook: string): string {
  const mark = random.pick(marks);
  const device =
    hook === 'prerouting' || hook === 'input' ? 'iifname' : hook === 'forward' ? random.pick(['iifname', 'oifname']) : 'oifname';
  return random.pick([
    () => `ip saddr ${op(random)}${random.pick([...clients, ...networks.slice(0, -1), '@addresses', '@networks', '10.1.0.2-10.1.0.4'])}`,
    () =>
      `ip daddr ${op(random)}${random.pick([...destinations, ...networks.slice(0, -1), '@addresses', '@networks', `{ ${elements(random, virtualAddresses)} }`])}`,
    () => `tcp dport ${op(random)}${random.pick([...ports.map(String), '80-443', '{ 53, 443, 8000-9000 }'])}`,
    () => `udp dport ${random.pick([...ports.map(String), '{ 53, 80 }', '!= { 53, 80 }', '!= 53', '> 1000', '<= 443'])}`,
    () => `meta l4proto { tcp, udp } th dport ${op(random)}${random.pick(ports)}`,
    () => `meta l4proto ${op(random)}${random.pick(['tcp', 'udp', 'icmp', '{ tcp, udp }'])}`,
    () => `ip protocol ${op(random)}${random.pick(['tcp', 'udp', 'icmp'])}`,
    () => `ip daddr . meta l4proto . th dport @places`,
    () => `meta l4proto tcp ip daddr . th dport @ranges`,
    () => `icmp type ${random.pick(['echo-request', '{ echo-request, echo-reply }', '!= echo-request'])}`,
    () =>
      `tcp flags ${random.pick(['syn', '& (fin | syn | rst | ack) == syn', '== syn', '!= syn', '& (syn | ack) == (syn | ack)', '{ syn, ack }'])}`,
    () =>
      `ct state ${op(random)}${random.pick(['new', 'established,related', 'invalid', 'untracked', 'new,untracked', '{ new, established }'])}`,
    () => `ct status ${random.pick(['dnat', 'snat', 'confirmed', 'seen-reply', '!= dnat'])}`,
    () => `ct direction ${random.pick(['original', 'reply'])}`,
    () => `ct original ip daddr ${op(random)}${random.pick([...virtualAddresses, '10.2.0.0/24'])}`,
    () => `ct mark ${op(random)}${random.pick(['0', mark])}`,
    () => `meta mark ${op(random)}${random.pick(['0', mark])}`,
    () => `meta mark & ${mark} ${random.pick(['==', '!='])} ${random.pick(['0', mark])}`,
    () => `${device} ${op(random)}${random.pick(['"in0"', '"out0"', '"out*"', '@wires', '{ "in0", "lo" }'])}`,
    () => `fib daddr type ${op(random)}${random.pick(['local', 'unicast', '{ local, unicast }', 'broadcast'])}`,
    () => `fib saddr type ${random.pick(['local', 'unicast'])}`,
    () => `ip ttl ${random.pick(['64', '< 64', '63-64'])}`,
    () => `meta length ${random.pick(['36', '< 40', '40-100'])}`,
    () => (hook === 'output' || hook === 'postrouting' ? `meta skuid ${op(random)}${random.pick(['0', '1337'])}` : 'meta protocol ip'),
    () => (random.chance(0.2) ? 'numgen random mod 2 == 0' : 'ip dscp 0'),
    () => (random.chance(0.2) ? `ip saddr @seen` : 'ip version 4'),
  ])();
}

function randomVerdict(
  random: Random,
  family: NftTable['family'],
  type: string,
  hook: string,
  chains: readonly string[],
  matches: string,
): string {
  if (chains.length > 0 && random.chance(0.35)) return `${random.pick(['jump', 'jump', 'goto'])} ${random.pick(chains)}`;
  const mark = random.pick(marks);
  const changes = [
    `meta mark set ${mark}`,
    `meta mark set meta mark | ${mark}`,
    `meta mark set meta mark & 0xff ^ ${mark}`,
    `ct mark set ${mark}`,
    'ct mark set meta mark',
    'meta mark set ct mark',
    'counter',
    `meta mark set ${random.pick(marks)} accept`,
  ];
  if (type === 'nat') return random.pick(['accept', 'return', ...natStatements(random, family, hook, matches)]);
  const maps = [
    `ip daddr vmap { ${virtualAddresses[0]} : drop, 10.2.0.0/24 : accept }`,
    'ct state vmap { established : accept, new : continue, invalid : drop }',
    `iifname vmap { "in0" : accept, "out0" : return }`,
    ...(/\btcp (dport|flags)|l4proto tcp/.test(matches) && !matches.includes('!= ')
      ? ['tcp dport vmap { 80 : accept, 443-9000 : drop }', 'meta mark set tcp dport map @portmarks']
      : []),
    ...(chains.length === 0 ? [] : [`ip saddr vmap { ${clients[0]} : jump ${chains[0]}, ${clients[1]} : goto ${chains[0]} }`]),
  ];
  const early = hook === 'prerouting' || hook === 'output' ? ['notrack', 'notrack'] : [];
  const rejects = hook === 'postrouting' ? [] : rejectStatements(family, matches);
  return random.pick([
    ...changes,
    ...changes,
    'accept',
    'accept',
    'drop',
    'return',
    'continue',
    ...maps,
    ...early,
    ...rejects,
    ...(random.chance(0.2) ? ['add @seen { ip saddr }'] : []),
  ]);
}

const rejectStatements = (family: NftTable['family'], matches: string): string[] => [
  'reject',
  'reject with icmp type host-prohibited',
  ...(family === 'inet' ? ['reject with icmpx type admin-prohibited'] : []),
  ...(/\btcp (dport|flags)|l4proto tcp/.test(matches) && !matches.includes('!= ') ? ['reject with tcp reset'] : []),
];

function natStatements(random: Random, family: NftTable['family'], hook: string, matches: string): string[] {
  const ip = family === 'inet' ? ' ip' : '';
  const server = random.pick(servers);
  const port = random.pick(ports);
  const withPorts = /\b(tcp|udp) dport|l4proto (tcp|udp|\{)/.test(matches) && !matches.includes('!= ');
  if (hook === 'prerouting' || hook === 'output')
    return [
      `dnat${ip} to ${server}`,
      `dnat${ip} to ip daddr map @fronts`,
      `dnat${ip} to numgen random mod 2 map { 0 : ${servers[0]}, 1 : ${servers[1]} }`,
      `dnat${ip} to ${random.pick(routerAddresses)}`,
      ...(withPorts
        ? [
            `dnat${ip} to ${server}:${port}`,
            `redirect to :${port}`,
            `dnat ip addr . port to numgen random mod 2 map { 0 : ${servers[0]} . ${port}, 1 : ${servers[2]} . ${port} }`,
          ]
        : []),
    ];
  if (hook === 'input') return [`snat${ip} to ${random.pick(clients)}`];
  return ['masquerade', `snat${ip} to ${random.pick(routerAddresses)}`, ...(withPorts ? [`snat${ip} to 10.2.0.1:40000-40100`] : [])];
}
