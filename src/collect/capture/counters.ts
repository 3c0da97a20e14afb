import type { CaptureBackend } from '../../model/capture-path.ts';
import type { Section } from '../script.ts';
import { iptablesLegacySave, iptablesSave } from '../sections.ts';
import { quote } from '../shell.ts';

/** A namespace to capture in and to read counters of. */
export interface CaptureTarget {
  /** Key of the snapshot's entries: `capture/node/n1`, `capture/pod/default/client`. */
  key: string;
  /** `host`, or the name of the pod's namespace in the script. */
  ns: string;
}

/**
 * How long nothing is sent between the first two readings, so that what moves is noise: about as long as tries take that are all answered, or a good part of
 * what tries take that are not. The judgement scales it to what they took.
 */
export type IdleInterval = 'as-answered' | 'as-lost';
const idleCentiseconds = { 'as-answered': 40, 'as-lost': 100 } as const satisfies Record<IdleInterval, number>;
/** A reading is ended after so long (tens of thousands of rules); what it has not come to is missing. */
const readingSeconds = 4;

/** The three readings: before an idle interval, after it, and after the probe. */
const readings = [0, 1, 2];

interface Reading {
  name: string;
  command: string;
  shell: string;
}

/** When it began: centiseconds since boot. */
const readingTime: Reading = { name: 'at', command: 'cat /proc/uptime', shell: 'now' };

const ofNamespace: Reading[] = [
  { name: 'snmp', command: 'cat /proc/net/snmp /proc/net/netstat', shell: 't cat /proc/net/snmp /proc/net/netstat' },
  { name: 'ip-link', command: 'ip -s -s link', shell: 't ip -s -s link' },
];

/** Rules that end a packet, policies that do, and where a packet is sent on to a watched endpoint: what of a large ruleset can count a probe. */
function ofNode(backends: readonly CaptureBackend[]): Reading[] {
  const addresses = backends.map(({ address, port }) => `${address}:${port}`.replaceAll('.', '[.]')).join('|');
  const wanted = `^[*#]|^COMMIT|^:[^ ]+ (ACCEPT|DROP) |-j (DROP|REJECT)${addresses === '' ? '' : `|--to-destination (${addresses})( |$)`}`;
  const grep = `grep -E ${quote(wanted)}`;
  const blocks = `awk ${quote(onlyCounted)}`;
  return [
    ...ofNamespace,
    { name: 'iptables', command: `iptables-nft-save -c | ${grep}`, shell: `( ${iptablesSave} ) | ${grep}` },
    { name: 'iptables-legacy', command: `iptables-legacy-save -c | ${grep}`, shell: `( ${iptablesLegacySave} ) | ${grep}` },
    { name: 'nft', command: 'nft list ruleset (drop, reject)', shell: `t nft list ruleset | ${blocks}` },
    { name: 'conntrack', command: 'conntrack -S', shell: 't conntrack -S' },
    { name: 'softnet', command: 'cat /proc/net/softnet_stat', shell: 'cat /proc/net/softnet_stat' },
    { name: 'qdisc', command: 'tc -s qdisc', shell: 't tc -s qdisc' },
    { name: 'neigh', command: 'ip -s neigh', shell: 't ip -s neigh' },
  ];
}

/** Of `nft list ruleset`, the rules that count what they drop or reject, in their tables and chains; sets, maps and the rest of a large ruleset stay away. */
const onlyCounted = [
  '/^#/ { print; next }',
  '/^table/ { table = $0; next }',
  '/^\\t[a-z].* \\{$/ { inside = ($1 == "chain"); chain = $0; next }',
  '/^\\t\\}/ { if (open) print; open = 0; inside = 0; next }',
  '/^\\}/ { if (shown) print; shown = 0; next }',
  'inside && /counter packets/ && /drop|reject/ { if (!shown) print table; if (!open) print chain; shown = 1; open = 1; print }',
].join('\n');

/** What one reading consists of, in the order in which it is read. */
const ofReading = (targets: readonly CaptureTarget[], backends: readonly CaptureBackend[]): (Reading & CaptureTarget)[] =>
  targets.flatMap((target) =>
    (target.ns === 'host' ? [readingTime, ...ofNode(backends)] : ofNamespace).map((reading) => ({ ...target, ...reading })),
  );

/**
 * Shell functions `counters READING` and `counters_idle LEFT`, which waits until no more than LEFT centiseconds of the idle interval that began at $began are left. Everything that they do is read. A reading writes
 * its sections itself, of which the first one has the index `first`: there are many, and a process for each would cost more than to read them.
 */
export function countersSetup(
  targets: readonly CaptureTarget[],
  backends: readonly CaptureBackend[],
  first: number,
  idle: IdleInterval,
): string {
  const items = ofReading(targets, backends);
  const lines = items.map(
    ({ ns, shell }, index) =>
      `i=$(($1*${items.length}+${first + index})); NS=${ns}; { ${shell}; } >"$W/$i.out" 2>"$W/$i.err"; echo $? >"$W/$i.rc"`,
  );
  return [
    `cat >"$w/counters" <<'K8SNET_COUNTERS'`,
    '. "$W/prelude"',
    ...lines,
    'K8SNET_COUNTERS',
    `counters() { limit ${readingSeconds} sh "$w/counters" "$1" </dev/null >/dev/null 2>&1; }`,
    `counters_idle() { left=$((${idleCentiseconds[idle]}-$(now)+began-$1)); [ "$left" -le 0 ] || sleep "$((left/100)).$((left/10%10))$((left%10))"; }`,
  ].join('\n');
}

/** What is brought home of each target: every reading as it was printed, with the time (centiseconds since boot) that it began at. */
export function countersSections(targets: readonly CaptureTarget[], backends: readonly CaptureBackend[]): Section[] {
  return readings.flatMap((reading) =>
    ofReading(targets, backends).map(
      ({ key, name, command, shell }): Section => ({
        key: `${key}/counters-${reading}/${name}`,
        command,
        shell,
        limit: readingSeconds,
        lane: 'counters',
        isWritten: true,
      }),
    ),
  );
}
