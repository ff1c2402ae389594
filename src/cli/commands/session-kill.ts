import { UserError } from '../../lib/errors.ts';
import { suggest } from '../../lib/suggest.ts';
import { killSession, listSessions } from '../../tablet/query/sessions.ts';
import { primaryShards } from '../../tablet/vreplication/pump-all.ts';
import { withCluster } from '../cluster.ts';
import type { Invocation } from '../spec.ts';

/** Ends a session on every shard it has touched; what it had not committed is gone. */
export async function run(inv: Invocation): Promise<number> {
  const name = inv.args[0]!;
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    const names = new Set<string>();
    let killed = 0;
    for (const { keyspace, shard } of await primaryShards(ctx, cluster)) {
      const db = cluster.shards.open(keyspace, shard);
      const sessions = listSessions(db);
      for (const session of sessions) names.add(session.name);
      if (!sessions.some((session) => session.name === name)) continue;
      await killSession(db, cluster.world, name);
      killed++;
    }
    if (killed === 0) {
      const near = suggest(name, [...names]);
      const hint = near === undefined ? '' : `; did you mean "${near}"?`;
      throw new UserError(`there is no session "${name}"${hint}`, { next: 'switchtraffic show sessions', exit: 2 });
    }
    inv.io.stdout.write(`Session ${name} ended; what it had not committed is rolled back\n`);
    return 0;
  });
}
