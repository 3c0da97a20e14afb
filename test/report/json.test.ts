import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { renderReport } from '../../src/report/index.ts';
import type { Report } from '../../src/schema/report.ts';
import { hugeReport, nastyReport } from './hostile.ts';
import { samples } from './samples.ts';

const published = z.fromJSONSchema(
  JSON.parse(readFileSync(new URL('../../docs/schema/diagnosis-report.v1.json', import.meta.url), 'utf8')),
);
const json = (report: Report) => renderReport(report, 'json', { color: true, width: 80, verbose: 0 });

describe('JSON report', () => {
  it.each(['cni-fdb-wrong', 'unknown-forbidden'] as const)('of %s reads as agreed', async (name) => {
    await expect(await json(samples[name]())).toMatchFileSnapshot(`golden/${name}.json`);
  });

  it.each(Object.entries(samples))('of %s keeps to the published schema and loses nothing', async (_, make) => {
    const parsed: unknown = JSON.parse(await json(make()));
    expect(published.safeParse(parsed).success).toBe(true);
    expect(parsed).toEqual(JSON.parse(JSON.stringify(make())));
  });

  it('keeps to the schema with hostile text too', async () => {
    expect(published.safeParse(JSON.parse(await json(nastyReport()))).success).toBe(true);
    expect(published.safeParse(JSON.parse(await json(hugeReport()))).success).toBe(true);
  });

  it('has keys in one order, whatever order they were made in', async () => {
    const reversed = reverseKeys(samples['two-faults']()) as Report;
    expect(await json(reversed)).toBe(await json(samples['two-faults']()));
  });

  it('ends with one line end', async () => {
    expect(await json(samples['healthy-plain']())).toMatch(/[^\n]\n$/u);
  });

  it('prints a report that breaks the schema rather than losing the diagnosis', async () => {
    const report = samples['cni-fdb-wrong']();
    const broken = { ...report, timing: { ...report.timing, seconds: Number.NaN } };
    expect(JSON.parse(await json(broken))).toMatchObject({ verdict: report.verdict, timing: { seconds: null } });
  });
});

describe('published schema', () => {
  it('refuses what is not a report', () => {
    const report = samples['cni-fdb-wrong']();
    expect(published.safeParse({ ...report, verdict: { ...report.verdict, status: 'fine' } }).success).toBe(false);
    expect(published.safeParse({ ...report, findings: undefined }).success).toBe(false);
  });

  it('takes fields that a later version adds', () => {
    expect(published.safeParse({ ...samples['cni-fdb-wrong'](), later: true }).success).toBe(true);
  });
});

function reverseKeys(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(reverseKeys);
  }

  return typeof value === 'object' && value !== null
    ? Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, item]) => [key, reverseKeys(item)]),
      )
    : value;
}
