/**
 * Writes what is derived from the source: docs/schema/*.json from the zod schemas, and docs/checks from the checks.
 * With `--check` it writes nothing and fails, naming the files, when one on disk differs: `npm run generate -- --check`.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';
import { judgeSnapshot } from '../src/app/diagnose.ts';
import type { CheckMeta } from '../src/model/check.ts';
import { checkPageName, renderCheckIndex, renderCheckPage } from '../src/report/check-page.ts';
import { renderReport } from '../src/report/index.ts';
import { reportSchema } from '../src/schema/report.ts';
import { traceReportSchema } from '../src/schema/trace.ts';
import { verifyReportSchema } from '../src/schema/verify.ts';
import { unpackSnapshot } from '../src/snapshot/archive.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const CHECKS_FOLDER = join('docs', 'checks');

/** Contents by path, relative to the root of the repository. */
async function generated(): Promise<Map<string, string>> {
  const metas = await readChecks();
  const pages = metas.map((meta): [string, string] => [join(CHECKS_FOLDER, checkPageName(meta)), renderCheckPage(meta)]);
  return new Map([
    [join('docs', 'schema', 'diagnosis-report.v1.json'), jsonSchemaOf(reportSchema, 'DiagnosisReport', 'diagnose')],
    [join('docs', 'schema', 'verify-report.v1.json'), jsonSchemaOf(verifyReportSchema, 'VerifyReport', 'verify')],
    [join('docs', 'schema', 'trace-report.v1.json'), jsonSchemaOf(traceReportSchema, 'TraceReport', 'trace')],
    ...(metas.length === 0 ? [] : [[join(CHECKS_FOLDER, 'README.md'), renderCheckIndex(metas)] as const]),
    ...pages,
    ...(await readmeWithDemo()),
  ]);
}

/**
 * The schema of what is read (`io: 'input'`), which allows fields that it does not know: fields are only ever added to the report, so a
 * script that holds an old schema against a new report must not fail.
 */
function jsonSchemaOf(schema: z.ZodType, kind: string, command: string): string {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });
  return `${JSON.stringify({ $schema, title: `${kind} (k8snet.dev/v1)`, description: `What \`k8snet ${command} -o json\` prints`, ...rest }, null, 2)}\n`;
}

/** README.md with the report of the demo's incident, as the built-in renderer prints it. */
async function readmeWithDemo(): Promise<[string, string][]> {
  const bundle = join(root, 'fixtures', 'demo', 'incident.tgz');
  if (!existsSync(bundle)) {
    return [];
  }

  const { report } = judgeSnapshot(unpackSnapshot(await readFile(bundle)));
  const text = await renderReport(report, 'text', { color: false, width: 110, verbose: 0 });
  const shown = text.slice(0, Math.max(text.indexOf('\nProbes from'), 0) || undefined).trimEnd();
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const block = `<!-- demo:begin (npm run generate) -->\n\n\`\`\`\n$ k8snet diagnose svc/my-service\n${shown}\n\`\`\`\n\n<!-- demo:end -->`;
  return [['README.md', readme.replace(/<!-- demo:begin[\s\S]*<!-- demo:end -->/u, () => block)]];
}

async function readChecks(): Promise<readonly CheckMeta[]> {
  const path = join(root, 'src', 'checks', 'index.ts');
  if (!existsSync(path)) {
    return [];
  }

  const { checks } = (await import(pathToFileURL(path).href)) as { checks: readonly { meta: CheckMeta }[] };
  return checks.map(({ meta }) => meta);
}

/** Pages of checks that are gone or renamed. */
async function leftovers(files: ReadonlyMap<string, string>): Promise<string[]> {
  const folder = join(root, CHECKS_FOLDER);
  const names = existsSync(folder) ? await readdir(folder) : [];
  return names
    .filter((name) => /^[A-Z]{3}\d{3}-.*\.md$/u.test(name) && !files.has(join(CHECKS_FOLDER, name)))
    .map((name) => join(CHECKS_FOLDER, name));
}

async function differing(files: ReadonlyMap<string, string>): Promise<string[]> {
  const states = await Promise.all([...files].map(async ([path, content]) => ({ path, same: (await read(path)) === content })));
  return [...states.filter(({ same }) => !same).map(({ path }) => path), ...(await leftovers(files))];
}

async function read(path: string): Promise<string | null> {
  const full = join(root, path);
  return existsSync(full) ? await readFile(full, 'utf8') : null;
}

async function write(files: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, content] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }

  for (const path of await leftovers(files)) {
    await rm(join(root, path));
  }
}

const files = await generated();
const stale = await differing(files);
if (!process.argv.includes('--check')) {
  await write(files);
  console.log(`generate: ${files.size} files, ${stale.length} changed`);
} else if (stale.length > 0) {
  console.error(`These files differ from their source; run \`npm run generate\` and commit them:\n  ${stale.join('\n  ')}`);
  process.exitCode = 1;
} else {
  console.log(
    `generate: ${files.size} files are up to date (${[...files.keys()]
      .map((path) => basename(path))
      .slice(0, 3)
      .join(', ')}…)`,
  );
}
