import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { folder, removeAll, run, start } from '../../helpers/process.ts';

afterAll(removeAll);
const cwd = folder();

const scenario = (name: string, expects: string): string =>
  `scenario: ${name}\ngiven: { cluster: commerce }\nsteps:\n  - run: GetKeyspaces\n    expect: { stdout: { contains: ${expects} } }\n`;

beforeAll(() => {
  mkdirSync(join(cwd, 'all'));
  for (let n = 1; n <= 6; n++) writeFileSync(join(cwd, 'all', `s${n}.swt.yaml`), scenario(`s${n}`, n === 2 || n === 5 ? 'nothing' : 'commerce'));
});

const plain = (text: string): string => text.replace(/\d+(\.\d+)?(ms| ms|s)\b/g, 'T');

it('several threads give what one gives, in the same order, with their clusters kept', async () => {
  const one = await run(cwd, 'run all --keep a --seed 3');
  const three = await run(cwd, 'run all --keep a --seed 3 --jobs 3');
  expect(one.exit).toBe(1);
  expect(plain(three.stdout)).toBe(plain(one.stdout));
  expect(three).toMatchObject({ exit: 1, signal: null, stderr: '' });
  expect(readdirSync(join(cwd, 'a')).toSorted()).toEqual(['s2', 's5']);
});

/** Runs in every thread but the first: `answer` is called instead of each answer, with how to give it. */
function inThreads(name: string, answer: string): string {
  const hook = join(cwd, name);
  writeFileSync(hook, `const { parentPort: port } = require('node:worker_threads'); if (port) { const post = port.postMessage.bind(port); port.postMessage = (m) => { ${answer} }; }`);
  return `--require ${hook}`;
}

it('a thread that dies costs its scenario, is reported, and nothing hangs', async () => {
  const ended = await run(cwd, 'run all --jobs 2 --report tap=out.tap', { NODE_OPTIONS: inThreads('die.cjs', 'process.exit(9)') });
  expect(ended.exit).toBe(70);
  expect(ended.stderr).toMatch(/^switchtraffic: all\/s\d\.swt\.yaml: the thread that ran it died \(exit 9\)$/m);
  expect(ended.stdout).toMatch(/could not be run/);
  expect(readdirSync(cwd)).toContain('out.tap');
});

it('a signal ends them all, and what ran is reported', async () => {
  const running = start(cwd, 'run all --jobs 2 --report tap=stopped.tap', { NODE_OPTIONS: inThreads('hang.cjs', "require('fs').writeSync(2, 'hangs\\n'); for (;;);") });
  await running.said('hangs');
  running.child.kill('SIGTERM');
  const ended = await running.ended;
  expect(ended.exit).toBe(143);
  expect(ended.stdout).toMatch(/6 scenarios: .* not run/);
  expect(readdirSync(cwd)).toContain('stopped.tap');
});
