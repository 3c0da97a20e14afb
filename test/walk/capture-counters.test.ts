import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CaptureReport } from '../../src/schema/capture-report.ts';
import { unpackSnapshot } from '../../src/snapshot/archive.ts';
import type { Entry } from '../../src/snapshot/entry.ts';
import type { Snapshot } from '../../src/snapshot/snapshot.ts';
import { judgeCapture } from '../../src/walk/capture/summary.ts';

const recorded = (name: string): Snapshot => unpackSnapshot(readFileSync(new URL(`../../fixtures/captures/${name}.tgz`, import.meta.url)));
const reversePath = recorded('cni-rp-filter-iptables');

function judged(snapshot: Snapshot): CaptureReport {
  const report = judgeCapture(snapshot);
  if (typeof report === 'string') throw new Error(report);
  return report;
}

function change(snapshot: Snapshot, key: string, edit: (entry: Entry) => Partial<Entry>): Snapshot {
  const entry = snapshot.entries.get(key);
  if (!entry) throw new Error(`no entry ${key}`);
  return { ...snapshot, entries: new Map(snapshot.entries).set(key, { ...entry, ...edit(entry) }) };
}

/** Another value of a counter of /proc/net/netstat, by its place in the line of names. */
function withCounter(snapshot: Snapshot, reading: number, name: string, value: number): Snapshot {
  return change(snapshot, `capture/node/n2/counters-${reading}/snmp`, ({ stdout }) => {
    const lines = stdout.split('\n');
    const names = lines.findIndex((line) => line.split(' ').includes(name));
    const numbers = (lines[names + 1] ?? '').split(' ');
    numbers[(lines[names] ?? '').split(' ').indexOf(name)] = String(value);
    lines[names + 1] = numbers.join(' ');
    return { stdout: lines.join('\n') };
  });
}

const named = (snapshot: Snapshot): string[] => judged(snapshot).losses.flatMap(({ counter }) => counter?.name ?? []);

