import { errorText, UserError } from '../../lib/errors.ts';
import type { DdlStatement, TableRef } from '../../sql/ast.ts';
import { fileError } from '../../sql/dump/cursor.ts';
import type { ScriptStatement } from '../../sql/dump/statements.ts';
import { checkFunction } from '../../sql/functions.ts';
import { parseStatement } from '../../sql/parser.ts';
import { parseExpression } from '../../sql/parser-expr.ts';
import { isAggregate, someExpr } from '../../sql/walk.ts';
import { utf8 } from '../../sql/value.ts';

/** A construct of DDL that is not kept, and the line it stands on. */
export interface LeftOutPart {
  construct: string;
  line: number;
}

/** A parsed statement about tables, with what of it is not kept. */
export interface Definition {
  statement: DdlStatement;
  leftOut: LeftOutPart[];
}

/** The line of a place in a statement's text. */
function lineIn({ text, line }: ScriptStatement, at: number): number {
  return line + text.slice(0, at).split('\n').length - 1;
}

/** Parses a statement about tables. Throws UserError with the line of what is wrong. */
export function parseDefinition(file: string, source: ScriptStatement): Definition {
  const leftOut: LeftOutPart[] = [];
  const statement = located(file, source, () =>
    parseStatement(source.text, (construct, at) => leftOut.push({ construct, line: lineIn(source, at) })),
  );
  checkExpressions(file, source, statement as DdlStatement);
  return { statement: statement as DdlStatement, leftOut };
}

/** Runs something about a statement; its errors become those of the file, with the line where the text says a position. */
export function located<T>(file: string, source: ScriptStatement, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw locate(file, source, error);
  }
}

/** An error about a statement, with its file and line. Errors that have them already are passed on. */
export function locate(file: string, source: ScriptStatement, error: unknown): unknown {
  if (error instanceof UserError && error.message.startsWith(`${file}:`)) return error;
  const text = errorText(error);
  const position = /^syntax error at position (\d+)/.exec(text)?.[1];
  if (position === undefined) return fileError(file, source.line, text, NEXT, error);
  // Positions count bytes and point behind the token.
  const before = Buffer.from(utf8(source.text)).toString('utf8', 0, Math.max(0, Number(position) - 1));
  const near = text.replace(/^syntax error at position \d+/, 'syntax error');
  return fileError(file, lineIn(source, before.length), near, NEXT, error);
}

const NEXT = 'correct the statement, or leave it out of the file';

/** The tables that a statement names. */
export function tablesNamed(statement: DdlStatement): TableRef[] {
  switch (statement.kind) {
    case 'drop-table':
      return statement.tables;
    case 'rename-table':
      return statement.renames.flatMap(({ from, to }) => [from, to]);
    default:
      return [statement.table];
  }
}

/** Generated columns must be worked out for each row: what they say is looked at before there is one. */
function checkExpressions(file: string, source: ScriptStatement, statement: DdlStatement): void {
  if (statement.kind !== 'create-table') return;
  for (const { column } of statement.columns) {
    if (column.generated === undefined) continue;
    try {
      checkExpression(column.generated.expression);
    } catch (error) {
      const at = Math.max(0, source.text.indexOf(`\`${column.name}\``));
      const next = `make ${column.name} a plain column and give its values, or leave it out`;
      throw fileError(file, lineIn(source, at), `the generated column ${column.name}: ${errorText(error)}`, next, error);
    }
  }
}

function checkExpression(text: string): void {
  someExpr(parseExpression(text), (inner) => {
    if (inner.kind === 'call' && !isAggregate(inner)) checkFunction(inner.name, inner.args.length);
    return false;
  });
}
