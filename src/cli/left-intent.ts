import { loading } from '../lib/loading.ts';
import { paths } from '../topo/paths.ts';
import { listNames } from '../topo/server.ts';
import type { CommandScope } from './scope.ts';

/** Says beside an answer about a workflow what a command has left half done of it, or is doing to it. */
export async function tellOfIntents({ ctx, cluster }: CommandScope, keyspace: string, workflow: string): Promise<void> {
  // Nearly always there is none, and nothing has to be loaded.
  if ((await listNames(ctx, cluster.topo.conn, paths.intents)).length === 0) return;
  const { gatherIntents, intentText } = await loading(import('../workflow/facts/intents.ts'));
  const names = [workflow, `${workflow}_reverse`, workflow.replace(/_reverse$/, '')];
  for (const intent of await gatherIntents(ctx, cluster)) {
    if (!names.includes(intent.workflow) || (intent.keyspace !== keyspace && intent.sourceKeyspace !== keyspace)) continue;
    const text = intent.alive === 'alive' ? intentText(intent) : `${intentText(intent)}; finish it: switchtraffic ${intent.line}`;
    cluster.world.events.emit({ kind: 'warning', text });
  }
}
