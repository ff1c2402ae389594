// Writers that insert, update and delete rows of their own through the gate, and log each statement outside of the state: a line before
// it is sent, and one with what became of it before the next is sent.
import { closeSync, openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Gate } from '../../dist/gate/gate.js';
import { findKnownTable } from '../../dist/gate/known-tables.js';
import { VtError } from '../../dist/lib/errors.js';
import { background, withTimeout } from '../../dist/runtime/context.js';
import { seededRandom } from '../../dist/runtime/random.js';
import { newRow, nextVersion, record } from '../../dist/workload/ledger.js';
import { outcomeOf } from '../../dist/workload/load.js';
import { loadTable, Statements } from '../../dist/workload/load-table.js';

export const CELL = 'zone1';
const WRITERS = 2;
/** Between two statements of a writer, in milliseconds. */
const EVERY = 15;
/** How long a client waits for its statement. */
const PATIENCE = 5_000;
/** Far above the rows that there are; keys go down from here. */
const TOP = 1_000_000;
/** A writer with fewer rows does not delete. */
const LEAST_ROWS = 4;

/** Starts the writers. Each has tables, keys and chance of its own. */
export async function startWriters(cluster, shape, log, seed) {
  const tables = await Promise.all(shape.tables.map((name) => statementsOf(cluster, name, shape.values)));
  const file = openSync(log, 'a');
  const shared = { cluster, gate: new Gate(cluster, { cell: CELL }), file, unexpected: [], acknowledged: new Map(), busy: 0, paused: false, stop: false };
  const running = Array.from({ length: WRITERS }, (_, index) => write(shared, tables, index, seededRandom(seed * WRITERS + index)));
  let ended;
  const end = async () => {
    shared.paused = false;
    shared.stop = true;
    await Promise.all(running);
    await shared.gate.close();
    closeSync(file);
  };
  return {
    tables,
    unexpected: shared.unexpected,
    wroteEach: () => wroteEach(shared, tables),
    pause: async () => {
      shared.paused = true;
      while (shared.busy > 0) await sleep(1);
    },
    resume: () => void (shared.paused = false),
    end: () => (ended ??= end()),
  };
}

async function statementsOf(cluster, name, values) {
  return new Statements(loadTable(await findKnownTable(background(), cluster, CELL, name), values), 'crash');
}

/** Resolves once every table has taken a write from now on; rejects with the last refusal of one that takes none. */
async function wroteEach(shared, tables) {
  const before = new Map(shared.acknowledged);
  const missing = () => tables.find(({ table: { name } }) => (shared.acknowledged.get(name) ?? 0) <= (before.get(name) ?? 0));
  const end = Date.now() + 2 * PATIENCE;
  while (missing() !== undefined) {
    if (Date.now() > end) throw new Error(`table ${missing().table.name} takes no writes: ${shared.last ?? 'no answer'}`);
    await sleep(2);
  }
}

async function write(shared, tables, index, random) {
  let own = [];
  let key = TOP - index;
  while (!shared.stop) {
    if (!shared.paused) {
      own = own.filter(({ row }) => !row.over);
      const drawn = random.below(10);
      if (drawn < 5 || own.length === 0) {
        const statements = tables[random.below(tables.length)];
        const row = newRow(statements.table.name, key);
        key -= WRITERS;
        if (await send(shared, row, 1, statements.insert(row.key, 1))) own.push({ row, statements });
      } else {
        const { row, statements } = own[random.below(own.length)];
        const remove = drawn > 7 && own.length > LEAST_ROWS;
        const version = remove ? 0 : nextVersion(row, statements.table.version.counts);
        await send(shared, row, version, remove ? statements.delete(row.key) : statements.update(row.key, version));
      }
    }
    await sleep(EVERY);
  }
}

/** Sends one statement, and logs it before and after. True if it was acknowledged. */
async function send(shared, row, version, sql) {
  const log = (outcome) => writeSync(shared.file, `${JSON.stringify({ table: row.table, key: row.key, version, outcome })}\n`);
  shared.busy++;
  log('sent');
  const limited = withTimeout(background(), shared.cluster.world.clock, PATIENCE);
  let outcome = 'acknowledged';
  try {
    await shared.gate.run(limited.ctx, { sql });
    shared.acknowledged.set(row.table, (shared.acknowledged.get(row.table) ?? 0) + 1);
  } catch (error) {
    outcome = outcomeOf(error);
    shared.last = error.message;
    // Whatever becomes of a cluster, a client is told so in words of a server.
    if (!(error instanceof VtError)) shared.unexpected.push(`a client was told: ${error.stack}`);
  } finally {
    limited.end();
  }
  log(outcome);
  record(row, version, outcome);
  shared.busy--;
  return outcome === 'acknowledged';
}
