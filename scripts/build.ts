import { readFileSync, renameSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

/** Bundles the CLI: one small entry, everything else in chunks that are loaded when needed (docs/adr/003-one-bundle.md). */
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
// Made beside and then moved, so that a CLI that runs meanwhile keeps its chunks.
const fresh = `dist-${process.pid}`;
await build({
  entryPoints: { k8snet: 'src/cli/main.ts' },
  outdir: fresh,
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  // Names stay as they are. With short ones they would have to be kept beside (keepNames), which costs a call for each function that is made while parsers run: a quarter of their time.
  minifyWhitespace: true,
  minifySyntax: true,
  define: { K8SNET_VERSION: JSON.stringify(version) },
  // CommonJS dependencies call require.
  banner: { js: "import{createRequire as k8snetRequire}from'node:module';const require=k8snetRequire(import.meta.url);" },
  legalComments: 'external',
  logLevel: 'warning',
});
rmSync('dist', { recursive: true, force: true });
renameSync(fresh, 'dist');
