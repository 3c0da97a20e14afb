import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';
import { expect, it } from 'vitest';
import type { CheckMeta } from '../../src/model/check.ts';
import { checkPageName, renderCheckIndex, renderCheckPage } from '../../src/report/check-page.ts';
import { renderExplanation } from '../../src/report/explain.ts';

const meta: CheckMeta = {
  id: 'SVC002',
  slug: 'selector-matches-no-pod',
  layer: 'service',
  title: 'The selector of the Service matches no pod',
  since: '0.1.0',
  explain: {
    what: 'A Service finds its pods by labels. No pod of its namespace has all labels of the selector, so the EndpointSlice is empty and kube-proxy refuses every connection to the ClusterIP.',
    why: 'A typing error in the selector, labels that were renamed in the Deployment and not in the Service, or pods that live in another namespace: a selector never looks beyond its own.',
    confirm: [
      "kubectl -n NAMESPACE get endpointslices -l kubernetes.io/service-name=SERVICE -o custom-columns='NAME:.metadata.name,ENDPOINTS:.endpoints[*].addresses'",
      'kubectl -n NAMESPACE get pods --show-labels',
    ],
    fix: [
      'Compare the selector with the labels of the pod template.',
      'Change the one that is wrong, for example `kubectl -n NAMESPACE set selector service SERVICE app=web`.',
    ],
    notThis: [
      'SVC003: the selector matches pods, but none of them is ready.',
      'A Service without a selector, whose endpoints are kept by hand: that is meant to be so.',
    ],
    refs: [
      'https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors',
      'pkg/controller/util/endpointslice in Kubernetes 1.36',
    ],
  },
};

const bare: CheckMeta = {
  ...meta,
  id: 'CNI007',
  slug: 'fdb-entry-wrong',
  layer: 'cni',
  title: 'a | b',
  explain: { ...meta.explain, confirm: [], fix: [], notThis: [], refs: [] },
};

it.each([80, 120])('explains a check at %i columns', async (width) => {
  await expect(renderExplanation(meta, { color: false, width, verbose: 0 })).toMatchFileSnapshot(`golden/explain-SVC002.${width}.txt`);
});

it('keeps commands on one line', () => {
  const lines = renderExplanation(meta, { color: false, width: 40, verbose: 0 }).split('\n');
  expect(lines).toEqual(expect.arrayContaining(meta.explain.confirm.map((command) => `    ${command}`)));
});

it('leaves out what a check has nothing to say about', () => {
  expect(renderExplanation(bare, { color: false, width: 80, verbose: 0 })).not.toMatch(/Confirm|Mend|mistaken|Sources/u);
  expect(renderCheckPage(bare)).not.toMatch(/Confirm|Mend|mistaken|Sources/u);
});

it('makes the page of a check', async () => {
  expect(checkPageName(meta)).toBe('SVC002-selector-matches-no-pod.md');
  await expect(renderCheckPage(meta)).toMatchFileSnapshot('golden/SVC002-selector-matches-no-pod.md');
  expect(html(renderCheckPage(meta))).toContain(
    '<a href="https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors">',
  );
});

it('lists checks by layer, in the order of a request, and by id', () => {
  const index = renderCheckIndex([bare, { ...meta, id: 'SVC010' }, meta]);
  expect(index.match(/^## .*|\[\w+\]\([^)]*\)/gmu)).toEqual([
    '## Service',
    '[SVC002](SVC002-selector-matches-no-pod.md)',
    '[SVC010](SVC010-selector-matches-no-pod.md)',
    '## CNI',
    '[CNI007](CNI007-fdb-entry-wrong.md)',
  ]);
  expect(html(index)).toContain('<td>a | b</td>');
});

function html(markdown: string): string {
  return micromark(markdown, { allowDangerousHtml: true, extensions: [gfm()], htmlExtensions: [gfmHtml()] });
}
