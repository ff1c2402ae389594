// Keeps V8's code of the bundle, of the functions that usual commands call: those are run, and what was compiled by then is
// written beside the bundle, for bin/load.js. Called when the bundle is made.
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const { BUNDLE, KEPT, LENGTH_DIGITS, compile, loaded, scriptOf } = createRequire(import.meta.url)('../bin/load.js');

const WORKFLOW = 'MoveTables --workflow c2c --target-keyspace customer';
const COMMANDS = [
  '--help',
  'init commerce',
  `${WORKFLOW} create --source-keyspace commerce --tables customer,corder`,
  `${WORKFLOW} show`,
  `${WORKFLOW} status`,
  `${WORKFLOW} switchtraffic --dry-run`,
  `${WORKFLOW} switchtraffic --fault switchTraffic/writes/waitForCatchup=return`,
  `${WORKFLOW} switchtraffic`,
  'show keyspace',
  'show shard',
  'show workflow',
  'show locks',
  'show routing',
  'query select customer_id from customer limit 1',
  `${WORKFLOW} reversetraffic`,
  `${WORKFLOW} cancel`,
  'steps',
  'lint SCENARIOS/f01-lost-locks.swt.yaml',
  'run SCENARIOS/f01-lost-locks.swt.yaml SCENARIOS/d3-reads-of-a-failed-switch.swt.yaml SCENARIOS/f20-hopeless-lag.swt.yaml',
];

const scenarios = fileURLToPath(new URL('../fixtures/scenarios', import.meta.url));
const silent = { write: () => {}, isTTY: false, columns: 0 };

async function runAll(folder) {
  const { main } = compile('main.js');
  compile('io.js').processIo();
  const io = { stdout: silent, stderr: silent, env: {}, cwd: folder, now: () => 0 };
  for (const line of COMMANDS) await main(line.split(' ').map((word) => word.replace('SCENARIOS', scenarios)), io);
}

const folder = mkdtempSync(join(tmpdir(), 'switchtraffic-compile-'));
try {
  await runAll(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const index = {};
const bytes = [];
let at = 0;
for (const name of readdirSync(BUNDLE).filter((file) => file.endsWith('.js'))) {
  const source = readFileSync(join(BUNDLE, name));
  const code = (loaded.get(name)?.script ?? scriptOf(name, source.toString())).createCachedData();
  index[name] = { at, source: source.length, code: code.length };
  bytes.push(source, code);
  at += source.length + code.length;
}
const head = Buffer.from(JSON.stringify(index));
// Nobody sees half of it.
const draft = `${KEPT}.${process.pid}`;
writeFileSync(draft, Buffer.concat([Buffer.from(String(head.length).padStart(LENGTH_DIGITS, '0')), head, ...bytes]));
renameSync(draft, KEPT);
