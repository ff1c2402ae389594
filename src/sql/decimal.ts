/** Exact decimals of any size: `digits / 10^scale`. */

/** A decimal number. */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

const NUMBER = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?/;

/** True for a Decimal among scalars. */
export function isDecimal(value: unknown): value is Decimal {
  return typeof value === 'object' && value !== null && 'scale' in value && 'digits' in value;
}

/** The decimal at the start of a text and what follows it; undefined when no digit is there. */
export function readDecimal(text: string): { value: Decimal; rest: string } | undefined {
  const found = NUMBER.exec(text);
  const [all = '', sign = '', whole = '', fraction = '', exponent = '0'] = found ?? [];
  // Exponents beyond a double's range would only build huge numbers: no column holds them.
  if (whole + fraction === '' || Math.abs(Number(exponent)) > 400) return undefined;
  const digits = BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`);
  const scale = fraction.length - Number(exponent);
  const value = scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 };
  return { value, rest: text.slice(all.length) };
}

/** An integer as a decimal. */
export function decimalOf(integer: bigint): Decimal {
  return { digits: integer, scale: 0 };
}

function divideRounded(value: bigint, by: bigint): bigint {
  const negative = value < 0n !== by < 0n;
  const magnitude = (abs(value) * 2n + abs(by)) / (abs(by) * 2n);
  return negative ? -magnitude : magnitude;
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** The decimal with this many fractional digits, halves rounded away from zero as MySQL does. */
export function rescale(value: Decimal, scale: number): Decimal {
  if (scale >= value.scale) return { digits: value.digits * 10n ** BigInt(scale - value.scale), scale };
  return { digits: divideRounded(value.digits, 10n ** BigInt(value.scale - scale)), scale };
}

/** All fractional digits, no sign on zero: `-0.50`, `0.00`, `12`. */
export function decimalText(value: Decimal): string {
  const magnitude = abs(value.digits).toString().padStart(value.scale + 1, '0');
  const whole = magnitude.slice(0, magnitude.length - value.scale);
  const fraction = value.scale === 0 ? '' : `.${magnitude.slice(-value.scale)}`;
  return `${value.digits < 0n ? '-' : ''}${whole}${fraction}`;
}

/** The nearest double. */
export function decimalNumber(value: Decimal): number {
  return Number(decimalText(value));
}

function aligned(left: Decimal, right: Decimal): [bigint, bigint, number] {
  const scale = Math.max(left.scale, right.scale);
  return [rescale(left, scale).digits, rescale(right, scale).digits, scale];
}

/** -1, 0 or 1. */
export function compareDecimals(left: Decimal, right: Decimal): number {
  const [a, b] = aligned(left, right);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** MySQL's decimal arithmetic; undefined for a division by zero. A quotient gets four digits more than the dividend. */
export function decimalArithmetic(op: '+' | '-' | '*' | '/' | '%', left: Decimal, right: Decimal): Decimal | undefined {
  const [a, b, scale] = aligned(left, right);
  switch (op) {
    case '+':
      return { digits: a + b, scale };
    case '-':
      return { digits: a - b, scale };
    case '*':
      return { digits: left.digits * right.digits, scale: left.scale + right.scale };
    case '%':
      return b === 0n ? undefined : { digits: a % b, scale };
    case '/': {
      if (b === 0n) return undefined;
      const digits = left.scale + 4;
      return { digits: divideRounded(a * 10n ** BigInt(digits), b), scale: digits };
    }
  }
}
