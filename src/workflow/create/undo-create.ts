import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { deleteWorkflowStreams } from '../../tablet/vreplication/streams.ts';
import { lockKeyspace } from '../../topo/locks.ts';
import { updateDeniedTables } from '../../topo/denied-tables.ts';
import { updateShardFields } from '../../topo/keyspaces.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import { changeRoutingRules, getRoutingRules, routingMap } from '../../topo/rules.ts';
import { rebuildSrvVSchema, saveVSchema } from '../../topo/vschema.ts';
import { refreshOrFail } from '../denied.ts';
import { ruleKeys } from '../switch/intent-images.ts';
import type { Member, MoveTablesRequest } from './request.ts';
import type { CreatedTables } from './tables.ts';

/** Rules as they were before a create; undefined where there was none. */
type RulesBefore = Map<string, readonly string[] | undefined>;

/** Reads the rules that a create is about to write. */
export async function ownRules(ctx: Context, cluster: Cluster, request: MoveTablesRequest, tables: readonly string[]): Promise<RulesBefore> {
  const rules = routingMap(await getRoutingRules(ctx, cluster.topo));
  return new Map(ruleKeys({ ...request, tables: [...tables] }).map((key) => [key, rules.get(key)]));
}

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
      for (const { target, tables } of this.made) {
        await target.db.db.write(world.clock, () => {
          for (const table of tables) target.db.dropTable(table);
        });
      }
      if (this.targets.length > 0) await this.#freeTargets(locked.ctx);
      await changeRoutingRules(locked.ctx, topo, [targetKeyspace], (rules) => {
        for (const [from, to] of this.#rules) {
          if (to === undefined) rules.delete(from);
          else rules.set(from, to);
        }
      });
      await saveVSchema(locked.ctx, topo, targetKeyspace, this.vschema, null);
      await rebuildSrvVSchema(locked.ctx, topo);
    } finally {
      await locked.unlock('taken back');
    }
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
