import { describe, expect, it } from 'vitest';
import { type BufferConfig, DEFAULT_BUFFER } from '../../src/gate/buffer/config.ts';
import { QueryBuffer } from '../../src/gate/buffer/query-buffer.ts';
import { Places, type Released, ShardBuffer } from '../../src/gate/buffer/shard-buffer.ts';
import { Gate, VITESS_VSCHEMA_WAIT_MS } from '../../src/gate/gate.ts';
import { vtError } from '../../src/lib/errors.ts';
import { background, withTimeout } from '../../src/runtime/context.ts';
import { VirtualClock } from '../../src/runtime/clock.ts';
import { openCluster } from '../helpers/open-cluster.ts';
import { movingCluster, switchLine, type TestCluster } from '../helpers/shell.ts';

const INSERT = "insert into customer (email) values ('x')";
const REFUSED = 'target: commerce.0.primary: vttablet: rpc error: code = FailedPrecondition desc = disallowed due to rule: enforce denied tables (CallerID: user)';
const deny = 'SetShardTabletControl --denied-tables=customer commerce/0 primary';
const free = 'SetShardTabletControl --denied-tables=customer --remove commerce/0 primary';

/** The cluster with a table denied and nobody who will free it: what a failed roll-back leaves. */
async function stranded(version = 'hardened'): Promise<TestCluster> {
  const cluster = await movingCluster(version);
  await cluster.ok(deny);
  await cluster.ok('RefreshStateByShard commerce/0');
  return cluster;
}

/** Runs something and says what it came to and how long that took on the cluster's clock. */
async function timed<T>(cluster: TestCluster, fn: () => Promise<T>): Promise<{ result: T | string; took: number }> {
  const start = cluster.machine.clock.now();
  const result = await fn().catch((error: unknown) => (error as Error).message);
  return { result, took: cluster.machine.clock.now() - start };
}

describe('a statement that is refused', () => {
  it('is told at once without a buffer', async () => {
    const cluster = await stranded();
    const { took, result } = await timed(cluster, () => cluster.run(`query "${INSERT}"`));
    expect([took, (result as { stderr: string }).stderr]).toEqual([0, expect.stringContaining(REFUSED)]);
  });

  it.each([
    ['hardened', 10_000],
    ['18.0.0', 30_000],
  ])('is held for the window, then tried twice more; as %s', async (version, waits) => {
    const cluster = await stranded(version);
    const gate = new Gate(openCluster(cluster.host, version), { cell: 'zone1', buffer: DEFAULT_BUFFER });
    const { result, took } = await timed(cluster, () => gate.run(background(), { sql: INSERT }));
    await gate.close();
    expect(result).toBe(`query ${INSERT} failed after retries: ${REFUSED} `);
    expect(took).toBe(DEFAULT_BUFFER.windowMs + 2 * waits);
  });

  it('waits for a newer VSchema as vtgate without a buffer does, and goes where that says', async () => {
    const cluster = await movingCluster();
    const gate = new Gate(openCluster(cluster.host), { cell: 'zone1', vschemaWaitMs: VITESS_VSCHEMA_WAIT_MS });
    const switched = cluster.run(switchLine("--fault 'switchTraffic/writes/waitForCatchup=sleep(5s)'"));
    await cluster.machine.clock.sleep(1000);
    const { result, took } = await timed(cluster, () => gate.run(background(), { sql: INSERT }));
    expect(result).toMatchObject({ rowsAffected: 1 });
    expect(took).toBeGreaterThan(4000);
    expect(took).toBeLessThan(4500);
    expect((await switched).exit).toBe(0);
  });

  it.each([
    ['hardened', 0],
    // No newer VSchema comes of a failed switch: the release waits half of the longest failover for one.
    ['22.0.0', 10_000],
  ])('goes on as soon as its table is free again; as %s waits %dms more', async (version, more) => {
    const cluster = await stranded(version);
    const gate = new Gate(openCluster(cluster.host, version), { cell: 'zone1', buffer: DEFAULT_BUFFER });
    const running = timed(cluster, () => gate.run(background(), { sql: INSERT }));
    await cluster.machine.clock.sleep(3000);
    await cluster.ok(free);
    await cluster.ok('RefreshStateByShard commerce/0');
    const { result, took } = await running;
    await gate.close();
    expect(result).toMatchObject({ rowsAffected: 1 });
    expect(took).toBeGreaterThanOrEqual(3000 + more);
    expect(took).toBeLessThan(3100 + more);
  });

  it('is told when its own time is up first', async () => {
    const cluster = await stranded();
    const { stderr } = await cluster.run(`query --enable-buffer --timeout 2s "${INSERT}"`);
    const original = REFUSED.replace('target: commerce.0.primary: ', '');
    expect(stderr).toContain(
      `target: commerce.0.primary: failed to automatically buffer and retry failed request during failover. original err (type=*vterrors.fundamental): ${original}: context was canceled before failover finished: context deadline exceeded`,
    );
  });

  it('is not held in a transaction', async () => {
    const cluster = await movingCluster();
    await cluster.ok("query --session a 'begin'");
    await cluster.ok(`query --session a "${INSERT}"`);
    await cluster.ok(deny);
    await cluster.ok('RefreshStateByShard commerce/0');
    const { took, result } = await timed(cluster, () => cluster.run(`query --session a --enable-buffer "${INSERT}"`));
    expect([took, (result as { stderr: string }).stderr]).toEqual([0, expect.stringContaining(REFUSED)]);
  });

  it('holds up every other statement for the primary of its shard, but none for replicas', async () => {
    const cluster = await stranded();
    const gate = new Gate(openCluster(cluster.host), { cell: 'zone1', buffer: { ...DEFAULT_BUFFER, windowMs: 2000 } });
    void gate.run(background(), { sql: INSERT }).catch(() => {});
    await cluster.machine.clock.sleep(100);
    const replica = await timed(cluster, () => gate.run(background(), { sql: 'select sku from product', target: '@replica' }));
    const primary = await timed(cluster, () => gate.run(background(), { sql: 'select sku from product' }));
    expect([replica.took, primary.took]).toEqual([0, 2000]);
    expect(primary.result).toMatchObject({ rows: [['SKU-1001'], ['SKU-1002']] });
    await gate.close();
  });
});

