import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checks } from '../../src/checks/index.ts';

const prefixes = { dns: 'DNS', service: 'SVC', cni: 'CNI', app: 'APP' } as const;
const faults = readdirSync('test/cluster/faults').map((name) => readFileSync(`test/cluster/faults/${name}`, 'utf8'));
const tests = readdirSync('test/checks', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => readFileSync(`test/checks/${name}`, 'utf8'))
  .join('\n');

describe('every check', () => {
  it('has an id and a slug of its own', () => {
    expect(new Set(checks.map(({ meta }) => meta.id)).size).toBe(checks.length);
    expect(new Set(checks.map(({ meta }) => meta.slug)).size).toBe(checks.length);
  });

  it.each(checks.map(({ meta }) => [meta.slug, meta] as const))(
    '%s: is registered, explained, documented, tested, and made in the cluster',
    (slug, meta) => {
      expect(meta.id).toMatch(new RegExp(`^${prefixes[meta.layer]}\\d{3}$`));
      expect(meta.explain.what.length).toBeGreaterThan(60);
      expect(meta.explain.why.length).toBeGreaterThan(40);
      expect(meta.explain.confirm.length).toBeGreaterThan(0);
      expect(meta.explain.refs.length).toBeGreaterThan(0);
      expect(existsSync(`docs/checks/${meta.id}-${slug}.md`)).toBe(true);
      // What stands for "no cause was found" has no fault of its own.
      if (!/unexplained$/.test(slug))
        expect(
          faults.some((text) => text.includes(`|${slug}|`)),
          `a fault with truth ${slug}`,
        ).toBe(true);
      expect(tests.includes(slug) || tests.includes(meta.id), `a test that names ${slug}`).toBe(true);
    },
  );
});
