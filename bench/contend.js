// `npm run contend [-- --seconds N] [-- --processes N] [-- --json]`: many processes and one keyspace's lock, each as fast as it can.
// Prints what came of it, and ends with 1 when something that has to hold did not.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureBuilt } from './build.js';
import { machine } from './print.js';
import { median, withFolder } from './measure.js';

const HELD_MS = 2;
const MOST_JAIN_OFF = 0.01;
const DEAD_MS = 50;
const UNKNOWN_MS = 100;
/** How long a waiter has waited when the holder is killed: it looks less often the longer it waits. */
const WAITED_MS = [20, 60, 150, 400, 800, 1500, 20, 150, 400, 800];
const LEASE_MS = 1200;
const UNKNOWN_ROUNDS = 3;

const options = readOptions();
ensureBuilt();
const { createCluster } = await import('../dist/tablet/bootstrap.js');
const { WALL_ALLOWANCE_MS } = await import('../dist/topo/conn/lease-clock.js');
const { filesIn, keyspace, openCluster } = await import('./cluster.js');
const { default: BetterSqlite3 } = await import('better-sqlite3');

const figures = [];
await withFolder(async (folder) => {
  const state = join(folder, 'state');
  await make(state);
  await make(join(folder, 'control'));
  await race(state, folder);
  await takeOver(state);
});
report();

async function make(state) {
  const opened = openCluster(filesIn(state));
  await createCluster(opened.ctx, opened.cluster, { cells: ['zone1'], keyspaces: [keyspace('commerce')] });
  await opened.close();
}

/**
 * What a turn costs with nobody in the way depends on what else the machine does, and on the race itself: so one more process takes
 * a lock of its own, in a cluster of its own, all the while. Its median turn is what is called hold here.
 */
async function race(state, folder) {
  const before = await run(start('alone', state, String(HELD_MS), '500'));
  const witness = join(folder, 'witness');
  mkdirSync(witness);
  const racers = Array.from({ length: options.processes }, () => start('race', state, String(HELD_MS), witness, String(options.seconds * 1000)));
  await Promise.all(racers.map((racer) => racer.line('ready')));
  const control = start('alone', join(folder, 'control'), String(HELD_MS), String(options.seconds * 1000));
  for (const racer of racers) racer.child.stdin.write('go\n');
  const results = await Promise.all(racers.map(run));
  const { turn: hold, longest } = await run(control);
  const log = readFileSync(join(witness, 'log'), 'utf8').trim().split('\n').map((line) => line.split(' ').map(Number));
  const counts = results.map((result) => result.waits.length);
  const waits = results.flatMap((result) => result.waits);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const jain = total ** 2 / (counts.length * counts.reduce((sum, count) => sum + count ** 2, 0));
  const together = results.reduce((sum, result) => sum + result.together, 0) + overlaps(log);
  const bound = 3 * options.processes * hold;
  const cpu = results.reduce((sum, result) => sum + result.cpuMs, 0);
  say('one process alone', `${before.turn.toFixed(2)} ms a turn before the race, ${hold.toFixed(2)} ms beside it (= hold): ${HELD_MS} ms held, the rest taking and letting go; its longest ${longest.toFixed(1)} ms`);
  say('turns', `${total} in ${options.seconds} s, ${((100 * cpu) / (options.seconds * 1000)).toFixed(0)} % of a core (${(total / options.seconds).toFixed(0)} a second; ${((options.seconds * 1000) / total).toFixed(2)} ms each), each process ${Math.min(...counts)} to ${Math.max(...counts)}`);
  check('two inside', together, together === 0, '0, by a file made with O_EXCL and a log of fence tokens');
  check('tokens that did not grow', shrinking(log), shrinking(log) === 0 && log.length === total, `0 in ${log.length} entries`);
  check("Jain's index", jain.toFixed(4), jain >= 1 - MOST_JAIN_OFF, `at least ${1 - MOST_JAIN_OFF}`);
  check('longest wait', `${Math.max(...waits).toFixed(1)} ms (median ${median(waits).toFixed(1)})`, Math.max(...waits) <= bound, `at most ${bound.toFixed(1)} ms = 3 x ${options.processes} x hold`);
}

/** Pairs of neighbours in the log of which the second came in before the first had gone. */
function overlaps(log) {
  return log.filter(([, , entered], index) => index > 0 && entered < log[index - 1][3]).length;
}

function shrinking(log) {
  return log.filter(([token], index) => index > 0 && token <= log[index - 1][0]).length;
}

