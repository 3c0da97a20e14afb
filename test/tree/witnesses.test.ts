import { describe, expect, it } from 'vitest';
import type { ProbeResult, Try } from '../../src/facts/probe-results.ts';
import type { CheckMeta, Where } from '../../src/model/check.ts';
import { type EvidenceRef, evidence } from '../../src/model/evidence.ts';
import type { JudgedFinding } from '../../src/tree/judge.ts';
import { type End, hear, type Testimony } from '../../src/tree/witnesses.ts';

const tryOf = (cause: Try['cause']): Try => ({ ok: cause === null, cause, milliseconds: 1, lines: [1], text: '' });

const probe = (...causes: Try['cause'][]): ProbeResult => ({
  id: 'probe/pod/default/client/endpoint/10.244.2.4:8080',
  stage: 'endpoint',
  origin: { kind: 'pod', namespace: 'default', name: 'client' },
  target: '10.244.2.4:8080',
  command: 'curl',
  tries: causes.map(tryOf),
  unknown: null,
});
const failing = probe('timeout', 'timeout');

function finding(slug: string, where: Where, ...refs: EvidenceRef[]): JudgedFinding {
  const meta = { id: 'CNI003', slug, layer: 'cni', title: '', since: '' } as Omit<CheckMeta, 'explain'> as CheckMeta;
  const fault = { title: 'wrong', where, evidence: refs, next: [], fix: [], breaks: () => true, certain: false };
  return { meta, fault, severity: 'fault', explains: [failing], consequences: [] };
}

const rule = evidence('node/n2/iptables-save', 31);
const end: End = { place: { kind: 'node', name: 'n2' }, says: 'FORWARD of node n2 drops it', evidence: [rule] };
const tables = (parts: Partial<Testimony>): Testimony => ({
  by: 'by the tables',
  lost: 0,
  unknown: 0,
  ends: [],
  open: 'the tables of n1, n2 leave the way open',
  doubt: null,
  ...parts,
});
const lost = tables({ lost: 1, ends: [end] });

describe('a witness beside failing probes', () => {
  it('confirms a finding that quotes the line where packets end, or stands at the same place', () => {
    const quoting = finding(
      'backend-node-policy-drop',
      { kind: 'rule', name: 'FORWARD', node: 'n2' },
      evidence('node/n2/iptables-save', 30, 31),
    );
    expect(hear(lost, [failing], [quoting])).toMatchObject({ agreement: 'same-line', finding: quoting, end });
    const beside = finding('ip-forward-off', { kind: 'sysctl', name: 'ip_forward', node: 'n2' }, evidence('node/n2/sysctl', 1));
    expect(hear(lost, [failing], [beside])).toMatchObject({ agreement: 'same-place', finding: beside });
  });

  it('says where packets end when the finding names another node', () => {
    const heard = hear(lost, [failing], [finding('fdb-entry-wrong', { kind: 'fdb-entry', name: 'flannel.1', node: 'n1' })]);
    expect(heard).toMatchObject({ agreement: 'elsewhere', says: 'by the tables FORWARD of node n2 drops it; CNI003 names another place' });
  });

  it('says that packets are led to their end by the line of another node that the finding quotes', () => {
    const route = evidence('node/n1/ip-route', 3);
    const wrongRoute = finding('pod-route-missing', { kind: 'route', name: '10.244.2.0/24', node: 'n1' }, route);
    const ledBy = (...refs: EvidenceRef[]) => hear({ ...lost, ends: [{ ...end, ledBy: refs }] }, [failing], [wrongRoute]);
    expect(ledBy(evidence('node/n1/ip-rule', 3), route)).toMatchObject({
      agreement: 'follows',
      says: 'by the tables FORWARD of node n2 drops it; packets come there by what CNI003 names',
    });
    expect(ledBy(evidence('node/n1/ip-route', 4), evidence('node/n1/ip-route')).agreement).toBe('elsewhere');
  });

  it('takes no place of a cause that stands in the API for another one', () => {
    expect(hear(lost, [failing], [finding('selector-matches-no-pod', { kind: 'Service', name: 'my-service' })]).agreement).toBe('follows');
  });

  it('serves as the cause where no check has one', () => {
    const residual = finding('pod-traffic-lost-unexplained', { kind: 'network', name: 'n1 <-> n2' });
    expect(hear(lost, [failing], [residual])).toMatchObject({ agreement: 'no-finding', finding: residual, end });
    expect(hear(lost, [failing], [])).toMatchObject({ agreement: 'no-finding', finding: undefined });
  });

  it('points outside of the nodes where it sees nothing lost, unless a finding names what it does not look at', () => {
    expect(hear(tables({}), [failing], [])).toMatchObject({
      agreement: 'witness-passes',
      says: expect.stringContaining('look outside of the nodes'),
    });
    const named = finding('tunnel-traffic-lost-between-nodes', { kind: 'network', name: 'n1 <-> n2' });
    expect(hear(tables({}), [failing], [named]).says).toBe('the tables of n1, n2 leave the way open: what CNI003 names is none of them');
  });

  it('does not look for lost packets where an answer came', () => {
    expect(hear(tables({}), [probe('no-answer', 'no-answer')], []).agreement).toBe('packets-pass');
    expect(hear(tables({}), [probe('nxdomain')], []).agreement).toBe('packets-pass');
  });

  it('says why it can not tell', () => {
    const heard = hear(tables({ unknown: 1, doubt: 'node n2 was not read' }), [failing], []);
    expect(heard).toMatchObject({ agreement: 'cannot-tell', says: "by the tables it can't be told: node n2 was not read" });
  });
});

describe('a witness beside probes that pass', () => {
  it('is told and gives no ground for a finding', () => {
    const heard = hear(lost, [probe(null, null)], []);
    expect(heard).toMatchObject({ agreement: 'witness-loses', finding: undefined });
    expect(heard.says).toMatch(/^2 of 2 tries get through, though by the tables packets end before .* no ground for a finding$/);
  });

  it('is no contradiction where chance may have spared the tries', () => {
    const third = tables({ lost: 1 / 3, ends: [end] });
    expect(hear(third, [probe(...Array<null>(12).fill(null))], []).agreement).toBe('cannot-tell');
    expect(hear(third, [probe(...Array<null>(40).fill(null))], []).agreement).toBe('witness-loses');
  });

  it('agrees', () => {
    expect(hear(tables({}), [probe(null)], []).agreement).toBe('both-pass');
  });
});
