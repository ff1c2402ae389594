import { plainError } from '../../lib/errors.ts';
import type { BinlogSource, Rule } from '../../topo/proto/types-workflow.ts';

/** The filter of a rule that leaves a table out. */
export const EXCLUDE = 'exclude';

/** `select * from T [where in_keyrange(COLUMNS, 'VINDEX', 'RANGE')]`: what nearly every rule is, read without the SQL parser. */
interface SimpleSelect {
  table: string;
  where: { columns: readonly string[]; vindex: string; range: string } | undefined;
}

/** A rule of a stream's filter. */
export interface ParsedRule {
  match: string;
  /** Set where `match` is `/a regular expression/`. */
  pattern: RegExp | undefined;
  /** A select, a key range, '' for all rows or `exclude`. */
  filter: string;
  simple: SimpleSelect | undefined;
}

/** A name in a rule, in back-ticks or bare: tables of other people's dumps are called `order details`. */
const NAME = /`(?:[^`]|``)+`|[^\s`,()]+/;
const SIMPLE = new RegExp(
  `^select \\* from (${NAME.source})(?: where in_keyrange\\(\\s*((?:(?:${NAME.source})\\s*,\\s*)+)'([^']+)'\\s*,\\s*'([^']*)'\\s*\\))?$`,
  'is',
);

/** Reads a rule. Throws for a match that is no regular expression. */
export function parseRule({ match, filter = '' }: Rule): ParsedRule {
  return { match, pattern: patternOf(match), filter, simple: parseSimple(filter) };
}

/** Those of some tables of the target that a stream writes: the first rule that matches a table counts. Vitess: MatchTable. */
export function tablesWritten(source: BinlogSource, tables: readonly string[]): string[] {
  const rules = (source.filter?.rules ?? []).map(parseRule);
  return tables.filter((table) => {
    const rule = rules.find(({ match, pattern }) => (pattern === undefined ? match === table : pattern.test(table)));
    return rule !== undefined && rule.filter !== EXCLUDE;
  });
}

/** Vitess takes every slash off both ends, and matches anywhere in the name. */
function patternOf(match: string): RegExp | undefined {
  if (!match.startsWith('/')) return undefined;
  const text = match.replace(/^\/+|\/+$/g, '');
  try {
    return new RegExp(text);
  } catch {
    throw plainError(`error parsing regexp: ${text}`);
  }
}

function parseSimple(filter: string): SimpleSelect | undefined {
  const [, table, columns, vindex, range] = SIMPLE.exec(filter) ?? [];
  if (table === undefined) return undefined;
  if (columns === undefined || vindex === undefined || range === undefined) return { table: unquoteName(table), where: undefined };
  const names = [...columns.matchAll(new RegExp(NAME, 'g'))].map(([name]) => unquoteName(name));
  return { table: unquoteName(table), where: { columns: names, vindex, range } };
}

/** A name without its back-ticks. */
function unquoteName(name: string): string {
  return name.startsWith('`') ? name.slice(1, -1).replaceAll('``', '`') : name;
}