/** Kills a holder and sees how soon the next in line has the lock. */
async function takeOver(state) {
  const dead = [];
  for (const waited of WAITED_MS) dead.push((await afterKill(state, waited, () => {})).sinceKill);
  check('after a holder proved dead', `${Math.max(...dead).toFixed(1)} ms (median ${median(dead).toFixed(1)}, of ${dead.length})`, Math.max(...dead) <= DEAD_MS, `at most ${DEAD_MS} ms after the kill`);
  const rename = (changes) => (database, token) =>
    database.prepare(`UPDATE lease SET owner = json_set(owner, ${changes}) WHERE id = (SELECT lease_id FROM ticket WHERE token = ?)`).run(token);
  const kinds = [
    ['after one of another container', rename(`'$.host', 'elsewhere'`), 0],
    ['after one of another machine', rename(`'$.host', 'elsewhere', '$.boot', 'elsewhere'`), WALL_ALLOWANCE_MS],
  ];
  for (const [name, fake, allowance] of kinds) {
    const late = [];
    for (let i = 0; i < UNKNOWN_ROUNDS; i++) late.push((await afterKill(state, 300, fake)).sinceLease - allowance);
    const early = late.some((ms) => ms < 0);
    const what = allowance === 0 ? 'the lease' : `the lease and the ${allowance} ms allowed for other clocks`;
    check(name, `${Math.max(...late).toFixed(1)} ms${early ? ', once too EARLY' : ''} (of ${late.length})`, !early && Math.max(...late) <= UNKNOWN_MS, `at most ${UNKNOWN_MS} ms after ${what}`);
  }
}

async function afterKill(state, waitedMs, fake) {
  const holder = start('hold', state, String(LEASE_MS));
  const { token } = JSON.parse(await holder.line('{'));
  const database = new BetterSqlite3(join(state, 'topology.db'));
  fake(database, token);
  const taker = start('take', state);
  await taker.line('waiting');
  await new Promise((resolve) => setTimeout(resolve, waitedMs));
  const killed = now();
  holder.child.kill('SIGKILL');
  const lease = database.prepare('SELECT expires FROM lease WHERE id = (SELECT lease_id FROM ticket WHERE token = ?)').get(token);
  database.close();
  const { granted } = await run(taker);
  return { sinceKill: granted - killed, sinceLease: granted - (lease?.expires ?? NaN) };
}

/** The clock that leases are measured on, which all processes share. */
function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}

function start(...argv) {
  const script = fileURLToPath(new URL('contend-once.js', import.meta.url));
  const child = spawn(process.execPath, [script, ...argv], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = [];
  const waiting = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const look of waiting) look();
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const line = (text) =>
    new Promise((resolve, reject) => {
      const look = () => {
        const found = lines.find((one) => one.startsWith(text));
        if (found !== undefined) resolve(found);
      };
      waiting.push(look);
      look();
      void ended.then(() => reject(new Error(`contend-once ${argv[0]} ended without "${text}"`)));
    });
  return { child, line, ended };
}

/** What it says at its end. */
async function run({ line, ended }) {
  const result = JSON.parse(await line('{'));
  await ended;
  return result;
}

function say(what, value) {
  figures.push({ what, value });
}

function check(what, value, holds, has) {
  figures.push({ what, value, has, holds });
}

function report() {
  const missed = figures.filter(({ holds }) => holds === false).length;
  const here = machine();
  if (options.json) process.stdout.write(`${JSON.stringify({ machine: here, processes: options.processes, seconds: options.seconds, figures }, null, 2)}\n`);
  else {
    process.stdout.write(`${here.cpus} x ${here.cpu}, node ${here.node}, ${here.platform}; ${options.processes} processes, one keyspace\n\n`);
    for (const { what, value, has, holds } of figures) {
      const verdict = holds === undefined ? '   ' : holds ? 'ok ' : 'NO ';
      process.stdout.write(`${verdict} ${what.padEnd(32)} ${value}${has === undefined ? '' : `   [${has}]`}\n`);
    }
  }
  process.exitCode = missed === 0 ? 0 : 1;
}

function readOptions() {
  try {
    const { values } = parseArgs({ options: { json: { type: 'boolean' }, seconds: { type: 'string' }, processes: { type: 'string' } } });
    const number = (name, otherwise) => {
      const value = Number(values[name] ?? otherwise);
      if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} ${values[name]} is not a positive number`);
      return value;
    };
    return { json: values.json === true, seconds: number('seconds', 10), processes: number('processes', 8) };
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}
