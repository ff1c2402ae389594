import { parseStatement } from '../../sql/parser.ts';
import type { OnDDLAction } from '../../topo/proto/types-workflow.ts';
import type { Cluster } from '../cluster.ts';
import { changeTables } from '../query/ddl-changes.ts';
import { mysqlTime } from '../query/mysql-time.ts';
import { isDdl } from '../query/request.ts';
import type { ShardDb } from '../shard-db.ts';
import type { Applier } from './apply.ts';
import type { ApplyDdl } from './catch-up.ts';

/** EXEC runs the source's DDL on the target too; EXEC_IGNORE goes on if that fails. */
export function ddlApplier(cluster: Cluster, target: ShardDb, applier: Applier, onDdl: OnDDLAction): ApplyDdl {
  return (sql, table) => {
    const statement = parseStatement(sql);
    if (!isDdl(statement)) return;
    try {
      target.db.transact(() => changeTables(target, statement, mysqlTime(cluster.world.clock.now())));
      applier.events.push({ kind: 'ddl', table, sql });
    } catch (error) {
      if (onDdl === 'EXEC') throw error;
    }
  };
}
