import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TopoError } from '../../src/lib/errors.ts';
import { background, withCancel, withTimeout } from '../../src/runtime/context.ts';
import { VirtualMachine, type World } from '../../src/runtime/world.ts';
import type { Conn } from '../../src/topo/conn/conn.ts';
import { ETCD_NAMES, MEMORY_NAMES, type NodeNames } from '../../src/topo/conn/directory.ts';
import type { LeasePolicy } from '../../src/topo/conn/lease-policy.ts';
import { caught, leasePolicy, textOf } from '../helpers/topo-world.ts';

/** A place where a topology is kept; `open` gives a process of its own a connection to it. */
export interface Store {
  open(world: World, policy: LeasePolicy): Conn;
  dispose(): void;
}

/** What every store must do as a `Conn`: the operations and error kinds of topology.md 1.1 and 1.2. */
export function connContract(name: string, makeStore: () => Store): void {
  describe.each<[string, NodeNames]>([
    ['etcd names', ETCD_NAMES],
    ['memory names', MEMORY_NAMES],
  ])(`${name}, %s`, (_, names) => {
    const ctx = background();
    let machine: VirtualMachine;
    let store: Store;
    let conn: Conn;
    const node = (path: string, cell = 'global'): string => names.node(cell, path);

    beforeEach(() => {
      machine = new VirtualMachine();
      store = makeStore();
      conn = store.open(machine.world(), leasePolicy({ names }));
    });
    afterEach(() => {
      conn.close();
      store.dispose();
    });

    it('creates a node once', async () => {
      const version = await conn.create(ctx, 'keyspaces/ks/Keyspace', '{"a":1}');
      expect(await conn.get(ctx, 'keyspaces/ks/Keyspace')).toMatchObject({ contents: '{"a":1}', version });
      const error = await caught(conn.create(ctx, 'keyspaces/ks/Keyspace', '{}'));
      expect(error).toMatchObject({ kind: 'NodeExists', message: `node already exists: ${node('keyspaces/ks/Keyspace')}` });
      expect((await conn.get(ctx, 'keyspaces/ks/Keyspace')).contents).toBe('{"a":1}');
    });

    it('keeps an empty value apart from a missing node', async () => {
      await conn.create(ctx, 'a', '');
      expect((await conn.get(ctx, 'a')).contents).toBe('');
    });

    it('updates without a version, whether the node is there or not', async () => {
      const first = await conn.update(ctx, 'a/b', '1', null);
      const second = await conn.update(ctx, 'a/b', '2', null);
      expect(second).toBeGreaterThan(first);
      expect(await conn.get(ctx, 'a/b')).toMatchObject({ contents: '2', version: second });
    });

    it('updates with a version only over that one, and not where nothing is', async () => {
      const first = await conn.create(ctx, 'a', '1');
      const second = await conn.update(ctx, 'a', '2', first);
      expect(await caught(conn.update(ctx, 'a', '3', first))).toMatchObject({
        kind: 'BadVersion',
        message: `bad node version: ${node('a')}`,
      });
      expect(await conn.get(ctx, 'a')).toMatchObject({ contents: '2', version: second });
      expect(await textOf(conn.update(ctx, 'gone', '1', first))).toBe(`bad node version: ${node('gone')}`);
      expect(await textOf(conn.get(ctx, 'gone'))).toBe(`node doesn't exist: ${node('gone')}`);
    });

    it('has versions that grow over the whole store', async () => {
      const zone = conn.forCell('zone1');
      const versions = [
        await conn.create(ctx, 'a', ''),
        await zone.create(ctx, 'a', ''),
        await conn.update(ctx, 'b', '', null),
        await zone.update(ctx, 'a', '', null),
      ];
      expect(versions).toEqual(versions.toSorted((a, b) => a - b));
      expect(new Set(versions).size).toBe(versions.length);
    });

    it('gets neither a missing node nor a directory', async () => {
      await conn.create(ctx, 'a/b', '');
      expect(await caught(conn.get(ctx, 'nope'))).toMatchObject({ kind: 'NoNode' });
      expect(await textOf(conn.get(ctx, 'a'))).toBe(`node doesn't exist: ${node('a')}`);
    });

    it('tolerates slashes at either end of a path', async () => {
      await conn.create(ctx, '/a/b/', 'x');
      expect((await conn.get(ctx, 'a//b')).contents).toBe('x');
    });

    it('lists what lies right below a directory, by name', async () => {
      for (const path of ['ks/b/Shard', 'ks/a-1/Shard', 'ks/a/Shard', 'ks/a/Other', 'ks/Keyspace', 'ks2/x', 'k']) {
        await conn.create(ctx, path, '');
      }
      const entry = (entryName: string, type: string): object => ({ name: entryName, type, ephemeral: false });
      expect(await conn.listDir(ctx, 'ks')).toEqual([
        entry('Keyspace', 'file'),
        entry('a', 'directory'),
        entry('a-1', 'directory'),
        entry('b', 'directory'),
      ]);
      expect((await conn.listDir(ctx, '')).map((found) => found.name)).toEqual(['k', 'ks', 'ks2']);
      expect(await conn.listDir(ctx, '/')).toEqual(await conn.listDir(ctx, ''));
    });

    it('lists no directory that has nothing below it, and no file', async () => {
      await conn.create(ctx, 'ks2/x', '');
      expect(await caught(conn.listDir(ctx, 'ks'))).toMatchObject({
        kind: 'NoNode',
        message: `node doesn't exist: ${names.directory('global', 'ks')}`,
      });
      expect(await caught(conn.listDir(ctx, 'ks2/x'))).toMatchObject({ kind: 'NoNode' });
      expect(await caught(conn.forCell('zone1').listDir(ctx, ''))).toMatchObject({ kind: 'NoNode' });
    });

    it('lists by a prefix of the text, not of the directories', async () => {
      await conn.create(ctx, 'tabletsX/a', '2');
      const version = await conn.create(ctx, 'tablets/b', '1');
      expect(await conn.list(ctx, 'tablets/')).toEqual([
        { path: 'tablets/b', contents: '1', version },
        { path: 'tabletsX/a', contents: '2', version: version - 1 },
      ]);
      expect((await conn.list(ctx, 'tabletsX')).map((found) => found.path)).toEqual(['tabletsX/a']);
      expect(await textOf(conn.list(ctx, 'nope/'))).toBe(`node doesn't exist: ${node('nope')}`);
    });

    it('deletes with and without a version', async () => {
      const version = await conn.create(ctx, 'a', '');
      await conn.create(ctx, 'b', '');
      expect(await textOf(conn.delete(ctx, 'a', version + 7))).toBe(`bad node version: ${node('a')}`);
      await conn.delete(ctx, 'a', version);
      await conn.delete(ctx, 'b', null);
      expect(await textOf(conn.delete(ctx, 'a', null))).toBe(`node doesn't exist: ${node('a')}`);
      expect(await textOf(conn.delete(ctx, 'a', version))).toBe(`node doesn't exist: ${node('a')}`);
    });

    it('has no directory left when its last node goes', async () => {
      await conn.create(ctx, 'a/b/c', '');
      await conn.create(ctx, 'd', '');
      await conn.delete(ctx, 'a/b/c', null);
      expect(await caught(conn.listDir(ctx, 'a/b'))).toMatchObject({ kind: 'NoNode' });
      expect((await conn.listDir(ctx, '')).map((found) => found.name)).toEqual(['d']);
    });

    it('keeps cells apart', async () => {
      const zone = conn.forCell('zone1');
      expect(zone.cell).toBe('zone1');
      expect(zone.forCell('global').cell).toBe('global');
      await conn.create(ctx, 'a', 'global');
      await zone.create(ctx, 'a', 'zone1');
      await conn.delete(ctx, 'a', null);
      expect((await zone.get(ctx, 'a')).contents).toBe('zone1');
      expect(await textOf(conn.get(ctx, 'a'))).toBe(`node doesn't exist: ${node('a')}`);
      expect(await textOf(conn.forCell('zone2').get(ctx, 'a'))).toBe(`node doesn't exist: ${node('a', 'zone2')}`);
    });

    it('stores any text as it is', async () => {
      for (const contents of ['{"sql":"select \'x\'"}', 'ünï\u{1f600}', ' \n\t', "';--"]) {
        await conn.update(ctx, 'a', contents, null);
        expect((await conn.get(ctx, 'a')).contents).toBe(contents);
      }
    });

    describe('on a context that has ended', () => {
      const calls: [string, (where: Conn, ended: typeof ctx) => Promise<unknown>, string | undefined][] = [
        ['get', (where, ended) => where.get(ended, 'a'), 'a'],
        ['create', (where, ended) => where.create(ended, 'b', ''), 'b'],
        ['update', (where, ended) => where.update(ended, 'a', 'new', null), 'a'],
        ['delete', (where, ended) => where.delete(ended, 'a', null), 'a'],
        ['list', (where, ended) => where.list(ended, 'a'), undefined],
        ['atomically', (where, ended) => where.atomically(ended, {}, (writer) => writer.put('global', 'a', 'new')), undefined],
      ];

      it.each(calls)('%s does nothing and says so', async (_call, run, path) => {
        await conn.create(ctx, 'a', 'old');
        const canceled = withCancel(ctx);
        canceled.end();
        const late = withTimeout(ctx, machine.clock, 10);
        machine.clock.advance(10);
        expect(await textOf(run(conn, canceled.ctx))).toBe(
          path === undefined ? 'context canceled' : `interrupted: ${node(path)}`,
        );
        expect(await textOf(run(conn, late.ctx))).toBe(
          path === undefined ? 'context deadline exceeded' : `deadline exceeded: ${node(path)}`,
        );
        expect((await conn.get(ctx, 'a')).contents).toBe('old');
        expect(await caught(conn.get(ctx, 'b'))).toBeInstanceOf(TopoError);
      });

      it('listDir names the directory', async () => {
        const canceled = withCancel(ctx);
        canceled.end();
        expect(await textOf(conn.listDir(canceled.ctx, 'a'))).toBe(`interrupted: ${names.directory('global', 'a')}`);
      });
    });

    describe('atomically', () => {
      it('reads, writes, removes and lists in any cell, seeing its own writes', async () => {
        await conn.create(ctx, 'a', '1');
        const seen = await conn.atomically(ctx, {}, (writer) => {
          writer.put('zone1', 'x/y', '2');
          writer.put('global', 'a', '3');
          writer.put('zone1', 'x/z', '4');
          writer.remove('zone1', 'x/y');
          writer.remove('zone1', 'never/there');
          return [writer.get('global', 'a')?.contents, writer.get('zone1', 'x/y'), writer.list('zone1', 'x').map((row) => row.path)];
        });
        expect(seen).toEqual(['3', undefined, ['x/z']]);
        expect((await conn.get(ctx, 'a')).contents).toBe('3');
        expect((await conn.forCell('zone1').get(ctx, 'x/z')).contents).toBe('4');
      });

      it('undoes everything when its function throws', async () => {
        const version = await conn.create(ctx, 'a', '1');
        await conn.create(ctx, 'b', '1');
        const boom = new Error('boom');
        const error = await caught(
          conn.atomically(ctx, {}, (writer) => {
            writer.put('global', 'a', '2');
            writer.put('global', 'a', '3');
            writer.remove('global', 'b');
            writer.put('zone1', 'c', '1');
            throw boom;
          }),
        );
        expect(error).toBe(boom);
        expect(await conn.get(ctx, 'a')).toMatchObject({ contents: '1', version });
        expect((await conn.get(ctx, 'b')).contents).toBe('1');
        expect(await caught(conn.forCell('zone1').get(ctx, 'c'))).toMatchObject({ kind: 'NoNode' });
      });

      it('writes nothing under a lock that is gone', async () => {
        const guard = await conn.lock(ctx, { dir: 'lock', contents: '{}', ttlMs: 1000, mustExist: false });
        await conn.atomically(ctx, { guards: [guard] }, (writer) => writer.put('global', 'a', '1'));
        guard.expire();
        let ran = false;
        const error = await caught(
          conn.atomically(ctx, { guards: [guard] }, (writer) => {
            ran = true;
            writer.put('global', 'a', '2');
          }),
        );
        expect(error).toMatchObject({ kind: 'NoNode', message: "node doesn't exist: lease" });
        expect(ran).toBe(false);
        expect((await conn.get(ctx, 'a')).contents).toBe('1');
      });
    });

    it.each<[string, (where: Conn, guards: Parameters<Conn['atomically']>[1]) => Promise<unknown>]>([
      ['create', (where, options) => where.create(ctx, 'b', '', options)],
      ['update', (where, options) => where.update(ctx, 'a', 'new', null, options)],
      ['delete', (where, options) => where.delete(ctx, 'a', null, options)],
    ])('%s is refused under a lock that is gone', async (_call, run) => {
      await conn.create(ctx, 'a', 'old');
      const held = await conn.lock(ctx, { dir: 'one', contents: '{}', ttlMs: 1000, mustExist: false });
      const lost = await conn.lock(ctx, { dir: 'two', contents: '{}', ttlMs: 1000, mustExist: false });
      lost.steal();
      expect(await textOf(run(conn, { guards: [held, lost] }))).toBe("node doesn't exist: lease");
      expect((await conn.get(ctx, 'a')).contents).toBe('old');
      expect(await caught(conn.get(ctx, 'b'))).toMatchObject({ kind: 'NoNode' });
      await run(conn, { guards: [held] });
    });
  });
}
