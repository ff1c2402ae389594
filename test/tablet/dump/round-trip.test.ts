import fc from 'fast-check';
import { expect, it } from 'vitest';
import { emptyKeyspace } from './helpers.ts';

type Field = bigint | number | string | Uint8Array | null;

const ESCAPED: Record<number, string> = { 0: '\\0', 0x0a: '\\n', 0x0d: '\\r', 0x1a: '\\Z', 0x22: '\\"', 0x27: "\\'", 0x5c: '\\\\' };

/** Bytes between quotes as mysqldump writes them: what needs it is escaped, all else is raw. */
function quoted(bytes: Uint8Array, doubled: boolean): Buffer {
  const parts = [...bytes].map((byte) => Buffer.from(doubled && byte === 0x27 ? "''" : (ESCAPED[byte] ?? [byte])));
  return Buffer.concat([Buffer.from("'"), ...parts, Buffer.from("'")]);
}

const CREATE = `create table r (
  id bigint not null primary key, t varchar(50) collate utf8mb4_bin, b blob, u bigint unsigned, f double, d decimal(12,3), e text collate utf8mb4_bin
);\n`;

interface Shape {
  doubled: boolean;
  hex: boolean;
  introduced: boolean;
  blank: string;
}

function written(value: Field, { doubled, hex, introduced }: Shape): Buffer {
  if (value === null) return Buffer.from('NULL');
  if (typeof value === 'string') return quoted(Buffer.from(value), doubled);
  if (!(value instanceof Uint8Array)) return Buffer.from(String(value));
  if (hex && value.length > 0) return Buffer.from(`0x${Buffer.from(value).toString('hex').toUpperCase()}`);
  return Buffer.concat([Buffer.from(introduced ? '_binary ' : ''), quoted(value, doubled)]);
}

const field = <T extends Field>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { freq: 6 });
const anyText = fc.string({ unit: 'binary', maxLength: 12 });
const decimal = fc.bigInt(-999_999_999_999n, 999_999_999_999n).map((n) => {
  const digits = String(n < 0n ? -n : n).padStart(4, '0');
  return { text: `${n < 0n ? '-' : ''}${digits.slice(0, -3)}.${digits.slice(-3)}` };
});
const row = fc.tuple(
  field(anyText),
  field(fc.uint8Array({ maxLength: 20 })),
  field(fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(0n, 999n))),
  field(fc.double({ noNaN: true, noDefaultInfinity: true })),
  field(decimal.map(({ text }) => text)),
  field(anyText),
);
const shape: fc.Arbitrary<Shape> = fc.record({
  doubled: fc.boolean(),
  hex: fc.boolean(),
  introduced: fc.boolean(),
  blank: fc.constantFrom('', ' ', '\n', '/* ),( */', '-- it\'s\n', '\t# "\n'),
});

/** A decimal is written without quotes; a `-` before a number is no comment, which `--` and a blank would be. */
function tuple(id: number, fields: readonly Field[], how: Shape): Buffer {
  const texts = fields.map((value, i) => (i === 4 && value !== null ? Buffer.from(String(value)) : written(value, how)));
  const blank = Buffer.from(how.blank);
  const parts = [Buffer.from(String(id)), ...texts].flatMap((text, i) => [Buffer.from(i === 0 ? '(' : ','), blank, text, blank]);
  return Buffer.concat([...parts, Buffer.from(')')]);
}

/** How SQLite keeps a field of each column; see storage.ts. */
function kept(value: Field, column: number): Field {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (column === 3 && typeof value === 'number') return value + 0;
  if (column === 4 && typeof value === 'string') return /^-0\.0*$/.test(value) ? '0.000' : value;
  return value;
}

/** What came back, in the same form: binary text as bytes, wide integers as such. */
function back(value: unknown, column: number): unknown {
  if (value === null) return null;
  if (column === 1) return Buffer.from(value as string);
  return column === 2 ? BigInt(value as string) : value;
}

it('rows come back as they were, whatever their bytes and the pieces they arrive in', async () => {
  const { load, rows } = await emptyKeyspace();
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 8 }), shape, fc.integer({ min: 1, max: 200 }), async (all, how, size) => {
      const tuples = all.flatMap((fields, i) => [Buffer.from(i === 0 ? '' : ','), tuple(i + 1, fields, how)]);
      const head = Buffer.from(`drop table if exists r;\n${CREATE}INSERT INTO \`r\` VALUES `);
      await load(Buffer.concat([head, ...tuples, Buffer.from(';\n')]), size);
      const found = rows('r').map((one) => one.slice(1).map(back));
      expect(found).toEqual(all.map((fields) => fields.map(kept)));
    }),
    { numRuns: 80 },
  );
});
