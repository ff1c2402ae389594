/** A table's options: ENGINE, charset and the rest, in the form and order of SHOW CREATE TABLE. */
import type { TableOption } from './ast.ts';
import { parseTableOptions } from './parser-key.ts';
import { formatOptions } from './rewrite-ddl.ts';
import type { TableDef } from './schema.ts';
import { TokenReader } from './tokens.ts';

const DEFAULT_COLLATIONS: Record<string, string> = {
  utf8mb4: 'utf8mb4_0900_ai_ci',
  utf8mb3: 'utf8mb3_general_ci',
  latin1: 'latin1_swedish_ci',
  ascii: 'ascii_general_ci',
  binary: 'binary',
};
const ORDER = ['ENGINE', 'AUTO_INCREMENT', 'CHARSET', 'COLLATE'];
const ENGINES: Record<string, string> = { innodb: 'InnoDB', myisam: 'MyISAM', memory: 'MEMORY' };

/** MySQL 8 calls `utf8` by its full name. */
function fullName(charset: string): string {
  return charset.replace(/^utf8(?=_|$)/, 'utf8mb3');
}

/** The collation a charset has unless told otherwise. */
export function defaultCollation(charset: string): string {
  return DEFAULT_COLLATIONS[charset] ?? `${charset}_general_ci`;
}

/** The options as a map; the last of a name wins. */
function mapOf(options: readonly TableOption[]): Map<string, string> {
  return new Map(options.map(({ name, value }) => [name, value]));
}

/** The charset and collation that options give a table. */
export function tableCollation(options: readonly TableOption[]): { charset: string; collation: string } {
  const map = mapOf(options);
  const collation = map.get('COLLATE');
  const charset = fullName(map.get('CHARSET') ?? collation?.split('_')[0] ?? 'utf8mb4');
  return { charset, collation: collation === undefined ? defaultCollation(charset) : fullName(collation) };
}

/** The options in MySQL's order, with the engine and charset that it fills in. */
export function canonicalOptions(options: readonly TableOption[]): string {
  const map = mapOf(options);
  const { charset, collation } = tableCollation(options);
  const engine = map.get('ENGINE') ?? 'InnoDB';
  map.set('ENGINE', ENGINES[engine.toLowerCase()] ?? engine);
  map.set('CHARSET', charset);
  map.delete('COLLATE');
  if (charset === 'utf8mb4' || collation !== defaultCollation(charset)) map.set('COLLATE', collation);
  const rank = (name: string): number => (ORDER.includes(name) ? ORDER.indexOf(name) : name === 'COMMENT' ? 9 : 8);
  const sorted = [...map].map(([name, value]) => ({ name, value })).toSorted((a, b) => rank(a.name) - rank(b.name));
  return formatOptions(sorted);
}

/** A table's options as a list again. */
export function optionsOf(def: TableDef): TableOption[] {
  return parseTableOptions(new TokenReader(def.options), true);
}

/** The first id AUTO_INCREMENT gives, when the table's options say. */
export function firstAutoIncrement(def: TableDef): bigint | undefined {
  const value = mapOf(optionsOf(def)).get('AUTO_INCREMENT');
  return value !== undefined && /^\d+$/.test(value) ? BigInt(value) : undefined;
}
