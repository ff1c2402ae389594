import { expect } from 'vitest';
import { DEFAULT_BUFFER } from '../../../src/gate/buffer/config.ts';
import { QueryBuffer } from '../../../src/gate/buffer/query-buffer.ts';
import { vtError } from '../../../src/lib/errors.ts';
import { background } from '../../../src/runtime/context.ts';
import { openCluster } from '../../helpers/open-cluster.ts';
import { partialCluster, partialLine } from '../../helpers/partial.ts';
import { movingCluster, switchLine } from '../../helpers/shell.ts';
import { type RunsOf, shared } from './see.ts';

const INSERT = "query --enable-buffer --timeout 5m \"insert into customer (email) values ('x')\"";
const DENY = 'SetShardTabletControl --denied-tables=customer commerce/0 primary';
const FREE = 'SetShardTabletControl --denied-tables=customer --remove commerce/0 primary';
const REFRESH = 'RefreshStateByShard commerce/0';

/** Milliseconds that a write takes whose table is denied, and free again after so long (never when not given). */
async function refusedFor(version: string, freeAfter?: number): Promise<number> {
  const cluster = await movingCluster(version);
  await cluster.ok(DENY);
  await cluster.ok(REFRESH);
  const { clock } = cluster.machine;
  const start = clock.now();
  const write = cluster.run(INSERT);
  if (freeAfter !== undefined) {
    await clock.sleep(freeAfter);
    await cluster.ok(FREE);
    await cluster.ok(REFRESH);
  }
  await write;
  return clock.now() - start;
}

/** Runs for the rows about the gate. */
export const GATE_RUNS: RunsOf<'doubleBufferingWindow' | 'switchSeenBy' | 'vschemaWait'> = {
  doubleBufferingWindow: async (version) => {
    const cluster = await shared('switched', async () => {
      const made = await movingCluster();
      await made.ok(switchLine());
      return made;
    });
    const late = { error: vtError('FAILED_PRECONDITION', 'disallowed due to rule: enforce denied tables'), vschema: -1 };
    const buffer = new QueryBuffer(openCluster(cluster.host, version), 'zone1', { ...DEFAULT_BUFFER, minBetweenMs: 0 });
    const start = cluster.machine.clock.now();
    const released = await buffer.wait(background(), 'commerce', '0', late).catch(() => undefined);
    const took = cluster.machine.clock.now() - start;
    if (typeof released === 'object') released.done();
    await buffer.close();
    return took >= DEFAULT_BUFFER.windowMs;
  },
  switchSeenBy: async (version) => {
    const cluster = await partialCluster(version);
    await cluster.ok(partialLine('p80d', 'switchtraffic'));
    // The source's tables are denied and their rules lead away: a gate that knows has nothing to hold, and is refused again.
    const gate = '--enable-buffer --enable-partial-keyspace-migration=false --timeout 1s';
    const { exit, stderr } = await cluster.run(`query ${gate} "insert into customer (cid, name) values (9, 'x')"`);
    expect(exit).toBe(1);
    return stderr.includes('failed after retries') ? 'every rule' : 'some rules';
  },
  vschemaWait: async (version) => {
    // Held for the window, then tried twice more.
    if ((await refusedFor(version)) > DEFAULT_BUFFER.windowMs + 2 * DEFAULT_BUFFER.maxFailoverMs) return '30s';
    return (await refusedFor(version, 3000)) < 5000 ? 'half-failover-unless-drained' : 'half-failover';
  },
};
