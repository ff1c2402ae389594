import { describe, expect, it } from 'vitest';
import { background, withCancel } from '../../../src/runtime/context.ts';
import type { Cluster } from '../../../src/tablet/cluster.ts';
import { lockName } from '../../../src/topo/locks.ts';
import { readWorkflow } from '../../../src/workflow/vdiff/members.ts';
import { advanceVDiffs } from '../../../src/workflow/vdiff/run.ts';
import { fingerprint } from '../../helpers/fingerprint.ts';
import { openCluster } from '../../helpers/open-cluster.ts';
import { shardedCluster } from '../../helpers/sharded.ts';
import { movingCluster, switchLine, testCluster, type TestCluster } from '../../helpers/shell.ts';
import { counts, diffed, shown, tamper, UUID, VDIFF, workedOnElsewhere } from '../../helpers/vdiff.ts';

/** How a diff goes on, is stopped, fails and ends, over commands and processes. */
const MT = 'MoveTables --workflow c2c --target-keyspace customer';
const ROWS = 6000;

let large: Promise<TestCluster> | undefined;

/** Tables that a diff takes several turns for. */
async function largeCluster(): Promise<TestCluster> {
  large ??= (async () => {
    const cluster = testCluster();
    await cluster.ok(`init commerce --rows ${ROWS}`);
    await cluster.ok(`${MT} create --source-keyspace commerce --tables customer,corder`);
    await cluster.ok(`${MT} status`);
    // Modules that are still to be loaded would let others run to their end meanwhile.
    for (const line of [`create ${UUID}`, `stop ${UUID}`, 'show last --format json']) await cluster.ok(`${VDIFF} ${line}`);
    return cluster;
  })();
  const cluster = await large;
  await cluster.ok(`${VDIFF} delete all`);
  return cluster;
}

function stream(cluster: TestCluster, shard = '0'): unknown {
  return cluster.host.shards.open('customer', shard).db.get('SELECT state, message, stop_pos FROM "_vt.vreplication"');
}

const RUNNING = { state: 'Running', message: '', stop_pos: null };

/** Waits until the last diff is being compared. On a virtual clock commands take turns at every `await`. */
async function underWay({ host }: TestCluster): Promise<void> {
  const { db } = host.shards.open('customer', '0');
  for (let i = 0; i < 100_000; i++) {
    await Promise.resolve();
    if (db.get(`SELECT 1 FROM "_vt.vdiff_table" WHERE rows_compared > 0`) !== undefined) return;
  }
  throw new Error('no diff gets under way');
}

/** A process that hangs at its n-th turn and never goes on: then it is killed. */
function dying(cluster: TestCluster, turns: number): { process: Cluster; died: Promise<void> } {
  const process = openCluster(cluster.host);
  let left = turns;
  let end = (): void => {};
  const died = new Promise<void>((resolve) => (end = resolve));
  const { clock } = process.world;
  const turn = (): Promise<void> => {
    if (--left > 0) return clock.turn();
    process.world.processes.ended();
    end();
    return new Promise(() => {});
  };
  const stopping = new Proxy(clock, { get: (of, name) => (name === 'turn' ? turn : bound(of, name)) });
  return { process: { ...process, world: { ...process.world, clock: stopping } }, died };
}

function bound(of: object, name: string | symbol): unknown {
  const value = Reflect.get(of, name) as unknown;
  return typeof value === 'function' ? (value.bind(of) as unknown) : value;
}

