import { UserError } from '../lib/errors.ts';
import { goQuote } from '../lib/go-quote.ts';
import { parseQuery } from '../tablet/vreplication/rule-plan.ts';
import type { TableSettings } from '../workflow/create/materialize-request.ts';

const FIELDS = ['target_table', 'source_expression', 'create_ddl'] as const;

/**
 * Reads `--table-settings`. Throws UserError with vtctldclient's words for what it refuses.
 * Vitess: go/cmd/vtctldclient/command/vreplication/common/utils.go ParseTableMaterializeSettings.
 */
export function parseTableSettings(text: string): { settings: TableSettings[]; unknown: string[] } {
  const wrong = (reason: string): UserError => new UserError(`invalid argument ${goQuote(text)} for "--table-settings" flag: ${reason}`);
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw wrong('table-settings is not valid JSON');
  }
  if (!Array.isArray(given) || !given.every(isTextRecord)) throw wrong('table-settings is not valid JSON');
  if (given.length === 0) throw wrong('empty table-settings');
  const seen = new Set<string>();
  const settings = given.map((entry): TableSettings => {
    const { target_table = '', source_expression = '', create_ddl = '' } = entry;
    if (target_table === '' || source_expression === '') throw wrong('missing target_table or source_expression');
    const from = sourceTable(source_expression);
    if (from === undefined) throw wrong(`invalid source_expression: ${goQuote(source_expression)}`);
    if (seen.has(from)) throw wrong(`multiple source_expression queries use the same table: ${goQuote(from)}`);
    seen.add(from);
    return { target_table, source_expression, create_ddl };
  });
  const unknown = given.flatMap((entry) => Object.keys(entry).filter((name) => !(FIELDS as readonly string[]).includes(name)));
  return { settings, unknown: [...new Set(unknown)] };
}

function isTextRecord(entry: unknown): entry is Record<string, string> {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return false;
  return Object.values(entry).every((value) => typeof value === 'string');
}

/** The table that a select reads; undefined if it is no select of one. */
function sourceTable(expression: string): string | undefined {
  try {
    return parseQuery(expression).select.from?.name;
  } catch {
    return undefined;
  }
}
