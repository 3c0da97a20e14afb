import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface Fault {
  id: string;
  about: string;
  truth: { layer: string; check: string; where: string }[];
  symptom: string;
  modes: string[];
  backends: string[];
  diagnose: string[];
  expect: string;
}

const directory = new URL('.', import.meta.url).pathname;
const faults = JSON.parse(execFileSync(`${directory}/faults.sh`, ['list', '--json'], { encoding: 'utf8' })) as Fault[];

/** Needs bash and jq, and neither root nor a cluster: it holds the files, `npm run cluster -- verify all` what they do. */
describe('faults', () => {
  it.each(faults.map((fault) => [fault.id, fault] as const))('%s says what it breaks and what is seen', (id, fault) => {
    expect(fault.about).not.toBe('');
    expect(fault.symptom).not.toBe('');
    expect(['finding', 'note', 'healthy', 'watch']).toContain(fault.expect);
    for (const { layer, check, where } of fault.truth) {
      expect(fault.expect === 'healthy' ? ['healthy'] : ['dns', 'service', 'cni', 'app']).toContain(layer);
      expect(check).toMatch(/^([a-z][a-z-]+|-)$/);
      expect(where).not.toBe('');
    }
    for (const mode of fault.modes) expect(['iptables', 'nftables']).toContain(mode);
    for (const backend of fault.backends) expect(['vxlan', 'host-gw']).toContain(backend);
    const source = readFileSync(`${directory}/faults/${id}.sh`, 'utf8');
    expect(source).toMatch(/^bites\(\)/m);
    if (fault.truth.length === 1) for (const part of ['inject', 'revert']) expect(source).toMatch(new RegExp(`^${part}\\(\\)`, 'm'));
  });

  it('has one of every layer, and two at once', () => {
    expect(new Set(faults.flatMap(({ truth }) => truth.map(({ layer }) => layer)))).toEqual(
      new Set(['dns', 'service', 'cni', 'app', 'healthy']),
    );
    expect(faults.filter(({ truth }) => truth.length === 2).length).toBeGreaterThanOrEqual(3);
  });
});
