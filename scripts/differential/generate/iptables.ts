import type { IptablesTable } from '../case.ts';
import { deviceNames, routerAddresses } from '../lab.ts';
import { clients, destinations, marks, networks, ports, servers, virtualAddresses } from '../pools.ts';
import type { Random } from '../random.ts';

type TableName = IptablesTable['name'];

const hooks: Record<TableName, string[]> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
};

/** Tables of rules of any kind: built-in chains, each with some chains of its own that it jumps to. `ipsets`: names of sets that exist. */
export function randomTables(random: Random, ipsets: readonly string[]): IptablesTable[] {
  const names = (['raw', 'mangle', 'nat', 'filter'] as const).filter((name) => random.chance(name === 'raw' ? 0.35 : 0.65));
  return names.map((name) => randomTable(random, name, ipsets));
}

function randomTable(random: Random, name: TableName, ipsets: readonly string[]): IptablesTable {
  const table: IptablesTable = { name, drops: [], chains: [], rules: [] };
  for (const hook of random.some(hooks[name], 0.75)) {
    const own = random.times(random.between(0, 2), (index) => `${hook}-${index}`);
    table.chains.push(...own);
    if (name === 'filter' && random.chance(0.2)) table.drops.push(hook);
    for (const [at, chain] of [hook, ...own].entries()) {
      const later = own.slice(at);
      const rule = () => joined(chain, randomMatches(random, name, hook, ipsets), randomTarget(random, name, hook, later));
      table.rules.push(...random.times(random.between(1, 4), rule));
    }
  }
  return table;
}

/** A target that needs a protocol brings it along; a rule that asks for another one gets a plain target. */
function joined(chain: string, matches: string, target: string): string {
  const needed = /^-[pd] \S+ /.exec(target)?.[0] ?? '';
  const option = needed.slice(0, 2);
  if (needed === '' || !matches.includes(`${option} `)) return `-A ${chain} ${matches} ${target}`;
  return `-A ${chain} ${matches} ${matches.includes(needed) && !matches.includes(`! ${needed}`) ? target.slice(needed.length) : '-j ACCEPT'}`;
}

const not = (random: Random): string => (random.chance(0.2) ? '! ' : '');

/** A few matches; the protocol first, because ports need it. */
function randomMatches(random: Random, table: TableName, hook: string, ipsets: readonly string[]): string {
  const words: string[] = [];
  const protocol = random.pick(['tcp', 'udp', 'icmp', undefined, undefined]);
  if (random.chance(0.4)) words.push(`${not(random)}-s ${random.pick([...clients, ...networks, ...servers])}`);
  if (random.chance(0.5)) words.push(`${not(random)}-d ${random.pick([...destinations, ...networks])}`);
  if (protocol !== undefined) words.push(`-p ${protocol}`, ...transportMatches(random, protocol));
  if (random.chance(0.25)) words.push(...interfaceMatch(random, hook));
  for (let count = random.pick([0, 0, 0, 1, 1, 2]); count > 0; count--) words.push(...extension(random, table, hook, ipsets));
  return words.join(' ');
}

function transportMatches(random: Random, protocol: string): string[] {
  if (protocol === 'icmp') return random.chance(0.5) ? [`-m icmp ${not(random)}--icmp-type ${random.pick(['8', '0', '3/1', 'any'])}`] : [];
  const range = `${random.pick(ports)}:${random.pick([8080, 30_080, 65_535])}`.replace(/^(\d+):(\d+)$/, (text, a, b) =>
    Number(a) > Number(b) ? `${b}:${a}` : text,
  );
  return random.pick([
    () => [],
    () => [`-m ${protocol} ${not(random)}--dport ${random.pick(ports)}`],
    () => [`-m ${protocol} ${not(random)}--dport ${range}`],
    () => [`-m ${protocol} ${not(random)}--sport 20000:2000${random.between(1, 9)}`],
    () => [`-m multiport ${not(random)}--dports ${[...new Set([random.pick(ports), random.pick(ports)])].join(',')},8000:9000`],
    () => [`-m multiport --ports 20001,20003,${random.pick(ports)}`],
    () => (protocol === 'tcp' ? [`-m tcp ${not(random)}--tcp-flags FIN,SYN,RST,ACK SYN`] : []),
  ])();
}

function interfaceMatch(random: Random, hook: string): string[] {
  const name = random.pick([...deviceNames, 'out+', 'lo', 'in+']);
  const isIn = ['PREROUTING', 'INPUT'].includes(hook) || (hook === 'FORWARD' && random.chance(0.5));
  return [`${not(random)}${isIn ? '-i' : '-o'} ${name}`];
}

