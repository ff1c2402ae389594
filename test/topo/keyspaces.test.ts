import { beforeEach, describe, expect, it } from 'vitest';
import { errorCode, isTopoError } from '../../src/lib/errors.ts';
import { background } from '../../src/runtime/context.ts';
import {
  createShard,
  ensureKeyspace,
  findAllShards,
  getKeyspace,
  getShard,
  keyspaceNames,
  servingShards,
  shardText,
  updateShardFields,
} from '../../src/topo/keyspaces.ts';
import { heldLocks, lockKeyspace } from '../../src/topo/locks.ts';
import { caught, textOf, TopoMachine, type TopoWorld } from '../helpers/topo-world.ts';

const ctx = background();
let start: TopoWorld;

beforeEach(() => {
  start = new TopoMachine().process();
});

describe('keyspaces', () => {
  it('are made with an empty vschema, once', async () => {
    expect(await keyspaceNames(ctx, start.topo)).toEqual([]);
    await ensureKeyspace(ctx, start.topo, 'commerce');
    expect(await getKeyspace(ctx, start.topo, 'commerce')).toEqual({ durability_policy: 'none', sidecar_db_name: '_vt' });
    await start.conn.update(ctx, 'keyspaces/commerce/VSchema', '{"sharded":true}', null);
    await ensureKeyspace(ctx, start.topo, 'commerce');
    expect((await start.conn.get(ctx, 'keyspaces/commerce/VSchema')).contents).toBe('{"sharded":true}');
    expect(await keyspaceNames(ctx, start.topo)).toEqual(['commerce']);
    expect(await textOf(getKeyspace(ctx, start.topo, 'nope'))).toBe(
      "node doesn't exist: /vitess/global/keyspaces/nope/Keyspace",
    );
  });
});

describe('shards', () => {
  it.each<[string, string[], Record<string, boolean>]>([
    ['all serve that cover different ranges', ['-80', '80-'], { '-80': true, '80-': true }],
    ['one that overlaps does not serve', ['-', '-80', '80-'], { '-': true, '-80': false, '80-': false }],
    ['a part of a shard does not serve', ['-80', '80-', '-40'], { '-40': false, '-80': true, '80-': true }],
    ['one without a range overlaps everything', ['0', '-80'], { '-80': false, '0': true }],
    ['and is overlapped by everything', ['-80', '0'], { '-80': true, '0': false }],
    ['a gap is no overlap', ['-40', '80-'], { '-40': true, '80-': true }],
  ])('%s', async (_, names, expected) => {
    await ensureKeyspace(ctx, start.topo, 'ks');
    for (const name of names) await createShard(ctx, start.topo, 'ks', name);
    const found = await findAllShards(ctx, start.topo, 'ks');
    expect(Object.fromEntries(found.map((shard) => [shard.name, shard.record.is_primary_serving]))).toEqual(expected);
  });

  it('write their range in the form of the record', async () => {
    for (const name of ['-80', '80-', '-', '0']) await createShard(ctx, start.topo, `ks${name}`, name);
    const contents = async (name: string): Promise<unknown> =>
      JSON.parse((await start.conn.get(ctx, `keyspaces/ks${name}/shards/${name}/Shard`)).contents);
    expect(await contents('-80')).toEqual({ is_primary_serving: true, key_range: { end: 'gA==' } });
    expect(await contents('80-')).toEqual({ is_primary_serving: true, key_range: { start: 'gA==' } });
    // A range that is set but empty is not the same as none.
    expect(await contents('-')).toEqual({ is_primary_serving: true, key_range: {} });
    expect(await contents('0')).toEqual({ is_primary_serving: true });
  });

  it('are made once, under a valid name', async () => {
    await createShard(ctx, start.topo, 'ks', '-80');
    expect(await textOf(createShard(ctx, start.topo, 'ks', '-80'))).toBe(
      'node already exists: /vitess/global/keyspaces/ks/shards/-80/Shard',
    );
    expect(await textOf(createShard(ctx, start.topo, 'ks', '80-40'))).toBe('out of order keys: 80 is not strictly smaller than 40');
  });

  it('are read with the version they were read at', async () => {
    await createShard(ctx, start.topo, 'ks', '0');
    const shard = await getShard(ctx, start.topo, 'ks', '0');
    expect(shardText(shard)).toBe('ks/0');
    expect(shard.version).toBe((await start.conn.get(ctx, 'keyspaces/ks/shards/0/Shard')).version);
    expect(await textOf(getShard(ctx, start.topo, 'ks', '1'))).toBe("node doesn't exist: /vitess/global/keyspaces/ks/shards/1/Shard");
  });

  it('a keyspace may have none; one that does not exist is an error of no kind', async () => {
    await ensureKeyspace(ctx, start.topo, 'empty');
    expect(await findAllShards(ctx, start.topo, 'empty')).toEqual([]);
    const error = await caught(findAllShards(ctx, start.topo, 'nope'));
    expect(error).toHaveProperty(
      'message',
      "FindAllShardsInKeyspace(nope): List: node doesn't exist: /vitess/global/keyspaces/nope/shards",
    );
    expect(isTopoError(error, 'NoNode')).toBe(false);
  });
});

