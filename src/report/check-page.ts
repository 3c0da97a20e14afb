import type { CheckMeta, Layer } from '../model/check.ts';
import { codeBlock, tableCell } from './markdown-escape.ts';
import { LAYER_NAMES } from './words.ts';

const GENERATED = '<!-- Made by `npm run generate` from the check itself; change it there. -->';
const LAYERS: readonly Layer[] = ['dns', 'service', 'cni', 'app'];

/** The file name of a check's page under docs/checks: "SVC002-selector-matches-no-pod.md". */
export function checkPageName({ id, slug }: CheckMeta): string {
  return `${id}-${slug}.md`;
}

/** The page of one check. What a check says is Markdown already, written by us and not by a cluster, so nothing is escaped. */
export function renderCheckPage(meta: CheckMeta): string {
  const { what, why, confirm, fix, notThis, refs } = meta.explain;
  const sections = [
    GENERATED,
    `# ${meta.id}: ${meta.title}`,
    `Layer: ${LAYER_NAMES[meta.layer]}. Name: \`${meta.slug}\`. Since k8snet ${meta.since}. At the terminal: \`k8snet explain ${meta.id}\`.`,
    `## What is wrong\n\n${what}`,
    `## How a cluster gets there\n\n${why}`,
    ...part('Confirm it by hand', confirm, () => codeBlock(confirm, 'sh')),
    ...part('Mend it', fix, () => fix.map((step, index) => `${index + 1}. ${step}`).join('\n')),
    ...part('Not to be mistaken for', notThis, () => notThis.map((other) => `- ${other}`).join('\n')),
    ...part('Sources', refs, () => refs.map((ref) => `- ${/^https?:\S+$/u.test(ref) ? `<${ref}>` : ref}`).join('\n')),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** The list of all checks, docs/checks/README.md: a table for each layer, in the order in which a request passes them. */
export function renderCheckIndex(metas: readonly CheckMeta[]): string {
  const tables = LAYERS.map((layer) => ({ layer, checks: metas.filter((meta) => meta.layer === layer) }))
    .filter(({ checks }) => checks.length > 0)
    .map(
      ({ layer, checks }) =>
        `## ${LAYER_NAMES[layer]}\n\n| Id | What is wrong |\n| --- | --- |\n${checks.toSorted(byId).map(indexRow).join('\n')}`,
    );
  return `${[GENERATED, '# Checks', 'What k8snet can name as the cause. `k8snet explain ID` says the same at the terminal.', ...tables].join('\n\n')}\n`;
}

function indexRow(meta: CheckMeta): string {
  return `| [${meta.id}](${checkPageName(meta)}) | ${tableCell(meta.title)} |`;
}

function byId(one: CheckMeta, other: CheckMeta): number {
  return one.id < other.id ? -1 : 1;
}

function part(title: string, items: readonly string[], body: () => string): string[] {
  return items.length === 0 ? [] : [`## ${title}\n\n${body()}`];
}
