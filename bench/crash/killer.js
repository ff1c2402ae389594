// The thread that kills (see hook.js): sleeps until it is armed, spins until the instant, and kills the process it is a part of.
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

const armed = new Int32Array(workerData.memory, 0, 1);
const at = new BigInt64Array(workerData.memory, 8, 1);

// The first call takes longest: it is not to be this one.
process.kill(process.pid, 0);
Atomics.wait(armed, 0, 0);
let now = process.hrtime.bigint();
while (now < at[0]) now = process.hrtime.bigint();
writeSync(workerData.notes, `K ${now}\n`);
process.kill(process.pid, 'SIGKILL');
