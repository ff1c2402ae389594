import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/lib/errors.ts';
import { background } from '../../src/runtime/context.ts';
import { VirtualMachine } from '../../src/runtime/world.ts';
import type { Conn } from '../../src/topo/conn/conn.ts';
import { openSqliteConn } from '../../src/topo/conn/sqlite-conn.ts';
import { caught, leasePolicy, tempDir } from '../helpers/topo-world.ts';

/** What only a file that several processes share can do. */
describe('a topology in a file', () => {
  const ctx = background();
  let dir: ReturnType<typeof tempDir>;
  let path: string;
  let machine: VirtualMachine;
  let opened: { close(): void }[];

  beforeEach(() => {
    dir = tempDir();
    path = join(dir.path, 'topo.db');
    machine = new VirtualMachine();
    opened = [];
  });
  afterEach(() => {
    for (const one of opened) one.close();
    dir.remove();
  });

  function open(create = true): Conn {
    const conn = openSqliteConn(path, machine.world(), leasePolicy({ reapDead: false }), create);
    opened.push(conn);
    return conn;
  }

  it('must be there unless it is to be made', async () => {
    expect(await caught(() => open(false))).toBeInstanceOf(UserError);
    open();
    open(false);
  });

  it('is one for all who open it', async () => {
    const [a, b] = [open(), open()];
    const version = await a.create(ctx, 'x', '1');
    expect(await b.get(ctx, 'x')).toEqual({ contents: '1', version });
    expect(await b.update(ctx, 'x', '2', version)).toBeGreaterThan(version);
    expect(await caught(a.update(ctx, 'x', '3', version))).toMatchObject({ kind: 'BadVersion' });
  });

  it('keeps its records and its versions', async () => {
    const before = open();
    const version = await before.forCell('zone1').create(ctx, 'a/b', '{"x":1}');
    const after = open(false);
    expect(await after.forCell('zone1').get(ctx, 'a/b')).toEqual({ contents: '{"x":1}', version });
    expect(await after.create(ctx, 'c', '')).toBe(version + 1);
  });

  it('refuses a late write of a process whose lock another took over', async () => {
    const [a, b] = [open(), open()];
    const order = { dir: 'ks', contents: '{}', ttlMs: 10_000, mustExist: false };
    const first = await a.lock(ctx, order);
    first.expire();
    const second = await b.lock(ctx, order);
    await b.update(ctx, 'x', 'new holder', null, { guards: [second] });
    expect(await caught(a.update(ctx, 'x', 'late', null, { guards: [first] }))).toMatchObject({ kind: 'NoNode', node: 'lease' });
    expect((await a.get(ctx, 'x')).contents).toBe('new holder');
  });

  it('goes on renewing a lease after the file was busy for a moment', async () => {
    const conn = open();
    const held = await conn.lock(ctx, { dir: 'ks', contents: '{}', ttlMs: 9_000, mustExist: false });
    const raw = new BetterSqlite3(path);
    opened.push(raw);
    raw.exec('BEGIN IMMEDIATE');
    machine.clock.advance(3_500);
    raw.exec('COMMIT');
    machine.clock.advance(30_000);
    await held.check(ctx);
  });

  it('tries again soon where the file stays busy, so that a lease of which most has passed is not lost', async () => {
    const conn = open();
    const held = await conn.lock(ctx, { dir: 'ks', contents: '{}', ttlMs: 9_000, mustExist: false });
    const raw = new BetterSqlite3(path);
    opened.push(raw);
    raw.exec('BEGIN IMMEDIATE');
    machine.clock.advance(8_000);
    raw.exec('COMMIT');
    machine.clock.advance(400);
    expect(conn.locks()[0]?.expiresMs).toBeGreaterThan(8_500);
    await held.check(ctx);
  });

  it('lists its locks to a shell, holder first', async () => {
    const conn = open();
    await conn.lock(ctx, { dir: 'ks', contents: '{"Action":"SwitchWrites"}', ttlMs: 9_000, mustExist: false });
    const raw = new BetterSqlite3(path, { readonly: true });
    opened.push(raw);
    expect(raw.prepare('SELECT resource, action, host, step FROM locks').all()).toEqual([
      { resource: 'ks', action: 'SwitchWrites', host: 'virtual', step: '' },
    ]);
  });
});
