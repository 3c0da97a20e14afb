import type { Case, IptablesTable } from '../case.ts';
import { clients, ports, servers } from '../pools.ts';
import { Random } from '../random.ts';
import { flavours } from './flavours.ts';
import { randomFlows } from './flows.ts';
import { randomTables } from './iptables.ts';
import { toIpv6 } from './ipv6.ts';
import { randomNft } from './nft.ts';
import { randomRouting } from './routing.ts';

/** The case of a seed: one to three programs' rules in one to three backends, policy routing, and packets. */
export function randomCase(seed: number): Case {
  const random = new Random(seed);
  const ipsets = random.chance(0.3) ? randomSets(random) : [];
  const names = ipsets.flatMap((line) => /^create (\S+)/.exec(line)?.[1] ?? []);
  const tables = (): IptablesTable[] => (random.chance(0.5) ? random.pick(flavours)(random) : randomTables(random, names));
  const isMixed = random.chance(0.35);
  const rules = {
    seed,
    family: 'ip' as const,
    order: random.pick([
      ['iptables', 'legacy', 'nft'],
      ['nft', 'legacy', 'iptables'],
      ['legacy', 'nft', 'iptables'],
    ] satisfies Case['order'][]),
    iptables: isMixed || random.chance(0.5) ? tables() : [],
    legacy: random.chance(0.25) ? tables() : [],
    nft: isMixed || random.chance(0.5) ? randomNft(random) : [],
    ipsets,
    routing: randomRouting(random),
  };
  const made: Case = { ...rules, flows: randomFlows(random, rules) };
  return random.chance(0.35) ? toIpv6(made) : made;
}

function randomSets(random: Random): string[] {
  const add = (set: string, items: readonly string[]): string[] =>
    [...new Set(random.some(items, 0.5))].map((item) => `add ${set} ${item}`);
  return [
    'create addresses-1 hash:ip',
    ...add('addresses-1', [...clients, ...servers]),
    'create networks-1 hash:net',
    ...add('networks-1', ['10.1.0.0/24', '10.2.0.0/30', '172.30.0.0/16', '10.96.0.0/16', '10.2.0.2/32 nomatch']),
    'create services-2 hash:ip,port',
    ...add(
      'services-2',
      servers.flatMap((address) => ports.map((port) => `${address},${random.pick(['tcp', 'udp'])}:${port}`)),
    ),
  ];
}
