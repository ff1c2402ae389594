/**
 * Comparing and ordering texts that stand for numbers: DECIMAL and TIME. Within a column all have the same number of
 * fractional digits, so a longer one is larger in magnitude and equally long ones compare as text.
 */
import type { ComparisonOp } from './ast.ts';
import { type Decimal, decimalText, rescale } from './decimal.ts';
import { bound, type Fragment, joinSql, sqlOf } from './fragment.ts';
import { columnFamily } from './schema.ts';
import { isNocase } from './schema-sqlite.ts';
import type { SqlText } from './value.ts';

/** Signed length: orders texts of different magnitude. */
function lengthKey(text: SqlText): SqlText {
  return sqlOf`CASE WHEN substr(${text}, 1, 1) = '-' THEN -length(${text}) ELSE length(${text}) END`;
}

/** `column op value` for two such texts; `value` has the column's number of fractional digits. */
export function compareNumberTexts(column: SqlText, op: '<' | '<=' | '>' | '>=', value: string): SqlText {
  const negative = value.startsWith('-');
  const key = bound(BigInt(negative ? -value.length : value.length));
  const strict = op.startsWith('<') ? '<' : '>';
  // Among negative texts of one length the order is turned round.
  const turned = negative ? (op.startsWith('<') ? op.replace('<', '>') : op.replace('>', '<')) : op;
  const own = lengthKey(column);
  return sqlOf`(${own} ${strict} ${key} OR (${own} = ${key} AND ${column} ${turned} ${bound(value)}))`;
}

/** `column op value` for a DECIMAL column with this many fractional digits, exact for any value. */
export function compareDecimal(column: SqlText, scale: number, op: ComparisonOp, value: Decimal): SqlText {
  const near = rescale(value, scale);
  const offset = rescale(near, Math.max(scale, value.scale)).digits - rescale(value, Math.max(scale, value.scale)).digits;
  const exact = offset === 0n;
  if (op === '=' || op === '!=' || op === '<=>') {
    const sign = op === '=' ? '=' : op === '!=' ? '<>' : 'IS';
    // No stored text is empty: a value between two of the column's is equal to none.
    return sqlOf`${column} ${sign} ${bound(exact ? decimalText(near) : '')}`;
  }
  const floor = offset > 0n ? { digits: near.digits - 1n, scale } : near;
  const between = exact ? op : op.startsWith('<') ? '<=' : '>';
  return compareNumberTexts(column, between, decimalText(floor));
}

/** The position of an ENUM's value among its members, or the bits of a SET's: what MySQL orders them by. */
export function memberNumber(fragment: Fragment): SqlText {
  const members = fragment.column?.type.args ?? [];
  if (fragment.column?.type.name === 'enum') {
    const whens = members.map((member, i) => sqlOf`WHEN ${bound(member)} THEN ${String(i + 1)}`);
    return sqlOf`CASE ${fragment} ${joinSql(whens, ' ')} ELSE 0 END`;
  }
  const bits = members.map((member, i) => {
    const found = sqlOf`instr(',' || ${fragment} || ',', ${bound(`,${member},`)}) > 0`;
    return sqlOf`(${found}) * ${String(2n ** BigInt(i))}`;
  });
  return sqlOf`(${joinSql(bits, ' + ')})`;
}

/** The terms of ORDER BY that order a fragment as MySQL does; NULL comes first ascending in both. */
export function orderTerms(fragment: Fragment, descending: boolean): SqlText[] {
  const [along, against] = descending ? [' DESC', ''] : ['', ' DESC'];
  const family = fragment.column === undefined ? undefined : columnFamily(fragment.column.type);
  if (family === 'enum' || family === 'set') {
    // An ENUM's NULL has no number: its CASE would give 0.
    return [sqlOf`CASE WHEN ${fragment} IS NOT NULL THEN ${memberNumber(fragment)} END${along}`];
  }
  if (family === 'decimal' || family === 'time') {
    const negative = sqlOf`substr(${fragment}, 1, 1) = '-'`;
    return [
      sqlOf`${lengthKey(fragment)}${along}`,
      sqlOf`CASE WHEN NOT ${negative} THEN ${fragment} END${along}`,
      sqlOf`CASE WHEN ${negative} THEN ${fragment} END${against}`,
    ];
  }
  if (fragment.type === 'decimal') return [sqlOf`CAST(${fragment} AS REAL)${along}`];
  const nocase = fragment.column === undefined ? fragment.type === 'text' : isNocase(fragment.column);
  return [sqlOf`${fragment}${nocase ? ' COLLATE NOCASE' : ''}${along}`];
}
