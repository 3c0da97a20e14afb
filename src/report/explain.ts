import type { CheckMeta } from '../model/check.ts';
import { paragraph, usableWidth } from './layout.ts';
import { stepLines } from './steps.ts';
import { createStyle, type RenderOptions } from './style.ts';
import { LAYER_NAMES } from './words.ts';

/**
 * What `k8snet explain ID` says about a check: what is wrong, how a cluster gets there, how to confirm and mend it by hand, what it is often
 * mistaken for, and the sources. Commands stand on lines of their own and are never wrapped.
 */
export function renderExplanation(meta: CheckMeta, { color, width: columns }: RenderOptions): string {
  const style = createStyle(color);
  const width = usableWidth(columns);
  const { what, why, confirm, fix, notThis, refs } = meta.explain;
  const part = (title: string, lines: readonly string[]) => (lines.length === 0 ? [] : ['', style.heading(title), ...lines]);
  const prose = (text: string) => paragraph(text, { indent: 2, width });
  const lines = [
    ...paragraph(meta.title, { label: `${meta.id}:`, hang: 2, width, paint: style.heading }),
    ...prose(`${meta.slug}; layer ${LAYER_NAMES[meta.layer]}, since k8snet ${meta.since}`),
    ...part('What is wrong', prose(what)),
    ...part('How a cluster gets there', prose(why)),
    ...part(
      'Confirm it by hand',
      confirm.map((command) => `    ${style.command(command)}`),
    ),
    ...part('Mend it', stepLines(fix, { indent: 2, width, style })),
    ...part(
      'Not to be mistaken for',
      notThis.flatMap((other) => paragraph(other, { label: '-', indent: 2, width })),
    ),
    ...part(
      'Sources',
      refs.map((ref) => `  ${ref}`),
    ),
  ];
  return `${lines.join('\n')}\n`;
}
