import { formatBoxedTable } from '../../lib/table.ts';
import { parseTabletAlias } from '../../lib/names.ts';
import type { Value } from '../../sql/value.ts';
import { callTablet } from '../../tablet/manager.ts';
import { type DirectResult, executeDirect } from '../../tablet/query/direct.ts';
import { fieldsOf } from '../../tablet/query/fields.ts';
import { goJson } from '../../topo/proto/encode.ts';
import { Field, Type } from '../../topo/proto/messages-query.ts';
import type { QueryField } from '../../topo/proto/types-workflow.ts';
import { aliasText, getTablet } from '../../topo/tablets.ts';
import { clientSide } from '../client-error.ts';
import { withCluster } from '../cluster.ts';
import type { Invocation } from '../spec.ts';

/** Runs one statement on a tablet's MySQL, past everything that stands before it. */
export function run(inv: Invocation): Promise<number> {
  const { flags, io } = inv;
  const alias = clientSide(() => parseTabletAlias(inv.args[0]!));
  const asDba = inv.path.at(-1) === 'ExecuteFetchAsDBA';
  const query = { sql: inv.args[1]!, maxRows: flags.int('max-rows'), binlog: !(asDba && flags.bool('disable-binlogs')) };
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    const tablet = await getTablet(ctx, cluster.topo, alias);
    const shard = cluster.shards.open(tablet.keyspace, tablet.shard);
    const found = await callTablet(ctx, cluster, tablet, asDba ? 'ExecuteFetchAsDba' : 'ExecuteFetchAsApp', () =>
      executeDirect(ctx, cluster, { alias: aliasText(alias), shard }, query),
    );
    io.stdout.write(flags.bool('json') ? `${resultJson(found)}\n` : resultTable(found));
    return 0;
  });
}

/** Vitess: go/cmd/vtctldclient/cli/query.go WriteQueryResultTable: nothing where there are no rows. */
function resultTable({ result }: DirectResult): string {
  if (result.rows.length === 0) return '';
  return `${formatBoxedTable(result.columns, result.rows.map((row) => row.map(plainText)))}\n`;
}

/** A value as MySQL sends it; NULL is nothing. */
function plainText(value: Value): string {
  if (value === null) return '';
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : String(value);
}

/** The session commits by itself: the one flag of the server's status that is always set. */
const AUTOCOMMIT = 2;

/** sqltypes.Result as Go's encoding/json writes it: every member, and of the fields those that are set. */
function resultJson({ result, statement, def, database }: DirectResult): string {
  const { columns, rows } = result;
  const reads = statement.kind === 'select';
  const fields = reads ? fieldsOf(result, statement, def, database) : columns.map((name): QueryField => ({ name, type: 'VARCHAR' }));
  const members = {
    fields: fields.length === 0 ? 'null' : goJson({ list: Field }, fields).replaceAll('\n', '\n  '),
    rows_affected: String(columns.length > 0 ? rows.length : result.rowsAffected),
    insert_id: String(result.insertId ?? 0),
    insert_id_changed: String(result.insertId !== undefined),
    rows: block('[]', rows.map((row) => block('[]', row.map((value, index) => valueJson(value, fields[index])), '    ')), '  '),
    session_state_changes: '""',
    status_flags: String(AUTOCOMMIT),
    info: '""',
  };
  return block('{}', Object.entries(members).map(([name, text]) => `"${name}": ${text}`), '');
}

/** Items in brackets, one on a line; `pad` is what the closing bracket stands behind. */
function block(brackets: '[]' | '{}', items: readonly string[], pad: string): string {
  if (items.length === 0) return brackets;
  return `${brackets[0]}\n${items.map((item) => `${pad}  ${item}`).join(',\n')}\n${pad}${brackets[1]}`;
}

/** Numbers stand bare, whatever their size; everything that MySQL would quote is a string. */
function valueJson(value: Value, field: QueryField | undefined): string {
  if (value === null) return 'null';
  const type = Type.numberIn(field?.type ?? 'VARCHAR');
  const isNumber = (type & INTEGRAL_OR_FLOAT) !== 0 || field?.type === 'DECIMAL';
  return isNumber && field?.type !== 'YEAR' ? plainText(value) : goString(plainText(value));
}

/** The bits of a type's number that say integral, and floating point. */
const INTEGRAL_OR_FLOAT = 256 | 1024;

function goString(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
