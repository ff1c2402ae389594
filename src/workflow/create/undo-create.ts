import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { deleteWorkflowStreams } from '../../tablet/vreplication/streams.ts';
import { lockKeyspace } from '../../topo/locks.ts';
import { updateDeniedTables } from '../../topo/denied-tables.ts';
import { updateShardFields } from '../../topo/keyspaces.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import { getVSchema, rebuildSrvVSchema, saveVSchema } from '../../topo/vschema.ts';
import { refreshOrFail } from '../denied.ts';
import { isMoveUnderWay } from '../partial-moves.ts';
import { deleteTenantRows, isSharedTable } from '../tenant-rows.ts';
import { restoreRules, type RulesBefore } from './initial-rules.ts';
import { kindAsked, type Member, type MoveTablesRequest } from './request.ts';
import type { CreatedTables } from './tables.ts';

/** What a create has made so far, and how to take it back: `hardened` leaves nothing of one that failed. */
export class CreateUndo {
  readonly #cluster: Cluster;
  readonly #request: MoveTablesRequest;
  readonly #tables: readonly string[];
  readonly #rules: RulesBefore;
  vschema: VSchemaKeyspace | undefined;
  made: CreatedTables = [];
  /** Set once streams may be there. */
  targets: readonly Member[] = [];

  constructor(cluster: Cluster, request: MoveTablesRequest, tables: readonly string[], rules: RulesBefore) {
    this.#cluster = cluster;
    this.#request = request;
    this.#tables = tables;
    this.#rules = rules;
  }

  /** Takes everything back, under the target's lock. */
  async run(ctx: Context): Promise<void> {
    const { topo, world } = this.#cluster;
    const { targetKeyspace, workflow } = this.#request;
    if (this.vschema === undefined) return;
    const locked = await lockKeyspace(ctx, topo, targetKeyspace, 'MoveTablesCreate');
    try {
      for (const { db } of this.targets) await db.db.write(world.clock, () => void deleteWorkflowStreams(db, workflow));
      const kept = await this.#dropTables(locked.ctx);
      const kind = kindAsked(this.#request);
      if (this.targets.length > 0 && kind === 'tables') await this.#freeTargets(locked.ctx);
      // Other shards of the same move go by the same rules.
      const needed = kind === 'partial' && (await isMoveUnderWay(ctx, this.#cluster, this.#request, workflow));
      if (!needed) await restoreRules(locked.ctx, this.#cluster, targetKeyspace, this.#rules);
      if (kept.length === 0) await saveVSchema(locked.ctx, topo, targetKeyspace, this.vschema, null);
      else await this.#forgetBut(locked.ctx, kept);
      await rebuildSrvVSchema(locked.ctx, topo);
    } finally {
      await locked.unlock('taken back');
    }
  }

  /** Drops what the create made. Returns what stays, since streams of others write to it by now: of that only the tenant's rows go. */
  async #dropTables(ctx: Context): Promise<string[]> {
    const kept = new Set<string>();
    if (kindAsked(this.#request) === 'multi-tenant') await deleteTenantRows(ctx, this.#cluster, this.#request, this.targets, this.#tables);
    for (const { target, tables } of this.made) {
      const dropped = tables.filter((table) => !isSharedTable(target.db, table));
      for (const table of tables) if (!dropped.includes(table)) kept.add(table);
      await target.db.db.write(this.#cluster.world.clock, () => {
        for (const table of dropped) target.db.dropTable(table);
      });
    }
    return [...kept];
  }

  /** Takes those tables out of the VSchema that this create brought, and nobody uses. */
  async #forgetBut(ctx: Context, kept: readonly string[]): Promise<void> {
    const { topo } = this.#cluster;
    const { targetKeyspace } = this.#request;
    const { record, version } = await getVSchema(ctx, topo, targetKeyspace);
    const before = this.vschema?.tables ?? {};
    const tables = Object.entries(record.tables ?? {}).filter(([table]) => before[table] !== undefined || kept.includes(table) || !this.#tables.includes(table));
    await saveVSchema(ctx, topo, targetKeyspace, { ...record, tables: Object.fromEntries(tables) }, version);
  }

  async #freeTargets(ctx: Context): Promise<void> {
    const { topo } = this.#cluster;
    for (const { info } of this.targets) {
      await updateShardFields(ctx, topo, info.keyspace, info.name, async (record) => {
        await updateDeniedTables(ctx, topo, info, record, { tabletType: 'PRIMARY', tables: this.#tables, remove: true });
        return true;
      });
      await refreshOrFail(ctx, this.#cluster, info, 'target');
    }
  }
}
