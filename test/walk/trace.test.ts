import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createFacts, type Facts } from '../../src/facts/facts.ts';
import type { Trace } from '../../src/model/trace.ts';
import { unpackSnapshot } from '../../src/snapshot/archive.ts';
import type { Snapshot } from '../../src/snapshot/snapshot.ts';
import { quoteEvidence } from '../../src/tree/quote.ts';
import { traceFlow } from '../../src/walk/trace.ts';
import { changed, without } from '../intent/change.ts';
import { toSnapshot } from '../recordings/adapter.ts';
import { readRecording } from '../recordings/recording.ts';
import { bundleTruths, flowOf, recordingTruths, type TraceTruth } from './trace-truths.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bundles = join(root, 'fixtures', 'bundles');
const recordings = join(root, '..', 'shared', 'recordings');

const filesOf = (directory: string): string[] =>
  existsSync(directory)
    ? readdirSync(directory)
        .filter((file) => file.endsWith('.tgz'))
        .sort()
    : [];

const readBundle = (name: string): Snapshot => unpackSnapshot(readFileSync(join(bundles, `${name}.tgz`)));

describe('each fault of the recorded clusters ends where it was made, on the line that makes it', () => {
  it.each(filesOf(bundles).map((file) => basename(file, '.tgz')))('bundle %s', (name) => {
    judge(readBundle(name), truthOf(bundleTruths, name));
  });

  it.skipIf(!existsSync(recordings)).each(filesOf(recordings).map((file) => basename(file, '.tgz')))('recording %s', (name) => {
    judge(toSnapshot(readRecording(name, readFileSync(join(recordings, `${name}.tgz`)))), truthOf(recordingTruths, name));
  });
});

function truthOf(truths: Readonly<Record<string, TraceTruth>>, name: string): TraceTruth {
  const truth = truths[name];
  if (truth === undefined) throw new Error(`where the trace of ${name} ends stands in no table: add it to trace-truths.ts`);
  return truth;
}

function judge(snapshot: Snapshot, truth: TraceTruth): void {
  const facts = createFacts(snapshot);
  const { from, target } = snapshot.manifest.request;
  const traces = traceFlow(facts, flowOf({ kind: 'pod', namespace: from.namespace ?? '', name: from.name }, target, truth.flow));
  const ends = traces.map((trace) => `${trace.disposition} ${endOf(trace)}`);
  for (const { disposition, at, quotes, times } of truth.ends) {
    const found = traces.filter((trace) => trace.disposition === disposition && at.test(endOf(trace)) && quotes.test(quoted(facts, trace)));
    expect(found.length, `${disposition} at ${at} quoting ${quotes}, of ${ends.join('; ')}`).toBe(times);
  }
  expect(traces.filter(({ disposition }) => disposition === 'delivered').length, ends.join('; ')).toBe(truth.delivered);
  expect(traces.length, ends.join('; ')).toBe(truth.delivered + truth.ends.reduce((sum, { times }) => sum + times, 0));
  expect(traces.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 6);
  for (const trace of traces) expectSound(facts, trace);
}

describe('a packet that a node does not forward because of its size', () => {
  const onNode = 'node/n1/iptables-save';
  const rule = /icmp-type 3\/4 -j DROP/;
  const whyOf = (snapshot: Snapshot): string => {
    const { target, from } = snapshot.manifest.request;
    const client = { kind: 'pod', namespace: from.namespace ?? '', name: from.name } as const;
    const to = { kind: 'service', namespace: target.namespace, name: target.name, port: undefined } as const;
    const traces = traceFlow(createFacts(snapshot), { from: client, to, protocol: 'tcp', length: 'full', packet: 'first' });
    return traces.find(({ disposition }) => disposition === 'dropped')?.why ?? '';
  };
  const filtered = readBundle('cni-mtu');
  const open = changed(filtered, { [onNode]: without(rule) });

  it('is answered where rules let the ICMP out, and not where one drops it', () => {
    expect(whyOf(filtered)).toMatch(
      /mtu 1400; its ICMP "fragmentation needed" does not get to the sender \(filter OUTPUT: "-A OUTPUT .* 3\/4 -j DROP"\)$/,
    );
    expect(whyOf(open)).toMatch(/mtu 1400; it answers with ICMP "fragmentation needed"$/);
  });

  it('is not said to be answered where a rule can not be told to apply', () => {
    const doubtful = changed(filtered, {
      [onNode]: (text) => text.replace('-p icmp -m icmp --icmp-type 3/4', '-p icmp -m time --timestart 01:00:00'),
    });
    expect(whyOf(doubtful)).toMatch(
      /it answers with ICMP "fragmentation needed", and whether that gets to the sender can't be told \(.*\)$/,
    );
  });
});

