import { formatKeyRange, intersects } from '../../lib/key-range.ts';
import type { Context } from '../../runtime/context.ts';
import { NO_FAULTS, type StepScope } from '../../runtime/step.ts';
import { type Cluster, epochSeconds } from '../../tablet/cluster.ts';
import { callTablet, writeTablet } from '../../tablet/manager.ts';
import { EXCLUDE } from '../../tablet/vreplication/rule.ts';
import { checkConfig } from '../../tablet/vreplication/config.ts';
import { insertStream, type NewStream, readStreams, UNLIMITED, updateStream } from '../../tablet/vreplication/streams.ts';
import { shardText } from '../../topo/keyspaces.ts';
import { BinlogSource } from '../../topo/proto/messages-binlogdata.ts';
import { prototext } from '../../topo/proto/prototext.ts';
import type { BinlogSource as Source, Rule } from '../../topo/proto/types-workflow.ts';
import { aliasText } from '../../topo/tablets.ts';
import { forAll } from '../fan-out.ts';
import { WORKFLOW_TYPES } from '../switcher.ts';
import { rangeOf, within } from './reshard-checks.ts';
import type { Resharder } from './reshard-request.ts';
import type { Member } from './request.ts';

/** Every table but the reference tables, by key range; those have streams of their own. */
function rulesFor({ vschema }: Resharder, target: Member): Rule[] {
  const references = Object.entries(vschema.tables ?? {}).filter(([, table]) => table.type === 'reference');
  return [
    ...references.map(([match]) => ({ match, filter: EXCLUDE })).toSorted((a, b) => (a.match < b.match ? -1 : 1)),
    { match: '/.*', filter: formatKeyRange(rangeOf(target)) },
  ];
}

/**
 * Inserts, stopped, on each target a stream for each source shard whose range meets its own, and one for each reference stream
 * of the sources. Vitess: resharder.createStreams.
 */
export async function createReshardStreams(ctx: Context, cluster: Cluster, resharder: Resharder, scope: StepScope): Promise<void> {
  // Before they copy, which is when they take their positions.
  for (const source of resharder.sources) await source.db.expectReader(cluster.world.clock);
  await forAll(resharder.targets, async (target) => {
    const rows = [...ownRows(cluster, resharder, target), ...referenceRows(cluster, resharder, target)];
    await scope.onTarget(shardText(target.info), () =>
      within(`VReplicationExec(${aliasText(target.primary.alias)}, insert into _vt.vreplication)`, () =>
        callTablet(ctx, cluster, target.primary, 'VReplicationExec', () =>
          writeTablet(ctx, cluster, target.db, () => {
            checkConfig(resharder.request.config);
            for (const row of rows) insertStream(target.db, row, epochSeconds(cluster));
          }),
        ),
      ),
    );
  });
}

function ownRows(cluster: Cluster, resharder: Resharder, target: Member): NewStream[] {
  const { request, sources } = resharder;
  const rules = rulesFor(resharder, target);
  return sources
    .filter((source) => intersects(rangeOf(target), rangeOf(source)))
    .map((source) => {
      const binlog: Source = { keyspace: request.keyspace, shard: source.info.name, filter: { rules } };
      if (request.onDdl !== 'IGNORE') binlog.on_ddl = request.onDdl;
      if (request.stopAfterCopy) binlog.stop_after_copy = true;
      const types = request.tabletTypes.join(',');
      return {
        ...commonColumns(cluster, resharder, target),
        workflow: request.workflow,
        source: prototext(BinlogSource, binlog),
        cell: request.cells.join(','),
        tablet_types: request.inOrder ? `in_order:${types}` : types,
        workflow_type: WORKFLOW_TYPES.indexOf('Reshard'),
        workflow_sub_type: 0,
      };
    });
}

/** A copy of a source's reference stream, which begins anew. */
function referenceRows(cluster: Cluster, resharder: Resharder, target: Member): NewStream[] {
  return resharder.references.map((stream) => ({
    ...commonColumns(cluster, resharder, target),
    workflow: stream.workflow,
    source: stream.source,
    cell: stream.cell,
    tablet_types: stream.tabletTypes,
    workflow_type: stream.workflowType,
    workflow_sub_type: stream.workflowSubType,
  }));
}

function commonColumns(cluster: Cluster, { request }: Resharder, target: Member): Omit<NewStream, 'workflow' | 'source'> {
  const config = Object.keys(request.config).length === 0 ? {} : { config: request.config };
  return {
    pos: '',
    state: 'Stopped',
    db_name: target.db.dbName,
    max_tps: UNLIMITED,
    max_replication_lag: UNLIMITED,
    time_updated: epochSeconds(cluster),
    defer_secondary_keys: request.deferSecondaryKeys ? 1 : 0,
    options: JSON.stringify(config),
  };
}

/** Starts every stream of the targets: there are none but those that were just made. Vitess: resharder.startStreams. */
export async function startReshardStreams(ctx: Context, cluster: Cluster, { targets }: Pick<Resharder, 'targets'>, scope: StepScope = NO_FAULTS): Promise<void> {
  const start = (target: Resharder['targets'][number]): Promise<void> =>
    within(`UpdateVReplicationWorkflows(${aliasText(target.primary.alias)}, 'state='Running')`, () =>
      callTablet(ctx, cluster, target.primary, 'UpdateVReplicationWorkflows', () =>
        writeTablet(ctx, cluster, target.db, () => {
          for (const { id } of readStreams(target.db)) updateStream(target.db, id, { state: 'Running' }, epochSeconds(cluster));
        }),
      ),
    );
  await forAll(targets, (target) => scope.onTarget(shardText(target.info), () => start(target)));
}
