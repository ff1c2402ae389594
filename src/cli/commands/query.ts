import { formatDuration } from '../../lib/duration.ts';
import { UserError } from '../../lib/errors.ts';
import { formatBoxedTable } from '../../lib/table.ts';
import { withTimeout } from '../../runtime/context.ts';
import { Gate } from '../../gate/gate.ts';
import type { Value } from '../../sql/value.ts';
import type { QueryResult } from '../../tablet/query/request.ts';
import { withCluster } from '../cluster.ts';
import { outputFormat } from '../flags.ts';
import { gateOptions } from '../gate-options.ts';
import type { Invocation } from '../spec.ts';

/** Runs one statement through the gate, as an application's would go through vtgate. */
export async function run(inv: Invocation): Promise<number> {
  const { flags } = inv;
  const format = outputFormat(inv);
  const session = flags.str('session');
  if (flags.given('session') && !/^[\w.-]{1,64}$/.test(session)) {
    throw new UserError(`bad session name "${session}"`, { next: 'use letters, digits, dot, dash and underscore', exit: 2 });
  }
  const timeout = flags.duration('timeout');
  if (timeout <= 0) throw new UserError(`--timeout ${formatDuration(timeout)} leaves no time`, { exit: 2 });
  return withCluster(inv, {}, async ({ ctx, cluster }) => {
    const gate = new Gate(cluster, await gateOptions(ctx, cluster, inv));
    const limited = withTimeout(ctx, cluster.world.clock, timeout);
    try {
      const result = await gate.run(limited.ctx, {
        sql: inv.args[0]!,
        ...(session === '' ? {} : { session }),
        ...(flags.str('target') === '' ? {} : { target: flags.str('target') }),
      });
      inv.io.stdout.write(format === 'json' ? `${JSON.stringify(toJson(result), null, 2)}\n` : toText(result));
      return 0;
    } finally {
      limited.end();
      await gate.close();
    }
  });
}

function toText(result: QueryResult): string {
  if (result.columns.length === 0) {
    const id = result.insertId === undefined || Number(result.insertId) === 0 ? '' : `, insert id ${result.insertId}`;
    return `ok, ${result.rowsAffected} row${result.rowsAffected === 1 ? '' : 's'} affected${id}\n`;
  }
  const rows = result.rows.map((row) => row.map(cellText));
  const count = `${rows.length} row${rows.length === 1 ? '' : 's'}`;
  return rows.length === 0 ? `${count}\n` : `${formatBoxedTable(result.columns, rows)}\n${count}\n`;
}

function cellText(value: Value): string {
  if (value === null) return 'NULL';
  return value instanceof Uint8Array ? `0x${Buffer.from(value).toString('hex')}` : String(value);
}

function toJson(result: QueryResult): object {
  const plain = (value: Value): unknown =>
    typeof value === 'bigint' ? String(value) : value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
  return {
    columns: result.columns,
    rows: result.rows.map((row) => row.map(plain)),
    rows_affected: result.rowsAffected,
    insert_id: String(result.insertId ?? 0),
  };
}