describe('a diff in pieces', () => {
  it('is stopped by another command, shows how far it was, and goes on from there', async () => {
    const cluster = await largeCluster();
    const running = cluster.ok(`${VDIFF} create ${UUID}`);
    await underWay(cluster);
    const [stopped] = await Promise.all([cluster.ok(`${VDIFF} stop ${UUID}`), running]);
    expect(stopped).toBe('VDiff stop completed\n');
    const halfway = await shown(cluster);
    expect(halfway.State).toBe('stopped');
    expect(halfway.RowsCompared).toBeGreaterThan(0);
    expect(halfway.RowsCompared).toBeLessThan(2 * ROWS);
    expect(stream(cluster)).toEqual(RUNNING);
    await cluster.ok(`${VDIFF} resume ${UUID}`);
    expect(await shown(cluster)).toMatchObject({ State: 'completed', RowsCompared: 2 * ROWS, HasMismatch: false });
  });

  it('is shown while another process works on it, and left to that', async () => {
    const cluster = await largeCluster();
    const running = cluster.ok(`${VDIFF} create`);
    await underWay(cluster);
    const [seen] = await Promise.all([shown(cluster), running]);
    expect(seen.State).toBe('started');
    expect(seen.Progress?.Percentage).toBeLessThan(100);
    expect((await shown(cluster)).State).toBe('completed');
  });

  it('is deleted while it runs', async () => {
    const cluster = await largeCluster();
    const running = cluster.ok(`${VDIFF} create ${UUID}`);
    await underWay(cluster);
    await Promise.all([cluster.ok(`${VDIFF} delete ${UUID}`), running]);
    expect(await cluster.ok(`${VDIFF} show last`)).toBe('No previous vdiff found for customer.c2c\n');
    expect(await cluster.ok(`${VDIFF} show last --format json`)).toBe('{}\n');
    expect(stream(cluster)).toEqual(RUNNING);
  });

  it.each([1, 2, 3, 4, 5, 6])('whose process dies at turn %i is taken up by the next command', async (turns) => {
    const cluster = await largeCluster();
    await cluster.ok(`query "update customer set email = 'after ${turns}' where customer_id < 50"`);
    await cluster.ok(`${VDIFF} create ${UUID} --auto-start=false`);
    tamper(cluster, 'customer/0', `UPDATE "_vt.vdiff" SET state = 'pending'`);
    await cluster.ok(`query "update customer set email = 'later ${turns}' where customer_id < 60"`);
    const { process, died } = dying(cluster, turns);
    const sw = await readWorkflow(background(), process, { keyspace: 'customer', workflow: 'c2c' });
    void advanceVDiffs(background(), process, sw);
    await died;
    expect(await shown(cluster)).toMatchObject({ State: 'completed', RowsCompared: 2 * ROWS, HasMismatch: false });
    expect(stream(cluster)).toEqual(RUNNING);
  });

  it('whose process dies while it holds the stream: any command lets that go', async () => {
    const cluster = await largeCluster();
    await cluster.ok(`${VDIFF} create ${UUID} --auto-start=false`);
    tamper(cluster, 'customer/0', `UPDATE "_vt.vdiff" SET state = 'pending'`);
    await cluster.ok(`query "update customer set email = 'held' where customer_id = 7"`);
    // Counting the rows of two tables takes no turn; what comes first is the wait for the stream.
    const { process, died } = dying(cluster, 1);
    const sw = await readWorkflow(background(), process, { keyspace: 'customer', workflow: 'c2c' });
    void advanceVDiffs(background(), process, sw);
    await died;
    expect(stream(cluster)).toMatchObject({ message: expect.stringMatching(/vdiff|Stopped at position/) as string });
    await cluster.ok('GetKeyspaces');
    expect(stream(cluster)).toEqual(RUNNING);
  });

  it('that is told to end is still started, and says how to go on', async () => {
    const cluster = await largeCluster();
    await cluster.ok(`${VDIFF} create ${UUID} --auto-start=false`);
    tamper(cluster, 'customer/0', `UPDATE "_vt.vdiff" SET state = 'pending'`);
    const process = openCluster(cluster.host);
    const { ctx, end } = withCancel(background());
    const sw = await readWorkflow(ctx, process, { keyspace: 'customer', workflow: 'c2c' });
    await expect(advanceVDiffs(ctx, process, sw, { onProgress: () => end() })).rejects.toThrow('context canceled');
    workedOnElsewhere(cluster);
    const between = await shown(cluster);
    expect(between.State).toBe('started');
    tamper(cluster, 'customer/0', 'DELETE FROM _vdiff_run');
    expect(await shown(cluster)).toMatchObject({ State: 'completed', RowsCompared: 2 * ROWS });
  });

  it('takes both sides anew after --max-diff-duration, and finds what was written meanwhile', async () => {
    const cluster = await largeCluster();
    await cluster.ok(`${VDIFF} create ${UUID} --auto-start=false --max-diff-duration 5s`);
    tamper(cluster, 'customer/0', `UPDATE "_vt.vdiff" SET state = 'pending'`);
    const process = openCluster(cluster.host);
    const sw = await readWorkflow(background(), process, { keyspace: 'customer', workflow: 'c2c' });
    let slow = 1;
    const writes: Promise<string>[] = [];
    const onProgress = ({ compared }: { compared: number }): void => {
      if (compared === 0 || slow-- <= 0) return;
      cluster.machine.clock.advance(6000);
      writes.push(cluster.ok(`query "insert into corder (order_id, customer_id, sku, price) values (${ROWS + 1}, 1, 'SKU-1001', 1)"`));
    };
    const before = cluster.machine.clock.now();
    await advanceVDiffs(background(), process, sw, { onProgress });
    await Promise.all(writes);
    // The pause of Vitess.
    expect(cluster.machine.clock.now() - before).toBeGreaterThanOrEqual(36_000);
    expect(await shown(cluster)).toMatchObject({ State: 'completed', RowsCompared: 2 * ROWS + 1, HasMismatch: false });
    await cluster.ok(`query "delete from corder where order_id = ${ROWS + 1}"`);
  });
});