function extension(random: Random, table: TableName, hook: string, ipsets: readonly string[]): string[] {
  const mark = random.pick(marks);
  const [first, last] = ['10.1.0.2', random.pick(['10.1.0.3', '10.2.0.3'])];
  const kinds: (() => string[])[] = [
    () => [
      `-m conntrack ${not(random)}--ctstate ${random.pick(['NEW', 'ESTABLISHED,RELATED', 'INVALID', 'NEW,UNTRACKED', 'DNAT', 'SNAT', 'INVALID,NEW'])}`,
    ],
    () => [`-m conntrack ${not(random)}--ctstate ${random.pick(['NEW', 'ESTABLISHED,RELATED', 'UNTRACKED'])}`],
    () => [`-m state --state ${random.pick(['NEW', 'ESTABLISHED', 'INVALID'])}`],
    () => [
      `-m conntrack ${random.pick(['--ctdir ORIGINAL', '--ctdir REPLY', `! --ctstatus ${random.pick(['ASSURED', 'SEEN_REPLY', 'CONFIRMED'])}`, '--ctstatus SEEN_REPLY'])}`,
    ],
    () => [`-m conntrack ${not(random)}--ctorigdst ${random.pick([...virtualAddresses, '10.2.0.0/24'])}`],
    () => [`-m conntrack --ctstate NEW ${not(random)}--ctorigdstport ${random.pick(ports)}`],
    () => [`-m mark ${not(random)}--mark ${mark}/${random.pick([mark, '0xffffffff', '0xff'])}`],
    () => [`-m connmark ${not(random)}--mark ${random.pick(['0x0', mark])}`],
    () => [`-m addrtype ${not(random)}--dst-type ${random.pick(['LOCAL', 'UNICAST', 'BROADCAST', 'MULTICAST', 'LOCAL,UNICAST'])}`],
    () => [`-m addrtype --src-type ${random.pick(['LOCAL', 'UNICAST'])}`],
    () => [`-m iprange ${not(random)}--src-range ${first}-${last}`],
    () => [`-m comment --comment "a comment"`],
    () => [`-m ttl ${random.pick(['--ttl-eq 64', '--ttl-lt 64', '--ttl-gt 63'])}`],
    () => [`-m length ${not(random)}--length ${random.pick(['0:38', '36', '40:100'])}`],
    () => [`-m dscp ${not(random)}--dscp 0x00`],
    () => (random.chance(0.3) ? [`-m statistic --mode random --probability 0.5`] : []),
    () => (ipsets.length === 0 ? [] : [`-m set ${not(random)}--match-set ${ipsetWords(random, random.pick(ipsets))}`]),
    () =>
      ['OUTPUT', 'POSTROUTING'].includes(hook) && table !== 'raw'
        ? [`-m owner ${not(random)}--uid-owner ${random.pick(['0', '1337'])}`]
        : [],
    () => [
      `-m recent --name r${random.between(0, 1)} ${random.pick(['--set', '--rcheck', '! --rcheck', '--update --seconds 60 --hitcount 2', '--update --seconds 60', '--remove'])} --rsource`,
    ],
  ];
  const chosen = random.pick(kinds)();
  // Lists that remember clients leave room for one packet of each only.
  return chosen[0]?.startsWith('-m recent') && random.chance(0.7) ? [] : chosen;
}

/** How many directions a set needs stands in its name: `addresses-1`, `services-2`. */
const ipsetWords = (random: Random, name: string): string =>
  `${name} ${name.endsWith('2') ? random.pick(['dst,dst', 'src,dst']) : random.pick(['src', 'dst'])}`;

function randomTarget(random: Random, table: TableName, hook: string, chains: readonly string[]): string {
  if (chains.length > 0 && random.chance(0.35)) return `${random.pick(['-j', '-j', '-j', '-g'])} ${random.pick(chains)}`;
  const mark = random.pick(marks);
  const plain = ['-j ACCEPT', '-j RETURN', '-j LOG'];
  const marking = [
    `-j MARK --set-mark ${mark}`,
    `-j MARK --or-mark ${mark}`,
    `-j MARK --xor-mark ${mark}`,
    `-j MARK --and-mark 0xff`,
    `-j MARK --set-xmark ${mark}/0xff`,
    `-j CONNMARK --set-mark ${mark}`,
    '-j CONNMARK --save-mark',
    '-j CONNMARK --restore-mark',
    '-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff',
  ];
  if (table === 'raw') return random.pick([...plain, '-j DROP', '-j CT --notrack', '-j CT --notrack', '-j MARK --set-mark 0x1']);
  if (table === 'mangle')
    return random.pick([...plain, ...marking, ...marking, '-j TTL --ttl-set 63', '-j DSCP --set-dscp 0x10', '-j DROP']);
  if (table === 'nat') return random.pick([...plain, ...natTargets(random, hook)]);
  return random.pick([...plain, '-j ACCEPT', '-j DROP', '-j DROP', ...rejects, '-j MARK --set-mark 0x2']);
}

const rejects = [
  '-j REJECT',
  '-j REJECT --reject-with icmp-host-prohibited',
  '-j REJECT --reject-with icmp-admin-prohibited',
  '-p tcp -j REJECT --reject-with tcp-reset',
];

function natTargets(random: Random, hook: string): string[] {
  const server = random.pick(servers);
  const port = random.pick(ports);
  if (hook === 'PREROUTING' || hook === 'OUTPUT')
    return [
      `-j DNAT --to-destination ${server}`,
      `-p tcp -j DNAT --to-destination ${server}:${port}`,
      `-p udp -j DNAT --to-destination ${server}:${port}`,
      `-p udp -j DNAT --to-destination :${port}`,
      `-p tcp -j DNAT --to-destination 10.2.0.2-10.2.0.4`,
      `-j DNAT --to-destination ${random.pick(routerAddresses)}`,
      `-p tcp -j REDIRECT --to-ports ${port}`,
      `-d 10.96.0.0/16 -j NETMAP --to 10.2.0.0/16`,
    ];
  const sources = [
    `-j SNAT --to-source ${random.pick(routerAddresses)}`,
    '-p tcp -j SNAT --to-source 10.2.0.1:40000-40100',
    '-p udp -j SNAT --to-source 10.3.0.1:45000-45100',
  ];
  return hook === 'POSTROUTING' ? [...sources, '-j MASQUERADE', '-j MASQUERADE', '-p tcp -j MASQUERADE --to-ports 20000-30000'] : sources;
}
