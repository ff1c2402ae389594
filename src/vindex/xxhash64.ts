/**
 * xxHash64 with seed 0, in 32-bit arithmetic: a BigInt for every step would cost about ten times as much.
 *
 * A 64-bit number is two unsigned halves; the functions below leave their result in `hi` and `lo`, which is ugly
 * and keeps the inner loop free of allocations.
 */

const P1_HI = 0x9e3779b1;
const P1_LO = 0x85ebca87;
const P2_HI = 0xc2b2ae3d;
const P2_LO = 0x27d4eb4f;
const P3_HI = 0x165667b1;
const P3_LO = 0x9e3779f9;
const P4_HI = 0x85ebca77;
const P4_LO = 0xc2b2ae63;
const P5_HI = 0x27d4eb2f;
const P5_LO = 0x165667c5;

let hi = 0;
let lo = 0;

/** (hi, lo) times a constant. */
function multiply(byHi: number, byLo: number): void {
  const low = lo & 0xffff;
  const high = lo >>> 16;
  const byLow = byLo & 0xffff;
  const byHigh = byLo >>> 16;
  const lowLow = low * byLow;
  const highLow = high * byLow;
  const lowHigh = low * byHigh;
  const middle = (highLow & 0xffff) + (lowHigh & 0xffff) + (lowLow >>> 16);
  const carry = high * byHigh + (highLow >>> 16) + (lowHigh >>> 16) + (middle >>> 16);
  hi = (carry + Math.imul(hi, byLo) + Math.imul(lo, byHi)) >>> 0;
  lo = ((middle << 16) | (lowLow & 0xffff)) >>> 0;
}

function add(addHi: number, addLo: number): void {
  const sum = lo + addLo;
  hi = (hi + addHi + (sum > 0xffffffff ? 1 : 0)) >>> 0;
  lo = sum >>> 0;
}

function xor(withHi: number, withLo: number): void {
  hi = (hi ^ withHi) >>> 0;
  lo = (lo ^ withLo) >>> 0;
}

/** By 1 to 31 bits. */
function rotateLeft(bits: number): void {
  const top = hi;
  hi = ((hi << bits) | (lo >>> (32 - bits))) >>> 0;
  lo = ((lo << bits) | (top >>> (32 - bits))) >>> 0;
}

/** (hi, lo) ^= (hi, lo) >>> bits, for 1 to 32 bits. */
function xorShiftRight(bits: number): void {
  if (bits === 32) xor(0, hi);
  else xor(hi >>> bits, ((lo >>> bits) | (hi << (32 - bits))) >>> 0);
}

/** One lane: accumulator plus input times P2, turned and times P1. */
function round(accHi: number, accLo: number, inputHi: number, inputLo: number): void {
  hi = inputHi;
  lo = inputLo;
  multiply(P2_HI, P2_LO);
  add(accHi, accLo);
  rotateLeft(31);
  multiply(P1_HI, P1_LO);
}

function word(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0
  );
}

/** The four lanes over all whole blocks of 32 bytes; leaves the merged state and returns where it stopped. */
function hashBlocks(bytes: Uint8Array, length: number): number {
  // P1 + P2, P2, 0 and -P1, as halves.
  const state = [0x60ea27ee, 0xadc0b5d6, P2_HI, P2_LO, 0, 0, 0x61c8864e, 0x7a143579];
  let at = 0;
  for (; at + 32 <= length; at += 32) {
    for (let lane = 0; lane < 4; lane++) {
      const from = at + lane * 8;
      round(state[lane * 2] ?? 0, state[lane * 2 + 1] ?? 0, word(bytes, from + 4), word(bytes, from));
      state[lane * 2] = hi;
      state[lane * 2 + 1] = lo;
    }
  }
  let sumHi = 0;
  let sumLo = 0;
  [1, 7, 12, 18].forEach((bits, lane) => {
    hi = state[lane * 2] ?? 0;
    lo = state[lane * 2 + 1] ?? 0;
    rotateLeft(bits);
    add(sumHi, sumLo);
    sumHi = hi;
    sumLo = lo;
  });
  for (let lane = 0; lane < 4; lane++) {
    round(0, 0, state[lane * 2] ?? 0, state[lane * 2 + 1] ?? 0);
    xor(sumHi, sumLo);
    multiply(P1_HI, P1_LO);
    add(P4_HI, P4_LO);
    sumHi = hi;
    sumLo = lo;
  }
  return at;
}

/** Mixes in what is left after the whole blocks: words of 8 bytes, then one of 4, then single bytes. */
function hashTail(bytes: Uint8Array, start: number, length: number): void {
  let at = start;
  for (; at + 8 <= length; at += 8) {
    const keepHi = hi;
    const keepLo = lo;
    round(0, 0, word(bytes, at + 4), word(bytes, at));
    xor(keepHi, keepLo);
    rotateLeft(27);
    multiply(P1_HI, P1_LO);
    add(P4_HI, P4_LO);
  }
  if (at + 4 <= length) {
    const keepHi = hi;
    const keepLo = lo;
    hi = 0;
    lo = word(bytes, at);
    multiply(P1_HI, P1_LO);
    xor(keepHi, keepLo);
    rotateLeft(23);
    multiply(P2_HI, P2_LO);
    add(P3_HI, P3_LO);
    at += 4;
  }
  for (; at < length; at++) {
    const keepHi = hi;
    const keepLo = lo;
    hi = 0;
    lo = bytes[at] ?? 0;
    multiply(P5_HI, P5_LO);
    xor(keepHi, keepLo);
    rotateLeft(11);
    multiply(P1_HI, P1_LO);
  }
}

/**
 * The xxHash64 of these bytes as eight bytes, lowest first: the order in which Vitess makes it a keyspace id
 * (vXXHash in go/vt/vtgate/vindexes/xxhash.go).
 *
 * @param length how many of the bytes to hash; all of them unless said
 */
export function xxhash64(bytes: Uint8Array, length = bytes.length): Uint8Array {
  let at = 0;
  if (length >= 32) {
    at = hashBlocks(bytes, length);
  } else {
    hi = P5_HI;
    lo = P5_LO;
  }
  add(0, length);
  hashTail(bytes, at, length);
  // Final mixing: xor with itself shifted by 33, 29 and 32.
  xor(0, hi >>> 1);
  multiply(P2_HI, P2_LO);
  xorShiftRight(29);
  multiply(P3_HI, P3_LO);
  xorShiftRight(32);
  const out = new Uint8Array(8);
  for (let i = 0; i < 4; i++) {
    out[i] = lo >>> (i * 8);
    out[i + 4] = hi >>> (i * 8);
  }
  return out;
}
