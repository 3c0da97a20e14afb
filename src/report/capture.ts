import type { CaptureReport } from '../schema/capture-report.ts';
import type { Report } from '../schema/report.ts';
import { watchLines, watchVerdict } from './capture-watch.ts';
import { cleanText as clean } from './sanitize.ts';
import { createStyle, type RenderOptions } from './style.ts';

/** The captures of a probe as text: what was lost where, the kernel's reason, and one timeline of each kind of loss. */
export function renderCapture(report: CaptureReport, head: string, options: RenderOptions): string {
  const style = createStyle(options.color);
  const { watch } = report;
  const isGood = report.notTried === undefined && report.losses.length === 0 && !watch?.failed;
  const verdict = (isGood ? style.good : style.bad)(clean(watch ? watchVerdict(watch) : answeredText(report)));
  const scope = isGood && report.tried.length > 0 ? [clean(scopeText(report))] : [];
  const losses = report.losses.flatMap((loss) => [
    '',
    style.heading(clean(`${loss.tries} x ${loss.kind}${loss.direction ? ` (${loss.direction})` : ''}: ${loss.to.join(', ')}`)),
    `  ${clean(loss.says)}`,
    ...(loss.dropReason ? [`  ${clean(reasonText(loss.dropReason))}`] : []),
    ...(loss.counter ? [`  ${clean(counterText(loss.counter))}`, style.faint(`    ${clean(loss.counter.line)}`)] : []),
    ...loss.timeline.map(
      (line) => `    ${clean(timelineText(line))}${line.through === null ? '' : style.faint(clean(`  in ${line.through}`))}`,
    ),
  ]);
  const beside = watch ? watchLines(watch).map((line) => clean(line)) : [];
  const moved = report.losses.length === 0 ? [] : report.counters.slice(0, mostCounters);
  const counters = moved.map((counter) => `  ${clean(`${counter.place}: ${movedText(counter)}`)}`);
  const gaps = report.gaps.map((gap) => style.unsure(clean(`not seen: ${gap}`)));
  const parts = [losses.slice(1), beside, counters.length > 0 ? [style.heading('moved with the probes'), ...counters] : [], gaps];
  return `${[clean(head), verdict, ...scope, ...parts.filter((part) => part.length > 0).flatMap((part) => ['', ...part])].join('\n')}\n`;
}

function answeredText({ tries, answered, arrived, losses, notTried }: CaptureReport): string {
  if (notTried !== undefined) return `nothing was tried: ${notTried}`;
  if (arrived !== undefined) {
    const failed = tries - answered - arrived;
    return failed === 0
      ? `all ${tries} datagrams came to their endpoint; ${answered} were answered, which UDP does not owe`
      : `${failed} of ${tries} datagrams were lost or refused`;
  }
  return losses.length === 0 ? `all ${tries} tries were answered` : `${tries - answered} of ${tries} tries were not answered`;
}

const scopeText = ({ tried, watched }: CaptureReport): string =>
  `tried: ${tried.join(', ')}; watched in ${watched.length > 0 ? watched.join(', ') : 'no place'}`;

/** The same in a few sentences, as a part of a larger report. */
export const captureSentences = (
  { tries, answered, arrived, losses, gaps, notTried }: CaptureReport,
  witnesses: Report['witnesses'] = [],
): string[] => [
  ...witnesses.map(({ says }) => says),
  notTried === undefined ? `${answered} of ${tries} watched tries were answered` : `nothing was tried: ${notTried}`,
  ...(arrived ? [`${arrived} more came to their endpoint and were not answered, which UDP does not owe`] : []),
  ...losses.flatMap((loss) => [
    `${loss.tries} x ${loss.kind}${loss.direction ? ` (${loss.direction})` : ''}, to ${loss.to.join(', ')}: ${loss.says}`,
    ...(loss.dropReason ? [reasonText(loss.dropReason)] : []),
    ...(loss.counter ? [counterText(loss.counter)] : []),
  ]),
  ...gaps.map((gap) => `not seen: ${gap}`),
];

type Loss = CaptureReport['losses'][number];

const reasonText = ({ node, count, reason, location }: NonNullable<Loss['dropReason']>): string =>
  `the kernel of node ${node} dropped ${count} of its packets: ${reason} in ${location}`;

const mostCounters = 12;

const counterText = (counter: CaptureReport['counters'][number]): string => `${counter.place} counts it: ${movedText(counter)}`;

const movedText = ({ name, by, idle, meaning }: CaptureReport['counters'][number]): string =>
  `${name} +${by}${idle === 0 ? '' : ` (idle: +${idle})`}${meaning === null ? '' : `: ${meaning}`}`;

const timelineText = (line: Loss['timeline'][number]): string =>
  `${String(line.microseconds).padStart(8)} us  ${line.packet.padEnd(12)} ${line.at.padEnd(40)} ${line.source} -> ${line.destination}`;
