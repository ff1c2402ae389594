import { plainError } from '../../lib/errors.ts';
import { formatKeyRange } from '../../lib/key-range.ts';
import type { StepScope } from '../../runtime/step.ts';
import type { Expr } from '../../sql/ast.ts';
import { formatName, quoteName } from '../../sql/format-expr.ts';
import { epochSeconds } from '../../tablet/cluster.ts';
import { callTablet, writeTablet } from '../../tablet/manager.ts';
import { requirePrivileges } from '../../tablet/privileges.ts';
import { deleteWorkflowStreams, insertStream, type NewStream, UNLIMITED } from '../../tablet/vreplication/streams.ts';
import { shardText } from '../../topo/keyspaces.ts';
import { keyRangeFromProto } from '../../topo/proto/key-range.ts';
import { BinlogSource } from '../../topo/proto/messages-binlogdata.ts';
import { prototext } from '../../topo/proto/prototext.ts';
import type { BinlogSource as Source, Rule } from '../../topo/proto/types-workflow.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import { getVSchema } from '../../topo/vschema.ts';
import { forAll } from '../fan-out.ts';
import { addTenantFilter, tenantPredicate } from '../tenant.ts';
import type { MigrationSource, MigrationTarget } from '../switcher.ts';
import type { SwitchRun } from './run.ts';

/**
 * Creates the reverse workflow, stopped, at the positions where the targets stand: one stream for each forward
 * one. Rows of that name that are there already are replaced; for a reverse run these are the frozen originals
 * (#14276). Vitess: trafficSwitcher.createReverseVReplication.
 */
export async function createReverse(run: SwitchRun, scope: StepScope): Promise<void> {
  const { cluster, sw, ctx } = run;
  const { record: vschema } = await getVSchema(ctx, cluster.topo, sw.sourceKeyspace);
  const tenant = sw.kind === 'multi-tenant' ? await readTenant(run) : undefined;
  await forAll(sw.sources, (source) =>
    scope.onTarget(shardText(source.info), async () => {
      // What a table lacks is found here, and not by the tablet.
      const rows = sw.targets.flatMap((target) => reverseRows(run, source, target, vschema, tenant));
      return callTablet(ctx, cluster, source.primary, 'VReplicationExec', async () => {
        // In the order of its statements: rows of that name go, new ones come, and get cells and tablet types.
        requirePrivileges(source.db, ['SELECT', 'DELETE', 'INSERT', 'UPDATE']);
        const at = epochSeconds(cluster);
        await writeTablet(ctx, cluster, source.db, () => {
          deleteWorkflowStreams(source.db, sw.reverseWorkflow);
          for (const row of rows) insertStream(source.db, row, at);
        });
      });
    }),
  );
}

function reverseRows(
  run: SwitchRun,
  source: MigrationSource,
  target: MigrationTarget,
  vschema: VSchemaKeyspace,
  tenant: Expr | undefined,
): NewStream[] {
  const { sw, cluster } = run;
  return target.streams
    .filter((stream) => stream.source.shard === source.info.name)
    .map(({ row, source: forward }) => {
      const back: Source = {
        keyspace: sw.targetKeyspace,
        shard: target.info.name,
        filter: { rules: (forward.filter?.rules ?? []).map((rule) => withTenant(reverseRule(run, source, rule, vschema), tenant)) },
      };
      if (forward.on_ddl !== undefined) back.on_ddl = forward.on_ddl;
      if (forward.target_time_zone !== undefined) back.source_time_zone = forward.target_time_zone;
      if (forward.source_time_zone !== undefined) back.target_time_zone = forward.source_time_zone;
      return {
        workflow: sw.reverseWorkflow,
        source: prototext(BinlogSource, back),
        pos: target.position,
        state: 'Stopped' as const,
        db_name: source.db.dbName,
        time_updated: epochSeconds(cluster),
        max_tps: UNLIMITED,
        max_replication_lag: UNLIMITED,
        cell: reverseCells(row.cell ?? '', source, target),
        tablet_types: row.tablet_types,
        options: row.options,
        workflow_type: row.workflow_type,
        workflow_sub_type: row.workflow_sub_type,
      };
    });
}

/** Where the forward stream named the target's cell but not the source's, the reverse one names the source's. */
function reverseCells(cells: string, source: MigrationSource, target: MigrationTarget): string {
  const [from, to] = [source.primary.alias?.cell ?? '', target.primary.alias?.cell ?? ''];
  const names = cells.split(',');
  if (!names.includes(to) || names.includes(from)) return cells;
  return names.map((name, index) => (index === names.indexOf(to) ? from : name)).join(',');
}

/** The condition of the tenant: what others write to the target is not for this source. */
async function readTenant({ cluster, sw, ctx }: SwitchRun): Promise<Expr> {
  const { record } = await getVSchema(ctx, cluster.topo, sw.targetKeyspace);
  return tenantPredicate(sw.options.tenant_id ?? '', record, !cluster.release.vitess);
}

function withTenant(rule: Rule, tenant: Expr | undefined): Rule {
  if (tenant === undefined || rule.filter === 'exclude' || rule.match.startsWith('/')) return rule;
  return { ...rule, filter: addTenantFilter(rule.filter ?? '', tenant) };
}

function reverseRule(run: SwitchRun, source: MigrationSource, rule: Rule, vschema: VSchemaKeyspace): Rule {
  if (rule.filter === 'exclude') return rule;
  if (rule.match.startsWith('/')) return vschema.sharded === true ? { match: rule.match, filter: rangeText(source) } : { match: rule.match };
  const all = `select * from ${quoteName(rule.match)}`;
  if (vschema.sharded !== true) return { match: rule.match, filter: all };
  const table = vschema.tables?.[rule.match];
  if (table === undefined) throw plainError(`table ${rule.match} not found in vschema`);
  if (table.type === 'reference') return { match: rule.match, filter: all };
  const primary = table.column_vindexes?.[0];
  if (primary === undefined) {
    throw plainError(`no primary vindex found for the ${rule.match} table in the ${run.sw.sourceKeyspace} keyspace`);
  }
  const column = primary.column ?? primary.columns?.[0] ?? '';
  const where = `in_keyrange(${formatName(column)}, '${run.sw.sourceKeyspace}.${primary.name}', '${rangeText(source)}')`;
  return { match: rule.match, filter: `${all} where ${where}` };
}

function rangeText(source: MigrationSource): string {
  return formatKeyRange(keyRangeFromProto(source.info.record.key_range));
}
