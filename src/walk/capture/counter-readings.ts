import type { Counter } from '../../model/capture-counters.ts';
import type { ConntrackStats } from '../../model/conntrack.ts';
import type { DirectionCounters, Link } from '../../model/link.ts';
import type { Chain, NetfilterRuleset, Rule, Table } from '../../model/netfilter.ts';
import { parseConntrackStats } from '../../parse/conntrack-stats.ts';
import { parseIpLink } from '../../parse/ip-link.ts';
import { parseIpNeigh } from '../../parse/ip-neigh.ts';
import { parseIptablesSave } from '../../parse/iptables-save.ts';
import { parseNftText } from '../../parse/nft-text.ts';
import { parseProcNetSnmp } from '../../parse/proc-net.ts';
import { parseSoftnet } from '../../parse/softnet.ts';
import { parseTcQdisc } from '../../parse/tc.ts';
import { conntrackLosses, lossCounters, passedByDevice, symptomCounters } from './counter-meanings.ts';

/** The counters of one output of a reading; `name` is the last part of its entry's key. What is not understood of it gives no counter. */
export function countersOf(name: string, text: string): Counter[] {
  const read = readers[name];
  return read ? read(text) : [];
}

/** Outputs that a reading has of a node; of a pod, those that are there. */
export const counterOutputs = ['snmp', 'ip-link', 'iptables', 'iptables-legacy', 'nft', 'conntrack', 'softnet', 'qdisc', 'neigh'] as const;

const readers: Readonly<Record<string, (text: string) => Counter[]>> = {
  snmp: (text) => parseProcNetSnmp(text).value.flatMap(({ name, value, text: line }) => protocol(name, value, line)),
  'ip-link': (text) => parseIpLink(text).value.flatMap(device),
  iptables: (text) => rules(parseIptablesSave(text, { source: 'iptables-nft' }).value),
  'iptables-legacy': (text) => rules(parseIptablesSave(text, { source: 'iptables-legacy' }).value),
  nft: (text) => rules(parseNftText(text).value),
  conntrack: (text) => conntrack(parseConntrackStats(text).value),
  softnet,
  qdisc: (text) =>
    parseTcQdisc(text).value.flatMap(({ dev, kind, parent, counters, text: line }) =>
      counters ? [{ ...loses, kind: 'qdisc', name: `${dev ?? '?'} ${kind} ${parent} dropped`, value: counters.dropped, line }] : [],
    ),
  neigh: neighbours,
};

const loses = { ends: true, meaning: undefined } as const;

function protocol(name: string, value: number, line: string): Counter[] {
  const ends = Object.hasOwn(lossCounters, name);
  const meaning = lossCounters[name] ?? symptomCounters[name];
  return meaning === undefined ? [] : [{ kind: 'protocol', name, value, line, ends, meaning }];
}

function device({ name, text, counters }: Link): Counter[] {
  const of = (direction: 'rx' | 'tx', values: DirectionCounters): Counter[] =>
    Object.entries(values)
      .filter(([key]) => !passedByDevice.has(key))
      .map(([key, value]) => ({
        ...loses,
        kind: 'device',
        name: `${name} ${direction} ${key}`,
        value,
        line: `${text.split('\n')[0]} … ${direction.toUpperCase()} ${key} ${value}`,
      }));
  return counters ? [...of('rx', counters.rx), ...of('tx', counters.tx)] : [];
}

/** Tables that nft prints of iptables' rules are left out: iptables-save has them. */
const rules = ({ tables, source }: NetfilterRuleset): Counter[] =>
  tables
    .filter(({ lossy, family }) => !lossy && family !== 'ip6')
    .flatMap((table) =>
      table.chains.flatMap((chain) => [
        ...policy(table, chain),
        ...chain.rules.flatMap((rule) => ruleCounter(rule, `${source === 'nft' ? `nft ${table.family} ` : ''}${table.name} ${chain.name}`)),
      ]),
    );

const policy = (table: Table, { name, base, counters }: Chain): Counter[] =>
  base?.policy === 'drop' && counters
    ? [
        {
          ...loses,
          kind: 'policy',
          name: `${table.name} ${name} policy DROP`,
          value: counters.packets,
          line: `:${name} DROP [${counters.packets}:${counters.bytes}]`,
        },
      ]
    : [];

function ruleCounter({ text, statements, counters }: Rule, where: string): Counter[] {
  if (!counters) return [];
  const ends = statements.some(({ kind }) => kind === 'drop' || kind === 'reject');
  // Of nft the counter is a part of the text; its numbers would make two rules of one.
  const name = `${where}: ${text.replace(/^\[\d+:\d+\] /, '').replace(/ ?counter packets \d+ bytes \d+/, '')}`;
  const line = text.includes('counter packets') ? text : `[${counters.packets}:${counters.bytes}] ${text}`;
  return [{ kind: 'rule', name, value: counters.packets, line, ends, meaning: undefined }];
}

function conntrack({ cpus }: ConntrackStats): Counter[] {
  return Object.entries(conntrackLosses).flatMap(([key, meaning]) => {
    const known = cpus.filter(({ counters }) => counters[key] !== undefined);
    const value = known.reduce((sum, { counters }) => sum + (counters[key] ?? 0), 0);
    return known.length === 0
      ? []
      : [{ kind: 'conntrack', name: `conntrack ${key}`, value, line: known.map(({ text }) => text).join('; '), ends: true, meaning }];
  });
}

function softnet(text: string): Counter[] {
  const rows = parseSoftnet(text).value;
  const value = rows.reduce((sum, row) => sum + row.dropped, 0);
  const meaning = 'the backlog of a CPU was full (net.core.netdev_max_backlog)';
  return [{ kind: 'softnet', name: 'softnet dropped', value, line: rows.map((row) => row.text).join('; '), ends: true, meaning }];
}

/** A neighbour that does not answer is a state and not a number: 1 while it is so. It is asked anew for each new packet. */
function neighbours(text: string): Counter[] {
  return parseIpNeigh(text).value.map(({ address, dev, states, used, text: line }) => ({
    kind: 'neighbour',
    name: `neighbour ${address}${dev === undefined ? '' : ` ${dev}`}`,
    value: states.includes('FAILED') || states.includes('INCOMPLETE') ? 1 : 0,
    line,
    ends: true,
    meaning: 'it does not answer',
    ...(used === undefined ? {} : { seconds: used.updated }),
  }));
}
