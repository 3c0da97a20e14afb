import type { HasLine, Parsed } from '../model/parsed.ts';
import { type Attempt, parseEachLine, type TextLine, wordsOf } from './text-lines.ts';

/** Receive counters of one CPU. */
export interface SoftnetRow extends HasLine {
  text: string;
  /** Printed by kernels from 5.10 on; before, rows are in order of the CPUs that are online. */
  cpu?: number;
  processed: number;
  /** Packets that did not fit into the backlog (net.core.netdev_max_backlog). */
  dropped: number;
  /** How often a round of net_rx_action ended with work left (net.core.netdev_budget). */
  timeSqueeze: number;
  receivedRps?: number;
  flowLimit?: number;
  backlog?: number;
}

/**
 * /proc/net/softnet_stat: a row of hexadecimal numbers per CPU, 9 columns in kernel 2.6, 11 in 3.10, 13 from 5.10, 15 from 6.4 on. The counters
 * are the node's, not a network namespace's, and wrap at 2^32. Kernel: softnet_seq_show() in net/core/net-procfs.c.
 */
export const parseSoftnet = (text: string): Parsed<SoftnetRow[]> => {
  const parsed = parseEachLine(text, parseRow);
  return { ...parsed, complete: parsed.complete && parsed.value.length > 0 };
};

const parseRow = (line: TextLine): Attempt<SoftnetRow> => {
  const words = wordsOf(line.text);
  if (words.length < 9 || words.length > 15 || !words.every((word) => /^[0-9a-f]{8}$/.test(word)))
    return { why: 'not 9 to 15 hexadecimal numbers' };
  const numbers = words.map((word) => Number.parseInt(word, 16));
  const [processed = 0, dropped = 0, timeSqueeze = 0] = numbers;
  const row: SoftnetRow = { ...line, processed, dropped, timeSqueeze };
  const [receivedRps, flowLimit, backlog, cpu] = numbers.slice(9);
  if (receivedRps !== undefined) row.receivedRps = receivedRps;
  if (flowLimit !== undefined) row.flowLimit = flowLimit;
  if (backlog !== undefined) row.backlog = backlog;
  if (cpu !== undefined) row.cpu = cpu;
  return { ok: row };
};
