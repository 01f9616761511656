import type { Ids } from "../../src/kernel/ids.ts";

/** Repeatable chance. */
export interface Random {
  /** 0 to below 1. */
  fraction(): number;
  /** True so often. */
  chance(probability: number): boolean;
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  pick<T>(choices: readonly [T, ...T[]]): T;
}

/** Mulberry32: small, fast, and good enough to choose with. */
export function createRandom(seed: number): Random {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0;
  const fraction = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number) => least + Math.floor(fraction() * (most - least + 1));
  return {
    fraction,
    between,
    chance: (probability) => fraction() < probability,
    pick: (choices) => choices[between(0, choices.length - 1)] ?? choices[0],
  };
}

export function createSeededIds(random: Random): Ids {
  let drawn = 0;
  return {
    uuid: () => `id-${(drawn += 1)}`,
    bytes: (length) => Uint8Array.from({ length }, () => random.between(0, 255)),
    random: (length, alphabet) =>
      Array.from({ length }, () => alphabet.charAt(random.between(0, alphabet.length - 1))).join(""),
  };
}
