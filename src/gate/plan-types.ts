import type { Statement } from '../sql/ast.ts';
import type { QueryResult } from '../tablet/query/request.ts';
import type { Place } from './query-scope.ts';

/** A statement for one shard. */
export interface Piece {
  place: Place;
  statement: Statement;
}

/** A statement split by shard, and how its answers become one. */
export interface Plan {
  pieces: Piece[];
  merge: (results: readonly QueryResult[]) => QueryResult;
}

/** Counts added up; the id is that of the first part that made one. */
export function mergeWrites(results: readonly QueryResult[]): QueryResult {
  const rowsAffected = results.reduce((sum, result) => sum + result.rowsAffected, 0);
  const insertId = results.find((result) => result.insertId !== undefined)?.insertId;
  return { columns: [], rows: [], rowsAffected, ...(insertId === undefined ? {} : { insertId }) };
}
