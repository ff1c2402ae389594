import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TABLET_TYPES } from '../../src/lib/names.ts';
import { checkRules } from '../../src/topo/rules-check.ts';

const vschemas = new Map([
  ['plain', {}],
  ['cut', { sharded: true, tables: { t: {} } }],
]);
const kinds = (...rules: Parameters<typeof checkRules>[0]['rules'] & object): string[] =>
  checkRules({ rules }, vschemas).map((mistake) => mistake.kind);
const suffix = fc.constantFrom('', ...TABLET_TYPES.map((type) => `@${type.name.toLowerCase()}`));
const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/);

describe('checking routing rules', () => {
  it('passes every rule that a query can meet', () => {
    const from = fc.tuple(fc.option(name), name, suffix).map(([ks, table, type]) => `${ks === null ? '' : `${ks}.`}${table}${type}`);
    const to: fc.Arbitrary<string[]> = fc.oneof(name.map((table) => [`plain.${table}`]), fc.constantFrom<string[]>(['cut.t'], []));
    const rules = fc.uniqueArray(fc.record({ from_table: from, to_tables: to }), { selector: (rule) => rule.from_table });
    fc.assert(fc.property(rules, (list) => void expect(kinds(...list)).toEqual([])));
  });

  it('reports each wrong rule once, in order', () => {
    expect(
      kinds(
        { from_table: 'a', to_tables: ['gone.a'] },
        { from_table: 'a', to_tables: ['plain.a', 'plain.b'] },
        { from_table: 'b', to_tables: ['plain.a', 'plain.b'] },
        { from_table: 'c', to_tables: ['cut.c'] },
        { from_table: 'd@', to_tables: ['plain.d'] },
        { from_table: '.e', to_tables: ['plain.e'] },
        { from_table: 'f', to_tables: ['.f'] },
        { from_table: 'g', to_tables: ['plain.g'] },
      ),
    ).toEqual(['unknown-keyspace', 'duplicate', 'many-targets', 'unknown-table', 'malformed', 'malformed', 'malformed']);
  });

  it('finds nothing wrong with no rules', () => {
    expect(checkRules({}, new Map())).toEqual([]);
  });
});
