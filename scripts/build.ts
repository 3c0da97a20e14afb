import { readFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

/** Bundles the CLI: one small entry, everything else in chunks that are loaded when needed (docs/adr/003-one-bundle.md). */
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
rmSync('dist', { recursive: true, force: true });
await build({
  entryPoints: { k8snet: 'src/cli/main.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  minify: true,
  keepNames: true,
  define: { K8SNET_VERSION: JSON.stringify(version) },
  // CommonJS dependencies call require.
  banner: { js: "import{createRequire as k8snetRequire}from'node:module';const require=k8snetRequire(import.meta.url);" },
  legalComments: 'external',
  logLevel: 'warning',
});
