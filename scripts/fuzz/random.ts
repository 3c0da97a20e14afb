/** Random numbers that one seed always gives again (Mulberry32). */
export interface Random {
  /** 0 to `below` - 1. */
  below: (below: number) => number;
  of: <T>(things: readonly [T, ...T[]]) => T;
  /** True once in `times`. */
  once: (times: number) => boolean;
}

/** The numbers of input `index` under `seed`: each input can be made again without those before it. */
export function randomOf(seed: number, index: number): Random {
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 0;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * limit);
  };
  return { below, of: (things) => things[below(things.length)] ?? things[0], once: (times) => below(times) === 0 };
}