describe('a refusal that arrives after the switch has ended', () => {
  const late = { error: vtError('FAILED_PRECONDITION', 'disallowed due to rule: enforce denied tables'), vschema: -1 };
  const config: BufferConfig = { ...DEFAULT_BUFFER, minBetweenMs: 0 };

  it.each([
    ['19.0.10', true],
    ['20.0.0', false],
    ['hardened', false],
  ])('as %s holds statements once more: %s (#15707)', async (version, holds) => {
    const cluster = await movingCluster(version);
    await cluster.ok(switchLine());
    const buffer = new QueryBuffer(openCluster(cluster.host, version), 'zone1', config);
    const { result, took } = await timed(cluster, () => buffer.wait(background(), 'commerce', '0', late));
    expect(took).toBe(holds ? config.windowMs : 0);
    (result as Released | undefined)?.done();
    await buffer.close();
  });
});

describe('the buffer of a shard', () => {
  const clock = new VirtualClock(0);
  const now = (): number => clock.now();
  const make = (config: Partial<BufferConfig> = {}, places = new Places(config.size ?? 10)): ShardBuffer =>
    new ShardBuffer('k', '0', { ...DEFAULT_BUFFER, ...config }, places);

  it('is not opened again too soon', () => {
    const buffer = make({ minBetweenMs: 60_000 });
    buffer.start(1000);
    buffer.stop(2000, true);
    expect(buffer.mayStart(2001)).toBe(false);
    return Promise.resolve().then(() => {
      expect(buffer.mayStart(61_999)).toBe(false);
      expect(buffer.mayStart(62_000)).toBe(true);
    });
  });

  it('has no place for a statement when others have them all', async () => {
    const places = new Places(1);
    const [a, b] = [make({}, places), make({}, places)];
    a.start(0);
    b.start(0);
    const held = a.hold(background(), now);
    await expect(b.hold(background(), now)).rejects.toThrow('primary buffer is full');
    a.stop(0, true);
    (await held).done();
    await Promise.resolve();
    expect(b.hold(background(), now)).toBeInstanceOf(Promise);
  });

  it('lets statements go one after another, in order', async () => {
    const buffer = make();
    buffer.start(0);
    const order: string[] = [];
    const held = ['a', 'b', 'c'].map(async (name) => {
      const { done, drained } = await buffer.hold(background(), now);
      order.push(`${name} ${drained}`);
      await clock.sleep(10);
      order.push(`${name} done`);
      done();
    });
    await Promise.resolve();
    buffer.stop(0, true);
    expect(buffer.mayStart(100_000)).toBe(false);
    await Promise.all(held);
    expect(order).toEqual(['a true', 'a done', 'b true', 'b done', 'c true', 'c done']);
  });

  it('gives up after the longest failover, and gives back the place of a statement whose time is up', async () => {
    const buffer = make({ size: 1 });
    buffer.start(clock.now());
    const limited = withTimeout(background(), clock, 5);
    const first = buffer.hold(limited.ctx, now);
    await Promise.all([expect(first).rejects.toThrow('context was canceled before failover finished: context deadline exceeded'), clock.sleep(10)]);
    const second = buffer.hold(background(), now);
    buffer.expire(clock.now() + DEFAULT_BUFFER.maxFailoverMs);
    expect(buffer.buffering).toBe(false);
    expect((await second).drained).toBe(false);
  });
});
