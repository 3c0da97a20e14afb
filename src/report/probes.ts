import type { Probe, Report } from '../schema/report.ts';
import { groupBy } from './group.ts';
import { someOf } from './words.ts';

export type ProbeState = 'failed' | 'partly' | 'ok' | 'unknown';

/** One line of the table of probes: one probe, or several of one kind with one outcome. */
export interface ProbeRow {
  state: ProbeState;
  stage: string;
  /** Succeeded and all tries, "3/12". */
  tries: string;
  to: string;
  from: string;
  outcome: string;
}

const ORDER: readonly ProbeState[] = ['failed', 'partly', 'unknown', 'ok'];

/**
 * The probes of a report as lines, failing ones first and otherwise in the order in which they were made. Probes of one stage, from one
 * place, with one outcome become one line, unless `each` asks for every one.
 */
export function probeRows(probes: readonly Probe[], { each = false } = {}): ProbeRow[] {
  const groups = groupBy(probes, (probe) => (each ? probe.id : sameKind(probe)));
  return [...groups.values()].map(toRow).sort((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state));
}

/** A probe that was never tried says nothing about the network, so it is unknown and not failed. */
export function probeState({ tries, succeeded }: Probe): ProbeState {
  if (tries === 0) {
    return 'unknown';
  }

  if (succeeded === 0) {
    return 'failed';
  }

  return succeeded < tries ? 'partly' : 'ok';
}

/** "24 of 24 tries succeeded, 0.2-0.9 ms". */
export function probeSummary({ probes }: Report): string {
  const time = timeRange(probes);
  return `${totals(probes).join(' of ')} tries succeeded${time === null ? '' : `, ${time}`}`;
}

function sameKind(probe: Probe): string {
  return JSON.stringify([probeState(probe), probe.stage, probe.from, probe.protocol, probe.outcome]);
}

function toRow(group: readonly [Probe, ...Probe[]]): ProbeRow {
  const { stage, from, protocol, outcome } = group[0];
  const state = probeState(group[0]);
  const time = timeRange(group);
  // Kinds of failure are counted per probe: "timeout x4 each" for three probes of four tries.
  const failures = group.length > 1 ? `${outcome} each` : outcome;
  const told = state === 'ok' ? [time ?? outcome] : [failures, ...(time === null ? [] : [`else ${time}`])];
  return {
    state,
    stage,
    tries: totals(group).join('/'),
    to: `${someOf(
      group.map(({ to }) => to),
      2,
    )} ${protocol}`,
    from,
    outcome: told.join(', '),
  };
}

/** Medians of several probes have no common median, so the smallest and the largest of them are given. */
function timeRange(probes: readonly Probe[]): string | null {
  const times = probes.map(({ milliseconds }) => milliseconds).filter((time) => time !== null);
  if (times.length === 0) {
    return null;
  }

  const [least, most] = [Math.min(...times), Math.max(...times)].map(inMilliseconds);
  return least === most ? `${least} ms` : `${least}-${most} ms`;
}

function inMilliseconds(time: number): string {
  return time < 10 ? time.toFixed(1) : time.toFixed(0);
}

/** How many tries succeeded, and how many there were. */
function totals(probes: readonly Probe[]): [number, number] {
  return probes.reduce<[number, number]>(([succeeded, tries], probe) => [succeeded + probe.succeeded, tries + probe.tries], [0, 0]);
}
