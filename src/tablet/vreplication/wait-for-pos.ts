import { plainError } from '../../lib/errors.ts';
import { parsePosition, positionAtLeast } from '../../lib/gtid.ts';
import { ContextError, type Context } from '../../runtime/context.ts';
import type { Cluster } from '../cluster.ts';
import type { ShardDb } from '../shard-db.ts';
import { pumpUntilIdle } from './pump.ts';
import { readStream } from './streams.ts';

/** How often a waiting caller looks. Vitess asks every second; here the wait itself drives the stream. */
const POLL_MS = 50;
const VIRTUAL_POLL_MS = 1000;

/**
 * Waits until a stream has applied everything up to a position, even if it is stopped by then.
 * Throws the context's error when it ends first, `replication has stopped at …` for one stopped short of it,
 * `vreplication stream N not found`. Vitess: go/vt/vttablet/tabletmanager/vreplication/engine.go WaitForPos.
 */
export async function waitForPos(ctx: Context, cluster: Cluster, target: ShardDb, id: number, pos: string): Promise<void> {
  const wanted = parsePosition(pos);
  const { clock } = cluster.world;
  for (;;) {
    const ended = ctx.err();
    if (ended !== undefined) throw new ContextError(ended.reason);
    const pumped = await pumpUntilIdle(ctx, cluster, target, id);
    const row = readStream(target, id);
    if (row === undefined) throw plainError(`vreplication stream ${id} not found`);
    if (row.pos !== '' && positionAtLeast(parsePosition(row.pos), wanted)) return;
    if (row.state === 'Stopped') {
      throw plainError(`replication has stopped at ${row.pos} before reaching position ${pos}, message: ${row.message ?? ''}`);
    }
    // An idle stream that is still short has only just missed a commit: no need to wait for it.
    if (pumped !== 'idle') await clock.sleep(clock.virtual ? VIRTUAL_POLL_MS : POLL_MS, ctx);
    else await clock.sleep(1, ctx);
  }
}
