import { UserError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { refuseUnknownHandling } from '../../workflow/create/auto-increment.ts';
import { createMoveTables } from '../../workflow/create/move-tables.ts';
import type { MoveTablesRequest } from '../../workflow/create/request.ts';
import { withCluster } from '../cluster.ts';
import { cellsOf, checkCreateOptions, configOverrides, deferSecondaryKeysOf, onDdlOf, refuseBadConfig } from '../create-options.ts';
import { refuseLaterFlag } from '../later-flags.ts';
import { refuseUnknownCells, refuseUnknownShards } from '../places.ts';
import { outputFormat } from '../flags.ts';
import type { Invocation } from '../spec.ts';
import { printStatus } from '../status-output.ts';

/** Of AUTO_INCREMENT_HANDLING; here, since a check before the start loads no engine. */
const AUTO_INCREMENT = ['LEAVE', 'REMOVE', 'REPLACE'];

const NO_GLOBAL_KEYSPACE =
  'WARNING: no global-keyspace value provided so all sequence table references not fully qualified must be created manually before switching traffic';

/** vtctldclient's own checks, in its order. They come before the one for required flags. */
export function validate(inv: Invocation): void {
  const { flags } = inv;
  if (!flags.given('tables') && !flags.given('all-tables')) {
    throw new UserError('tables or all-tables are required to specify which tables to move');
  }
  checkCreateOptions(inv);
  if (flags.bool('atomic-copy')) {
    const wrong = [
      ...(flags.bool('all-tables') ? [] : ['atomic copy requires --all-tables']),
      ...(flags.given('tables') ? ['atomic copy does not support specifying tables'] : []),
    ];
    if (wrong.length > 0) throw new UserError(`found options incompatible with atomic copy: ${wrong.join(', ')}`);
  }
  const tenant = flags.str('tenant-id') !== '';
  if (flags.given('shards') && !tenant) {
    throw new UserError(
      '--shards specified, but not --tenant-id: you can only specify target shards for multi-tenant migrations',
    );
  }
  if (tenant && flags.given('source-shards')) {
    throw new UserError(
      'cannot specify both --tenant-id (i.e. a multi-tenant migration) and --source-shards (i.e. a shard-by-shard migration)',
    );
  }
  if (!AUTO_INCREMENT.includes(flags.str('sharded-auto-increment-handling').toUpperCase())) {
    throw new UserError(`invalid value provided for --sharded-auto-increment-handling, valid values are: ${AUTO_INCREMENT.join(',')}`);
  }
}

/** Creates the workflow and prints its status, as `status` does. */
export async function run(inv: Invocation): Promise<number> {
  const { flags } = inv;
  const format = outputFormat(inv);
  const handling = flags.str('sharded-auto-increment-handling').toUpperCase();
  const config = configOverrides(inv);
  return withCluster(inv, { history: true }, async (scope) => {
    const { ctx, cluster } = scope;
    refuseLaterFlag(inv, 'config-overrides', cluster.release.behaviours.configOverrides);
    refuseBadConfig(cluster, config);
    const cells = await cellsOf(inv, scope);
    await refuseUnknownCells(ctx, cluster, cells);
    const sequences = { shardedAutoIncrement: AUTO_INCREMENT.indexOf(handling), globalKeyspace: flags.str('global-keyspace') };
    refuseUnknownHandling(cluster, sequences, flags.given('sharded-auto-increment-handling'));
    if (handling === 'REPLACE' && sequences.globalKeyspace === '') {
      // vtctldclient prints it before anything else; a JSON document stands alone here.
      (format === 'json' ? inv.io.stderr : inv.io.stdout).write(`${NO_GLOBAL_KEYSPACE}\n`);
    }
    const status = await createMoveTables(ctx, cluster, {
      workflow: flags.str('workflow'),
      sourceKeyspace: flags.str('source-keyspace'),
      targetKeyspace: flags.str('target-keyspace'),
      tables: flags.strings('tables'),
      allTables: flags.bool('all-tables'),
      excludeTables: flags.strings('exclude-tables'),
      cells,
      tabletTypes: flags.tabletTypes('tablet-types'),
      inOrder: flags.bool('tablet-types-in-preference-order'),
      onDdl: onDdlOf(inv),
      deferSecondaryKeys: deferSecondaryKeysOf(inv, cluster),
      autoStart: flags.bool('auto-start'),
      stopAfterCopy: flags.bool('stop-after-copy'),
      noRoutingRules: flags.bool('no-routing-rules'),
      atomicCopy: flags.bool('atomic-copy'),
      sourceTimeZone: flags.str('source-time-zone'),
      config,
      ...sequences,
      ...(await partOf(inv, ctx, cluster)),
    });
    printStatus(inv, status, format);
    return 0;
  });
}

/** What of the source moves, where that is not all of it. */
async function partOf(inv: Invocation, ctx: Context, cluster: Cluster): Promise<Pick<MoveTablesRequest, 'sourceShards' | 'tenantId' | 'shards'>> {
  const { flags } = inv;
  for (const flag of ['tenant-id', 'shards']) refuseLaterFlag(inv, flag, cluster.release.behaviours.tenantMoves);
  const [sourceShards, shards] = [flags.strings('source-shards'), flags.strings('shards')];
  await refuseUnknownShards(ctx, cluster, flags.str('source-keyspace'), sourceShards);
  await refuseUnknownShards(ctx, cluster, flags.str('target-keyspace'), shards);
  return { sourceShards, tenantId: flags.str('tenant-id'), shards };
}