describe('a rule that changes more than addresses', () => {
  const healthy = readBundle('dns-healthy');
  const withRule = (table: string, rule: string): Snapshot =>
    changed(healthy, {
      'node/n1/iptables-save': (text) =>
        text.includes(`\n*${table}\n`)
          ? text.replace(new RegExp(`(\\n\\*${table}\\n[^]*?)\\nCOMMIT`), `$1\n${rule}\nCOMMIT`)
          : `${text}*${table}\n:PREROUTING ACCEPT [0:0]\n${rule}\nCOMMIT\n`,
    });
  const waysOf = (snapshot: Snapshot): string[] => {
    const { target, from } = snapshot.manifest.request;
    const to = { kind: 'service', namespace: target.namespace, name: target.name, port: undefined } as const;
    const sender = { kind: 'pod', namespace: from.namespace ?? '', name: from.name } as const;
    return traceFlow(createFacts(snapshot), { from: sender, to, protocol: 'tcp', packet: 'first' }).map(({ disposition, why }) =>
      disposition === 'delivered' ? disposition : `${disposition} ${why ?? ''}`,
    );
  };

  it('TTL: what has no hop left is not forwarded', () => {
    expect(new Set(waysOf(healthy))).toEqual(new Set(['delivered']));
    const ways = waysOf(withRule('mangle', '-A PREROUTING -j TTL --ttl-set 1'));
    expect(ways.filter((way) => /^dropped node n1 does not forward it: its TTL is 1\b/.test(way)).length).toBeGreaterThan(0);
    expect(new Set(waysOf(withRule('mangle', '-A PREROUTING -j TTL --ttl-dec 3')))).toEqual(new Set(['delivered']));
  });

  it('CT --zone: whether answers find the connection is not claimed', () => {
    const ways = waysOf(withRule('raw', '-A PREROUTING -p tcp -j CT --zone 7'));
    expect(ways.length).toBeGreaterThan(0);
    for (const way of ways) expect(way).toMatch(/^insufficient-info .*CT --zone 7.*another conntrack zone/);
  });
});

describe('what the ways alone do not say', () => {
  const from = { kind: 'pod', namespace: 'default', name: 'client' } as const;
  const assumedOf = (traces: readonly Trace[]): string => traces.flatMap(({ assumed }) => assumed).join('\n');

  it.each(['tcp', 'udp'] as const)('says that no socket was looked at where %s has no port', (protocol) => {
    const facts = createFacts(readBundle('cni-fdb-wrong'));
    const to = { kind: 'pod', namespace: 'default', name: 'client', port: undefined } as const;
    const traces = traceFlow(facts, { from, to, protocol, packet: 'first' });
    expect(assumedOf(traces)).toContain('no port was given: whether anything listens there was not looked at');
    expect(assumedOf(traceFlow(facts, { from, to, protocol: 'icmp', packet: 'first' }))).not.toContain('no port');
  });

  it("names the client's tracked connections that lead elsewhere", () => {
    const facts = createFacts(readBundle('conntrack-stale-tcp'));
    const to = { kind: 'service', namespace: 'default', name: 'my-service', port: undefined } as const;
    const found = /--source-port (\d+) follows it/.exec(assumedOf(traceFlow(facts, { from, to, protocol: 'tcp', packet: 'first' })));
    expect(found).not.toBeNull();
    const followed = traceFlow(facts, { from, to, protocol: 'tcp', packet: 'first', sourcePort: Number(found?.[1]) });
    expect(followed.map(({ disposition }) => disposition)).not.toContain('delivered');
  });

  it('says that a ClusterIP answers no ping', () => {
    const facts = createFacts(readBundle('conntrack-stale-tcp'));
    const to = { kind: 'service', namespace: 'default', name: 'my-service', port: undefined } as const;
    const traces = traceFlow(facts, { from, to, protocol: 'icmp', packet: 'first' });
    expect(traces.every(({ why }) => why.includes('a ClusterIP answers no ping by design'))).toBe(true);
  });
});

const endOf = ({ hops }: Trace): string => {
  const hop = hops.at(-1);
  return `${hop?.direction} ${hop?.place.kind} ${hop?.place.namespace === undefined ? '' : `${hop.place.namespace}/`}${hop?.place.name}`;
};

/** The lines of the step that decided the end. */
const quoted = (facts: Facts, { hops }: Trace): string =>
  (hops.at(-1)?.steps.at(-1)?.evidence ?? [])
    .flatMap((reference) => quoteEvidence(facts, reference)?.lines.map(({ text }) => text) ?? [])
    .join('\n');

/** Every step rests on lines that are there, and a delivered way has gone there and back. */
function expectSound(facts: Facts, { hops, disposition }: Trace): void {
  for (const step of hops.flatMap(({ steps }) => steps)) {
    expect(step.evidence.length, step.says).toBeGreaterThan(0);
    for (const reference of step.evidence)
      expect(quoteEvidence(facts, reference), `${step.says}: ${JSON.stringify(reference)}`).not.toBeNull();
  }
  if (disposition === 'delivered') expect(hops.at(-1)?.place).toEqual(hops[0]?.place);
}
