// One process of `npm run contend`: `alone`, `race`, `hold` or `take`. Its last line on stdout is one JSON document.
import { appendFileSync, openSync, closeSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { lockKeyspace } from '../dist/topo/locks.js';
import { lockDirs } from '../dist/topo/paths.js';
import { filesIn, openCluster } from './cluster.js';
import { median } from './measure.js';

const [mode, state, ...rest] = process.argv.slice(2);
const { ctx, cluster, close } = openCluster(filesIn(state));
const now = () => Number(process.hrtime.bigint()) / 1e6;
const still = new Int32Array(new SharedArrayBuffer(4));
/** Stands still to the microsecond; a timer would be rounded up. */
const hold = (ms) => Atomics.wait(still, 0, 0, ms);
const say = (what) => process.stdout.write(`${typeof what === 'string' ? what : JSON.stringify(what)}\n`);

const MODES = {
  /** What a turn takes with nobody else there. */
  async alone(heldMs, ms) {
    const turns = [];
    const until = now() + Number(ms);
    for (;;) {
      const from = now();
      if (from >= until) break;
      const locked = await lockKeyspace(ctx, cluster.topo, 'commerce', 'contend');
      hold(Number(heldMs));
      await locked.unlock(undefined);
      turns.push(now() - from);
    }
    say({ turn: median(turns), longest: Math.max(...turns) });
  },

  /** Takes the lock, stays, lets go, and again. Whoever is inside is alone with a file that only one can make. */
  async race(heldMs, witness, ms) {
    const inside = join(witness, 'inside');
    const log = join(witness, 'log');
    const waits = [];
    let together = 0;
    // Once before it counts: what a process loads and prepares is not waiting for a lock.
    await (await lockKeyspace(ctx, cluster.topo, 'commerce', 'contend')).unlock(undefined);
    say('ready');
    await new Promise((resolve) => process.stdin.once('data', resolve));
    process.stdin.destroy();
    const until = now() + Number(ms);
    const { user, system } = process.cpuUsage();
    for (;;) {
      const asked = now();
      if (asked >= until) break;
      const locked = await lockKeyspace(ctx, cluster.topo, 'commerce', 'contend');
      const entered = now();
      waits.push(entered - asked);
      const [{ token }] = cluster.topo.held;
      let alone = false;
      try {
        closeSync(openSync(inside, 'wx'));
        alone = true;
      } catch {
        together++;
      }
      hold(Number(heldMs) - (now() - entered));
      appendFileSync(log, `${token} ${process.pid} ${entered} ${now()}\n`);
      if (alone) unlinkSync(inside);
      await locked.unlock(undefined);
    }
    const used = process.cpuUsage({ user, system });
    say({ waits, together, cpuMs: (used.user + used.system) / 1000 });
  },

  /** Holds it until it is killed. */
  async hold(ttlMs) {
    const order = { dir: lockDirs.keyspace('commerce'), contents: '{}', ttlMs: Number(ttlMs), mustExist: true };
    const { token } = await cluster.topo.conn.lock(ctx, order);
    say({ token });
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  },

  /** Waits for it, and says when it had it. */
  async take() {
    const waiting = lockKeyspace(ctx, cluster.topo, 'commerce', 'contend');
    say('waiting');
    const locked = await waiting;
    const granted = now();
    await locked.unlock(undefined);
    say({ granted });
  },
};

await MODES[mode](...rest);
await close();
process.exit(0);
