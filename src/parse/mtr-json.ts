import { z } from 'zod';
import type { Parsed } from '../model/parsed.ts';
import type { PathOutput, PathRun } from '../model/probe.ts';
import { firstIssue, wholeJson, wholeText } from './json-items.ts';

const milliseconds = z.number().optional();
const report = z.looseObject({
  report: z.looseObject({
    mtr: z.looseObject({ dst: z.string() }),
    hubs: z.array(
      z.looseObject({
        count: z.coerce.number(),
        host: z.string(),
        'Loss%': z.number().optional(),
        Snt: z.number().optional(),
        Last: milliseconds,
        Avg: milliseconds,
        Best: milliseconds,
        Wrst: milliseconds,
      }),
    ),
  }),
});

/** Reads `mtr --json` of mtr 0.92 to 0.95 (ui/report.c `json_close`). Times are ms; lines are those of the text as a whole. */
export function parseMtrJson(text: string): Parsed<PathOutput> {
  const checked = report.safeParse(wholeJson(text));
  const nothing: PathOutput = { runs: [], marks: [], otherLines: [] };
  if (!checked.success) return { value: nothing, unparsed: wholeText(text, firstIssue(checked.error)), complete: false };
  const { mtr, hubs } = checked.data.report;
  const hops = hubs.map((hub) => ({
    line: 1,
    hop: hub.count,
    address: hub.host === '???' ? undefined : hub.host,
    name: undefined,
    timesMs: [hub.Last, hub.Avg, hub.Best, hub.Wrst].filter((time) => time !== undefined),
    notes: hub['Loss%'] === undefined ? [] : [`${hub['Loss%']}%${hub.Snt === undefined ? '' : ` of ${hub.Snt}`} lost`],
    mtu: undefined,
    failure: undefined,
  }));
  const run: PathRun = { line: 1, target: mtr.dst, address: undefined, hops, mtu: undefined, reached: false, end: { line: 1 }, errors: [] };
  return { value: { ...nothing, runs: [run] }, unparsed: [], complete: true };
}