describe('writers', () => {
  it('that go on meanwhile make no mismatch', async () => {
    const cluster = await largeCluster();
    for (let round = 0; round < 6; round++) {
      const id = ROWS + 100 + round;
      const writes = [
        `query "insert into customer (customer_id, email) values (${id}, 'w${round}')"`,
        `query "update customer set email = 'round ${round}' where customer_id < 40"`,
        `query "delete from customer where customer_id = ${id - 1}"`,
        `${MT} status`,
        `query "update customer set email = 'again ${round}' where customer_id > ${ROWS - 20}"`,
      ];
      const [found] = await Promise.all([diffed(cluster), ...writes.map((line) => cluster.run(line))]);
      expect(found, String(round)).toMatchObject({ State: 'completed', HasMismatch: false });
    }
  });
});

describe('resume', () => {
  it('compares what has been added since', async () => {
    const cluster = await movingCluster();
    await cluster.ok(`${VDIFF} create ${UUID}`);
    await cluster.ok(`query "insert into customer (customer_id, email) values (900, 'new')"`);
    await cluster.ok(`${VDIFF} resume ${UUID}`);
    const found = await shown(cluster);
    expect([counts(found, 'customer'), found.RowsCompared]).toEqual(['6/0/0/0', 11]);
    // What lies behind the last key is not looked at again.
    tamper(cluster, 'customer/0', "UPDATE customer SET email = 'changed' WHERE customer_id = 1");
    await cluster.ok(`${VDIFF} resume ${UUID}`);
    expect((await shown(cluster)).HasMismatch).toBe(false);
  });

  it('and stop are for the shards named', async () => {
    const cluster = await shardedCluster({ rows: 20 });
    await cluster.ok(`${VDIFF} create ${UUID} --auto-start=false`);
    await cluster.ok(`${VDIFF} resume ${UUID} --target-shards 80-`);
    const states = async (): Promise<unknown> => (JSON.parse(await cluster.ok(`${VDIFF} show all --format json`)) as { State: string }[]).map((row) => row.State);
    expect(await states()).toEqual(['stopped', 'completed']);
    expect((await shown(cluster)).State).toBe('stopped');
    await cluster.ok(`${VDIFF} resume ${UUID} --target-shards -80`);
    expect(await states()).toEqual(['completed', 'completed']);
    expect((await cluster.run(`${VDIFF} resume ${UUID} --target-shards 0`)).stderr).toBe('specified target shard 0 not a valid target for workflow c2c\n');
    expect((await cluster.run(`${VDIFF} stop ${UUID} --target-shards x`)).stderr).toBe('invalid shard: "x"\n');
  });

  it('is refused for a diff that failed or runs', async () => {
    const cluster = await movingCluster();
    await cluster.ok(`${VDIFF} create ${UUID}`);
    const text = `rpc error: code = Unknown desc = TabletManager.VDiff on zone1-0000000200: no completed or stopped vdiff found for UUID ${UUID} on tablet zone1-0000000200\n`;
    for (const state of ['error', 'started', 'pending']) {
      tamper(cluster, 'customer/0', 'UPDATE "_vt.vdiff" SET state = ?', state);
      expect((await cluster.run(`${VDIFF} resume ${UUID}`)).stderr).toBe(text);
    }
  });
});

