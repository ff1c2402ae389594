// Preloaded into a command that is to die (`node --import …/hook.js bin/switchtraffic.js …`). It counts what the command commits, over
// all its files, by wrapping the SQLite driver, and sends SIGKILL at an instant chosen beforehand. The product knows nothing of it.
//
// What happened is written down as it happens, one line each, into a file that outlives the process (notes.js reads it):
//   B n t    commit n begins, at t nanoseconds of the machine's monotonic clock
//   A n t    it has ended; X n t: it turned out to write nothing, and was not counted
//   I step / O step   a step of the command begins, has ended
//   K t      the killer wakes and kills
import { openSync, writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import BetterSqlite3 from 'better-sqlite3';

/** `notes`: the file. `kill`: at which commit, and when. Without it the commits are only counted. */
const order = JSON.parse(process.env['SWITCHTRAFFIC_CRASH']);
const notes = openSync(order.notes, 'a');
const note = (line) => writeSync(notes, `${line}\n`);
const now = () => process.hrtime.bigint();

const killer = order.kill === undefined || order.kill.instead === true ? undefined : startKiller();
/** Connections whose open transaction has changed something. */
const changed = new WeakSet();
let commits = 0;

/** A thread of its own: the main one may be waiting for the disk when the instant comes. */
function startKiller() {
  const memory = new SharedArrayBuffer(16);
  const worker = new Worker(new URL('killer.js', import.meta.url), { workerData: { memory, notes }, execArgv: [] });
  worker.unref();
  return { armed: new Int32Array(memory, 0, 1), at: new BigInt64Array(memory, 8, 1) };
}

function killAt(instant) {
  killer.at[0] = instant;
  Atomics.store(killer.armed, 0, 1);
  Atomics.notify(killer.armed, 0);
}

/** Dies before the commit that was to come. */
function killHere() {
  note(`K ${now()}`);
  process.kill(process.pid, 'SIGKILL');
}

/** Runs a commit, which writes if `writes` says so afterwards. */
function commit(run, writes) {
  const n = commits + 1;
  const began = now();
  if (order.kill?.commit === n && order.kill.instead === true) killHere();
  note(`B ${n} ${began}`);
  if (order.kill?.commit === n && order.kill.fromBegin !== undefined) killAt(began + BigInt(order.kill.fromBegin));
  const result = run();
  const ended = now();
  if (!writes(result)) {
    note(`X ${n} ${ended}`);
    return result;
  }
  commits = n;
  note(`A ${n} ${ended}`);
  if (order.kill?.commit === n + 1 && order.kill.fromPrevious !== undefined) killAt(ended + BigInt(order.kill.fromPrevious));
  return result;
}

const { prepare, exec } = BetterSqlite3.prototype;

BetterSqlite3.prototype.prepare = function (sql) {
  const statement = prepare.call(this, sql);
  if (sql === 'COMMIT') wrapCommit(this, statement);
  else if (!statement.readonly && !/^\s*(?:BEGIN|SAVEPOINT|RELEASE|ROLLBACK|ATTACH|DETACH|PRAGMA)/i.test(sql)) wrapWrite(this, statement);
  return statement;
};

function wrapCommit(db, statement) {
  const { run } = statement;
  statement.run = () => {
    if (!changed.has(db)) return run.call(statement);
    return commit(
      () => {
        const result = run.call(statement);
        changed.delete(db);
        return result;
      },
      () => true,
    );
  };
}

/** A statement that changes rows: part of a transaction, or a commit of its own. */
function wrapWrite(db, statement) {
  for (const method of ['run', 'get', 'all']) {
    const original = statement[method];
    if (typeof original !== 'function') continue;
    statement[method] = (...params) => {
      const run = () => original.apply(statement, params);
      const writes = (result) => method !== 'run' || result.changes > 0;
      if (!db.inTransaction) return commit(run, writes);
      const result = run();
      if (writes(result)) changed.add(db);
      return result;
    };
  }
}

BetterSqlite3.prototype.exec = function (sql) {
  const run = () => exec.call(this, sql);
  if (/^\s*ROLLBACK(?! TO)/i.test(sql)) changed.delete(this);
  if (!/^\s*(?:CREATE|DROP|ALTER|INSERT|UPDATE|DELETE)/i.test(sql)) return run();
  if (!this.inTransaction) return commit(run, () => true);
  changed.add(this);
  return run();
};

/** The faults that say which step begins and ends: `print` changes nothing. */
const SAYS = /^fault at (\S+?):(before|after)(?:@\S+)?: crash\n$/;
const { write } = process.stderr;
process.stderr.write = function (text, ...more) {
  const said = SAYS.exec(String(text));
  if (said === null) return write.call(this, text, ...more);
  note(`${said[2] === 'before' ? 'I' : 'O'} ${said[1]}`);
  return true;
};
