import type { TraceReport } from '../schema/trace.ts';
import type { TraceHop, TraceWay } from '../schema/way.ts';
import { doingsOf, hopKey, percent, placeOf } from './trace-words.ts';

interface Branch {
  id: string;
  hop: TraceHop | undefined;
  share: number;
  ends: TraceWay[];
  next: Map<string, Branch>;
}

/** The ways as a Mermaid flowchart: what they have in common is drawn once, forks carry their share, answers are dotted. */
export function renderTraceMermaid(report: TraceReport): string {
  const root: Branch = { id: 'start', hop: undefined, share: 1, ends: [], next: new Map() };
  let made = 0;
  for (const way of report.ways) {
    let at = root;
    for (const hop of way.hops) {
      const key = hopKey(hop);
      let branch = at.next.get(key);
      if (branch === undefined) {
        made += 1;
        branch = { id: `h${made}`, hop, share: 0, ends: [], next: new Map() };
        at.next.set(key, branch);
      }
      branch.share += way.share;
      at = branch;
    }
    at.ends.push(way);
  }
  const { flow } = report;
  const lines = [...root.next.values()].flatMap((branch) => draw(branch));
  return `flowchart TD\n  %% ${flow.from} to ${flow.to} ${flow.protocol}\n${lines.map((line) => `  ${line}`).join('\n')}\n`;
}

function draw(branch: Branch): string[] {
  const { id, hop, next, ends } = branch;
  const children = [...next.values()];
  const forks = children.length + ends.length > 1;
  return [
    ...(hop ? [`${id}["${quoted(placeOf(hop))}<br/>${quoted(doingsOf(hop))}"]`] : []),
    ...children.flatMap((child) => [...draw(child), edge(branch, child, forks)]),
    ...ends.flatMap((way, index) => {
      const end = `${id}e${index}`;
      const share = forks ? `|${percent(way.share)}|` : '';
      return [`${end}${shapeOf(way)}`, `${id} -->${share} ${end}`];
    }),
  ];
}

function edge(from: Branch, to: Branch, forks: boolean): string {
  const arrow = to.hop?.direction === 'reply' ? '-.->' : '-->';
  const label = [...(forks ? [percent(to.share)] : []), ...(to.hop?.arrives ? [to.hop.arrives] : [])].join(' ');
  return `${from.id} ${arrow}${label === '' ? '' : `|"${quoted(label)}"|`} ${to.id}`;
}

const shapeOf = ({ disposition, why }: TraceWay): string =>
  disposition === 'delivered' ? '(["delivered"])' : `{{"${disposition}<br/>${quoted(why)}"}}`;

/** Entities for what would end a label or be taken for markup (mermaid.js.org/syntax/flowchart: special characters). */
const quoted = (text: string): string => text.replace(/[#"<>&`|{}[\]]/g, (character) => `#${character.codePointAt(0)};`);
