import type { Base, ProbeResult, Try } from './probe.ts';

export const withTries = (base: Base, tries: (Try | null | 'starved')[]): ProbeResult => {
  const known = tries.filter((item) => item !== null && item !== 'starved');
  if (known.length > 0) return { ...base, tries: known, unknown: null };
  const starved = tries.includes('starved');
  return {
    ...base,
    tries: [],
    unknown: starved
      ? { reason: 'timeout', detail: 'the machine that probed was too busy to keep its own time limits' }
      : { reason: 'unparsed', detail: 'the output of the probe was not understood' },
  };
};

/**
 * A time-out counts only where the tool could keep its own limit: on a machine that is short of CPU, tries end late by seconds, and what they say
 * is about that machine and not about the network.
 */
export const unlessStarved = (block: Block, limitMilliseconds: number, item: Try | null): Try | null | 'starved' =>
  item !== null && (item.cause === 'timeout' || item.cause === 'no-answer') && block.milliseconds > limitMilliseconds + 3000
    ? 'starved'
    : item;

export interface Block {
  rc: number;
  milliseconds: number;
  tool: string;
  text: string;
  /** 1-based line of the entry on which `text` begins. */
  first: number;
}

/** Takes the output of the `tries` function apart (src/collect/prelude.ts). */
export function readTries(stdout: string): Block[] {
  const lines = stdout.split('\n');
  const blocks: Block[] = [];
  lines.forEach((line, index) => {
    const match = /^k8snet-try \d+ rc=(\d+) cs=(-?\d+)$/.exec(line);
    if (!match) return;
    const end = lines.findIndex((later, at) => at > index && later.startsWith('k8snet-try '));
    const body = lines.slice(index + 1, end < 0 ? undefined : end);
    const tool = /^tool=(\w+)$/.exec(body[0] ?? '')?.[1] ?? '';
    blocks.push({
      rc: Number(match[1]),
      milliseconds: Number(match[2]) * 10,
      tool,
      text: (tool ? body.slice(1) : body).join('\n'),
      first: index + (tool ? 3 : 2),
    });
  });
  return blocks;
}

export const lineOf = (block: Block, pattern: RegExp, fallback = 1): number[] => {
  const at = block.text.split('\n').findIndex((line) => pattern.test(line));
  return [at >= 0 ? at + 1 : fallback];
};

export const good = (block: Block, lines: number[], milliseconds: number | undefined = block.milliseconds): Try => ({
  ok: true,
  cause: null,
  milliseconds: milliseconds ?? null,
  lines: shift(block, lines),
  text: '',
});
export const bad = (block: Block, cause: NonNullable<Try['cause']>, lines: number[], text: string): Try => ({
  ok: false,
  cause,
  milliseconds: block.milliseconds,
  lines: shift(block, lines),
  text,
});
const shift = (block: Block, lines: number[]): number[] => lines.map((line) => line + block.first - 1);
