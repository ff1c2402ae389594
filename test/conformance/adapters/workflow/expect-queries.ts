import { readStreams } from '../../../../src/tablet/vreplication/streams.ts';
import { same } from '../../compare.ts';
import { type Fields, Mismatch, shown, Skipped, texts } from '../../fields.ts';
import type { Stage, StageStep } from './stage.ts';

/**
 * Statements that Vitess sends to a primary are kept here by what they do: the engine writes the same rows, and says no SQL. Each is
 * looked for on every primary of its side: that it had something to do, and that it is done.
 */
export function queryEffects(side: 'source' | 'target') {
  return (then: Fields, name: string): StageStep => {
    const value = then.raw(name);
    const queries = typeof value === 'string' ? [value] : texts(value, `then.${name}`);
    if (queries.length === 0) return (stage) => untouched(stage, side, name);
    const effects = queries.map((query) => effectOf(query, name));
    return (stage) => {
      const keyspace = stage.scene.workflow[side];
      for (const shard of stage.side(side).shards) for (const effect of effects) effect(stage, keyspace, shard);
      return undefined;
    };
  };
}

type Effect = (stage: Stage, keyspace: string, shard: string) => void;

const DELETE = /^delete from _vt\.vreplication where db_name ?= ?'([^']*)' and workflow ?= ?'([^']*)'$/;
const UPDATE = /^update _vt\.vreplication set state='(\w+)', message='([^']*)' where db_name='([^']*)' and workflow='([^']*)'$/;
const FREEZE = /^update _vt\.vreplication set message = '(\w+)' where db_name='([^']*)' and workflow='([^']*)'$/;

function effectOf(query: string, name: string): Effect {
  const gone = DELETE.exec(query);
  if (gone !== null) {
    const [, dbName, workflow] = gone as unknown as [string, string, string];
    return (stage, keyspace, shard) => {
      same(dbName, stage.world.shard(keyspace, shard).dbName, `${name}: the database of ${keyspace}/${shard}`);
      if (!hadStreams(stage, keyspace, shard, workflow)) throw new Mismatch(`${name}: ${keyspace}/${shard} had no streams of ${workflow} to delete`);
      same([], readStreams(stage.world.shard(keyspace, shard), workflow).map(({ id }) => id), `${name}: streams of ${workflow} in ${keyspace}/${shard}`);
    };
  }
  const update = UPDATE.exec(query);
  if (update !== null) {
    const [, state, message, dbName, workflow] = update as unknown as [string, string, string, string, string];
    return (stage, keyspace, shard) => holds(stage, name, { keyspace, shard, dbName, workflow }, { state, message });
  }
  const freeze = FREEZE.exec(query);
  if (freeze !== null) {
    const [, message, dbName, workflow] = freeze as unknown as [string, string, string, string];
    return (stage, keyspace, shard) => holds(stage, name, { keyspace, shard, dbName, workflow }, { message });
  }
  throw new Skipped(`then.${name}: what this does is not known: ${shown(query)}`);
}

function holds(stage: Stage, name: string, where: { keyspace: string; shard: string; dbName: string; workflow: string }, wanted: Record<string, string>): void {
  const db = stage.world.shard(where.keyspace, where.shard);
  same(where.dbName, db.dbName, `${name}: the database of ${where.keyspace}/${where.shard}`);
  const streams = readStreams(db, where.workflow);
  if (streams.length === 0) throw new Mismatch(`${name}: ${where.keyspace}/${where.shard} has no streams of ${where.workflow}`);
  for (const { id, state, message } of streams) {
    const got: Record<string, string> = { state, message: message ?? '' };
    for (const [column, value] of Object.entries(wanted)) same(value, got[column], `${name}: ${column} of stream ${id} in ${where.keyspace}/${where.shard}`);
  }
}

type Prints = Record<string, { streams: { workflow: string }[]; rows: unknown }>;

const printsOf = (state: unknown): Prints => (state as { shards: Prints }).shards;

function hadStreams(stage: Stage, keyspace: string, shard: string, workflow: string): boolean {
  return printsOf(stage.before)[`${keyspace}/${shard}`]?.streams.some((stream) => stream.workflow === workflow) ?? false;
}

/** Nothing of a side's primaries has changed. */
async function untouched(stage: Stage, side: 'source' | 'target', name: string): Promise<void> {
  const keyspace = stage.scene.workflow[side];
  const before = printsOf(stage.before);
  const after = printsOf(await stage.print());
  for (const shard of stage.side(side).shards) same(before[`${keyspace}/${shard}`], after[`${keyspace}/${shard}`], `${name}: ${keyspace}/${shard}`);
}