describe('a diff that fails', () => {
  /** A stream that somebody's open transaction keeps from applying. */
  async function blocked(): Promise<TestCluster> {
    const cluster = await movingCluster();
    await cluster.ok(`query "update customer set email = 'behind' where customer_id = 1"`);
    tamper(cluster, 'customer/0', `INSERT INTO _row_lock VALUES ('customer', '[1]', 's1')`);
    return cluster;
  }

  it('since a stream does not reach the position, tells of it, and is tried again after 30s', async () => {
    const cluster = await blocked();
    const before = cluster.machine.clock.now();
    await cluster.ok(`${VDIFF} create ${UUID} --filtered-replication-wait-time 7s`);
    expect(cluster.machine.clock.now() - before).toBe(7000);
    const failed = await shown(cluster);
    expect(failed.State).toBe('error');
    expect(failed.Errors?.['0']).toMatch(/^WaitForPosition for stream id 1: error waiting for pos: MySQL56\/[0-9a-f:-]+, last pos: MySQL56\/[0-9a-f:-]+: context deadline exceeded, wait time: 7s: possibly no tablets are available/);
    expect(stream(cluster)).toEqual(RUNNING);
    tamper(cluster, 'customer/0', 'DELETE FROM _row_lock');
    cluster.machine.clock.advance(29_000);
    expect((await shown(cluster)).State).toBe('error');
    cluster.machine.clock.advance(1000);
    expect(await shown(cluster)).toMatchObject({ State: 'completed', HasMismatch: false, RowsCompared: 10 });
  });

  it('is not tried again with --auto-retry=false, nor after an error that stays', async () => {
    const cluster = await blocked();
    await cluster.ok(`${VDIFF} create ${UUID} --auto-retry=false`);
    tamper(cluster, 'customer/0', 'DELETE FROM _row_lock');
    cluster.machine.clock.advance(60_000);
    expect((await shown(cluster)).State).toBe('error');
    await cluster.ok(`${VDIFF} create`);
    tamper(cluster, 'customer/0', `UPDATE "_vt.vdiff" SET state = 'error', last_error = 'Unknown column (errno 1054) (sqlstate 42S22)' WHERE id = 2`);
    cluster.machine.clock.advance(60_000);
    expect((await shown(cluster)).State).toBe('error');
    tamper(cluster, 'customer/0', `UPDATE "_vt.vdiff" SET last_error = 'Deadlock found (errno 1213) (sqlstate 40001)' WHERE id = 2`);
    expect((await shown(cluster)).State).toBe('completed');
  });

  it('with --wait ends the command on hardened; a release goes on printing', async () => {
    const cluster = await blocked();
    const hardened = await cluster.run(`${VDIFF} create ${UUID} --wait --filtered-replication-wait-time 5s`);
    expect([hardened.exit, hardened.stderr]).toEqual([1, expect.stringMatching(new RegExp(`^VDiff ${UUID} failed: \\(shard 0\\) WaitForPosition for stream id 1: .*\\nnext: switchtraffic VDiff --workflow c2c --target-keyspace customer show ${UUID}\\n$`))]);
    expect(hardened.stdout).toContain('State:        error\n              Error: (shard 0) WaitForPosition for stream id 1: error waiting');
    const release = await cluster.run(`${VDIFF} create --wait --auto-retry=false --filtered-replication-wait-time 5s --vitess-version v24 --action-timeout 10m`);
    expect([release.exit, release.stderr.split('\n')[0]]).toEqual([1, 'context has expired']);
    expect(release.stdout.match(/State: {8}error/g)).toHaveLength(9);
  });
});

