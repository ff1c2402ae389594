import type { ColumnVindex, VSchemaKeyspace } from '../../topo/proto/types.ts';

/**
 * True unless rows of these tables are shared out alike in both keyspaces: then a row of a target shard may come from any source
 * shard. Of keyspaces that are not both sharded, or both not, it says no. Vitess: go/vt/vtctl/workflow/materializer.go primaryVindexesDiffer.
 */
export function primaryVindexesDiffer(source: VSchemaKeyspace, target: VSchemaKeyspace, tables: readonly string[]): boolean {
  if ((source.sharded === true) !== (target.sharded === true)) return false;
  return tables.some((table) => differs(source, target, table));
}

function differs(source: VSchemaKeyspace, target: VSchemaKeyspace, table: string): boolean {
  const [from] = source.tables?.[table]?.column_vindexes ?? [];
  const [to] = target.tables?.[table]?.column_vindexes ?? [];
  if (from === undefined || to === undefined) return true;
  const [here, there] = [columnsOf(from), columnsOf(to)];
  if (here.length !== there.length || here.some((column, index) => column !== there[index])) return true;
  return typeOf(source, from) !== typeOf(target, to);
}

function columnsOf({ column = '', columns = [] }: ColumnVindex): string[] {
  return (column === '' ? columns : [column]).map((name) => name.toLowerCase());
}

function typeOf(vschema: VSchemaKeyspace, { name }: ColumnVindex): string | undefined {
  return vschema.vindexes?.[name]?.type.toLowerCase();
}