describe('the shards that serve', () => {
  it('are ordered by range', async () => {
    // By name, capitals would come first.
    for (const name of ['80-a0', '-40', 'B0-', 'a0-B0', '40-80']) await createShard(ctx, start.topo, 'ks', name);
    await createShard(ctx, start.topo, 'ks', '-80');
    expect((await servingShards(ctx, start.topo, 'ks')).map((shard) => shard.name)).toEqual([
      '-40',
      '40-80',
      '80-a0',
      'a0-B0',
      'B0-',
    ]);
  });

  it('must be there', async () => {
    await ensureKeyspace(ctx, start.topo, 'empty');
    const error = await caught(servingShards(ctx, start.topo, 'empty'));
    expect(error).toHaveProperty('message', 'empty has no serving shards');
    expect(errorCode(error)).toBe('FAILED_PRECONDITION');
    expect(await textOf(servingShards(ctx, start.topo, 'nope'))).toBe(
      "failed to get list of shards for keyspace 'nope': FindAllShardsInKeyspace(nope): List: node doesn't exist: /vitess/global/keyspaces/nope/shards",
    );
  });
});

describe('editing a shard record', () => {
  it('reads again until nobody wrote in between', async () => {
    const release = new TopoMachine('22').process();
    await createShard(ctx, release.topo, 'ks', '0');
    let rounds = 0;
    const result = await updateShardFields(ctx, release.topo, 'ks', '0', async (record) => {
      if (++rounds < 3) await release.conn.update(ctx, 'keyspaces/ks/shards/0/Shard', `{"is_primary_serving":${rounds === 2}}`, null);
      record.tablet_controls = [{ tablet_type: 'PRIMARY' }];
      return true;
    });
    expect(rounds).toBe(3);
    expect(result.record).toEqual({ is_primary_serving: true, tablet_controls: [{ tablet_type: 'PRIMARY' }] });
    expect(await getShard(ctx, release.topo, 'ks', '0')).toEqual(result);
  });

  it('writes nothing where no update is needed', async () => {
    await createShard(ctx, start.topo, 'ks', '0');
    const before = await getShard(ctx, start.topo, 'ks', '0');
    const after = await updateShardFields(ctx, start.topo, 'ks', '0', (record) => {
      record.is_primary_serving = false;
      return false;
    });
    expect(after).toEqual(before);
    expect(await getShard(ctx, start.topo, 'ks', '0')).toEqual(before);
  });

  it('keeps fields that it does not know', async () => {
    const release = new TopoMachine('22').process();
    await release.conn.create(ctx, 'keyspaces/ks/shards/0/Shard', '{"from_the_future":[1]}');
    await updateShardFields(ctx, release.topo, 'ks', '0', (record) => {
      record.is_primary_serving = true;
      return true;
    });
    expect((await release.conn.get(ctx, 'keyspaces/ks/shards/0/Shard')).contents).toBe(
      '{"from_the_future":[1],"is_primary_serving":true}',
    );
  });

  it('on hardened needs the lock and its lease; a release needs neither', async () => {
    await ensureKeyspace(ctx, start.topo, 'ks');
    await createShard(ctx, start.topo, 'ks', '0');
    const serve = (record: { is_primary_serving?: boolean }): boolean => {
      record.is_primary_serving = false;
      return true;
    };
    expect(await textOf(updateShardFields(ctx, start.topo, 'ks', '0', serve))).toBe('keyspace ks is not locked (no locksInfo)');
    const { ctx: locked } = await lockKeyspace(ctx, start.topo, 'ks', 'x');
    heldLocks(locked)[0]!.expire();
    expect(await textOf(updateShardFields(locked, start.topo, 'ks', '0', serve))).toContain('lock on keyspace ks was lost');
    expect((await getShard(ctx, start.topo, 'ks', '0')).record.is_primary_serving).toBe(true);
  });

  it('throws what the change throws', async () => {
    await createShard(ctx, start.topo, 'ks', '0');
    const boom = new Error('boom');
    expect(
      await caught(
        updateShardFields(ctx, start.topo, 'ks', '0', () => {
          throw boom;
        }),
      ),
    ).toBe(boom);
  });
});
