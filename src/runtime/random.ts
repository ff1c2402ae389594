import { fnv64Words } from '../lib/fnv.ts';

/** A seeded source of chance: the same seed repeats a run exactly. */
export interface Random {
  /** A float in [0, 1). */
  next(): number;
  /** An integer in [0, below). */
  below(below: number): number;
  /** A random (version 4) UUID. */
  uuid(): string;
  /** Remembers where chance stands; the function goes back to there. */
  mark(): () => void;
  /** Chance that goes on from here by itself. */
  fork(): Random;
}

/** xorshift-multiply generator (splitmix32): small, fast, good enough to draw faults and ids. */
export function seededRandom(seed: number): Random {
  return randomFrom(seed | 0);
}

function randomFrom(start: number): Random {
  let state = start;
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 4294967296;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  const uuid = (): string => {
    const hex = Array.from({ length: 32 }, () => below(16));
    hex[12] = 4;
    hex[16] = 8 + (hex[16]! & 3);
    const text = hex.map((digit) => digit.toString(16)).join('');
    return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-');
  };
  const mark = (): (() => void) => {
    const at = state;
    return () => void (state = at);
  };
  return { next, below, uuid, mark, fork: () => randomFrom(state) };
}

/** A seed of its own for something that has a name: streams of chance that do not disturb each other. */
export function seedOf(seed: number, name: string): number {
  return fnv64Words(new TextEncoder().encode(name)).low ^ seed;
}