describe('counters around the probes of a capture', () => {
  it('names the one that moved as often as packets were lost, with its line', () => {
    const [loss] = judged(reversePath).losses;
    expect(loss?.counter).toMatchObject({ place: 'node n2', name: 'TcpExtIPReversePathFilter', idle: 0 });
    expect(loss?.counter?.line).toMatch(/^TcpExt: IPReversePathFilter \d+$/);
    expect(loss?.counter?.by).toBeGreaterThanOrEqual(loss?.tries ?? 0);
  });

  it('names none that moves as fast while nothing is sent', () => {
    const time = (reading: number) => Number(reversePath.entries.get(`capture/node/n2/counters-${reading}/at`)?.stdout);
    const perCentisecond = 15 / (time(2) - time(1));
    const noisy = [0, 1, 2].reduce(
      (snapshot, reading) =>
        withCounter(snapshot, reading, 'IPReversePathFilter', 1000 + Math.round(perCentisecond * (time(reading) - time(0)))),
      reversePath,
    );
    expect(named(noisy)).toEqual([]);
  });

  it('names none that moved less often than tries were lost, or went backwards', () => {
    const start = withCounter(withCounter(reversePath, 0, 'IPReversePathFilter', 10), 1, 'IPReversePathFilter', 10);
    expect(named(withCounter(start, 2, 'IPReversePathFilter', 14))).toEqual([]);
    expect(named(withCounter(start, 2, 'IPReversePathFilter', 3))).toEqual([]);
    expect(named(withCounter(start, 2, 'IPReversePathFilter', 25))).toEqual(['TcpExtIPReversePathFilter']);
  });

  it('after an idle interval far shorter than the probes, what moved a little is not shown', () => {
    const idleOf = (snapshot: Snapshot, centiseconds: number): Snapshot =>
      change(snapshot, 'capture/node/n2/counters-0/at', () => ({
        stdout: `${Number(snapshot.entries.get('capture/node/n2/counters-1/at')?.stdout) - centiseconds}\n`,
      }));
    const still = withCounter(withCounter(reversePath, 0, 'IPReversePathFilter', 10), 1, 'IPReversePathFilter', 10);
    const isShown = (snapshot: Snapshot): boolean => judged(snapshot).counters.some(({ name }) => name === 'TcpExtIPReversePathFilter');
    const little = withCounter(still, 2, 'IPReversePathFilter', 13);
    expect(isShown(idleOf(little, 100))).toBe(true);
    expect(isShown(idleOf(little, 30))).toBe(false);
    expect(isShown(idleOf(withCounter(still, 2, 'IPReversePathFilter', 25), 30))).toBe(true);
  });

  it('takes no protocol counter for a drop that the kernel ascribes to a filter', () => {
    const filtered = change(reversePath, 'capture/node/n2/drops', ({ stdout }) => ({
      stdout: stdout.replaceAll('IP_RPFILTER', 'NETFILTER_DROP'),
    }));
    expect(judged(filtered).losses[0]?.dropReason?.reason).toBe('NETFILTER_DROP');
    expect(named(filtered)).toEqual([]);
  });

  it('names the one that goes with the reason of the kernel, of two that moved alike', () => {
    // The ICMP errors of the packets that are too big are dropped, and counted, as often (IpOutDiscards).
    const tooBig = recorded('cni-mtu-iptables');
    expect(judged(tooBig).losses.map(({ dropReason }) => dropReason?.reason)).toEqual(['PKT_TOO_BIG', 'PKT_TOO_BIG']);
    expect(named(tooBig)).toEqual(['IpFragFails', 'IpFragFails']);
    expect(judged(tooBig).counters.map(({ name }) => name)).toContain('IpOutDiscards');
  });

  it('names a neighbour that does not answer, though it did not before the probes either', () => {
    const [loss] = judged(recorded('cni-neighbour-missing-iptables')).losses;
    expect(loss?.counter).toMatchObject({ kind: 'neighbour', place: 'node n1' });
    expect(loss?.counter?.line).toMatch(/^10\.244\.2\.0 dev flannel\.1 .*(FAILED|INCOMPLETE)/);
  });

  it('says where the counters could not be read, and names none there', () => {
    const failure = { reason: 'truncated', detail: 'fewer bytes arrived than the command printed' } as const;
    const cut = change(reversePath, 'capture/node/n2/counters-2/snmp', () => ({ failure }));
    expect(named(cut)).toEqual([]);
    expect(judged(cut).gaps).toContain(`node n2: its counters were not read: ${failure.detail}`);
  });
});

describe('drop reasons', () => {
  it('one event is the end of one packet: three neighbours that failed meanwhile are no reason for 42 packets', () => {
    const { losses } = judged(recorded('cni-forward-drop-nftables'));
    expect(losses.length).toBeGreaterThan(1);
    for (const { dropReason, counter } of losses) {
      expect(dropReason?.reason).toBe('NETFILTER_DROP');
      expect(counter?.name).toBe('filter FORWARD policy DROP');
    }
  });
});

describe('what the network between nodes does to packets', () => {
  it('damaged ones are no fault of the node that throws them away', () => {
    const [loss] = judged(recorded('cni-corrupt-between-nftables')).losses;
    expect(loss).toMatchObject({ where: { kind: 'between', names: ['n1', 'n2'] }, dropReason: { reason: 'UDP_CSUM' } });
    expect(loss?.says).toContain('it comes to node n2 damaged, with a wrong checksum');
  });

  it('says how many of them came where it loses a part', () => {
    const [loss] = judged(recorded('cni-loss-between-nftables')).losses;
    const [, left, came] = /of (\d+) packets that left node n1 for node n2, (\d+) came/.exec(loss?.says ?? '') ?? [];
    expect(Number(came)).toBeGreaterThan(0);
    expect(Number(came)).toBeLessThan(Number(left));
  });
});
