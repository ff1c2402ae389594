import { FROZEN, readStreams, type StreamRow, updateStream } from '../../../../src/tablet/vreplication/streams.ts';
import { epochSeconds } from '../../../../src/tablet/cluster.ts';
import { shown, Skipped } from '../../fields.ts';
import { setPosition } from '../../world.ts';
import type { Stage } from './stage.ts';
import { readState } from './states.ts';
import type { Given, Reader } from './given-types.ts';

/** How `given` says that the streams are. */
export const STREAMS: Record<string, Reader> = {
  workflow_state: (given, name, into) => into.steps.push(readState(given.str(name))),
  streams_frozen: frozenIf(true),
  frozen: frozenIf(true),
  target_streams: frozenIf(FROZEN),
  target_stream_message: frozenIf(FROZEN),
  stream_message: (given, name, into) => {
    const message = given.str(name);
    into.still = true;
    into.steps.push((stage) => changeStreams(stage, { message }));
  },
  stream_state: (given, name, into) => streamState(given.str(name), into),
  lag_s: (given, name, into) => {
    const lag = given.int(name);
    into.still = true;
    into.steps.push((stage) => changeStreams(stage, { transaction_timestamp: epochSeconds(stage.world.engine().cluster) - lag, time_heartbeat: 0 }));
  },
  primary_position_every_source: positions('source'),
  primary_position_every_target: positions('target'),
  target_tablets: (given, name, into) => {
    if (given.str(name) !== 'none usable for streaming') throw new Skipped(`given.${name} is not known: ${given.str(name)}`);
    // The workflow streams from rdonly tablets, of which there is none.
    into.late.push((stage) => changeStreams(stage, { tablet_types: 'rdonly' }));
  },
};

/** Marks the streams frozen where `given` says so, as a switch of the writes has done already. */
function frozenIf(value: unknown): Reader {
  return (given, name, into) => {
    const got = given.raw(name);
    if (got === false) return;
    if (got !== value) throw new Skipped(`given.${name} is not known: ${shown(got)}`);
    into.steps.push((stage) => changeStreams(stage, { message: FROZEN, state: 'Stopped' }));
  };
}

export async function changeStreams(stage: Stage, changes: Partial<StreamRow>): Promise<void> {
  const { target, name } = stage.scene.workflow;
  const { cluster } = stage.world.engine();
  for (const shard of stage.side('target').shards) {
    const db = stage.world.shard(target, shard);
    await db.db.write(cluster.world.clock, () => {
      for (const { id } of readStreams(db, name)) updateStream(db, id, changes, epochSeconds(cluster));
    });
  }
}

function streamState(state: string, into: Given): void {
  if (state !== 'Running' && state !== 'Stopped' && state !== 'Copying' && state !== 'Error') throw new Skipped(`a stream's state ${state} is not known`);
  into.still = true;
  into.steps.push(async (stage) => {
    await changeStreams(stage, { state, ...(state === 'Error' && { message: 'error: it broke' }) });
    if (state !== 'Copying') return;
    const { target, name, tables } = stage.scene.workflow;
    for (const shard of stage.side('target').shards) {
      const db = stage.world.shard(target, shard);
      for (const { id } of readStreams(db, name)) db.db.run('INSERT INTO "_vt.copy_state" (vrepl_id, table_name) VALUES (?, ?)', id, tables[0] ?? '');
    }
  });
}

function positions(side: 'source' | 'target'): Reader {
  return (given, name, into) => {
    const position = given.str(name);
    into.still = true;
    into.steps.push((stage) => {
      const keyspace = stage.scene.workflow[side];
      for (const shard of stage.side(side).shards) stage.world = setPosition(stage.world, keyspace, shard, position);
    });
  };
}