describe('--wait', () => {
  it('prints when the diff has ended; with JSON one document', async () => {
    const cluster = await movingCluster();
    const before = cluster.machine.clock.now();
    expect(await cluster.ok(`${VDIFF} create ${UUID} --wait`)).toBe(
      `\nVDiff Summary for customer.c2c (${UUID})\nState:        completed\nRowsCompared: 10\nHasMismatch:  false\nStartedAt:    2026-03-27 12:00:00\nCompletedAt:  2026-03-27 12:00:00\n \nUse "--format=json" for more detailed output.\n\n`,
    );
    expect(JSON.parse(await cluster.ok(`${VDIFF} create --wait --format json`))).toMatchObject({ State: 'completed' });
    expect(cluster.machine.clock.now()).toBe(before);
  });

  it('prints at each interval while the diff waits', async () => {
    const cluster = await movingCluster();
    const holder = openCluster(cluster.host);
    const lock = await lockName(background(), holder.topo, 'customer/c2c', 'test');
    const waiting = cluster.run(`${VDIFF} create --wait --wait-update-interval 20s --lock-timeout 10s`);
    await holder.world.clock.sleep(65_000);
    await lock.unlock(undefined);
    const { exit, stdout, stderr } = await waiting;
    expect(exit).toBe(0);
    expect(stdout.match(/State: {8}\w+/g)?.map((line) => line.slice(14))).toEqual(['started', 'started', 'started', 'completed']);
    expect(stderr).toContain('warning: the VDiff waits: somebody has the lock of workflow customer.c2c (deadline exceeded: ');
  });
});

describe('the end of a workflow', () => {
  it.each([
    ['cancel', ''],
    ['complete', 'switch'],
  ])('%s takes its diffs along', async (verb, first) => {
    const cluster = await movingCluster();
    await cluster.ok(`${VDIFF} create`);
    if (first !== '') await cluster.ok(switchLine());
    const count = (): unknown[] => ['vdiff', 'vdiff_table', 'vdiff_log'].map((table) => cluster.host.shards.open('customer', '0').db.get(`SELECT count(*) > 0 AS some FROM "_vt.${table}"`));
    expect(count()).toEqual([{ some: 1 }, { some: 1 }, { some: 1 }]);
    await cluster.ok(`${MT} ${verb}`);
    expect(count()).toEqual([{ some: 0 }, { some: 0 }, { some: 0 }]);
  });
});

describe('create is refused', () => {
  const refused = async (cluster: TestCluster, line: string): Promise<string> => {
    const before = fingerprint(cluster.host);
    const { exit, stderr, stdout } = await cluster.run(line);
    expect([exit, stdout]).toEqual([1, '']);
    expect(fingerprint(cluster.host)).toEqual(before);
    return stderr;
  };

  it('for a UUID that is there', async () => {
    const cluster = await movingCluster();
    await cluster.ok(`${VDIFF} create ${UUID}`);
    const text = `vdiff with UUID ${UUID} already exists on tablet zone1-0000000200`;
    expect(await refused(cluster, `${VDIFF} create ${UUID.toUpperCase()}`)).toBe(`rpc error: code = Unknown desc = TabletManager.VDiff on zone1-0000000200: ${text}\n`);
    expect(await refused(cluster, `${VDIFF} create ${UUID} --server x`)).toContain('rpc error: code = Unknown desc = rpc error: code = Unknown desc = TabletManager.VDiff on');
  });

  it('while a stream is stopped, or somebody else holds it', async () => {
    const cluster = await movingCluster();
    await cluster.ok(`${MT} stop`);
    expect(await refused(cluster, `${VDIFF} create`)).toBe('not all streams are running in workflow customer.c2c\n');
  });

  it('while a switch that broke off is to be finished', async () => {
    const cluster = await movingCluster();
    await cluster.run(switchLine("--fault 'switchTraffic/writes/stopSourceWrites:after=panic'"));
    expect((await cluster.run(`${VDIFF} create`)).stderr).toMatch(/SwitchTraffic|switchtraffic/);
  });
});
