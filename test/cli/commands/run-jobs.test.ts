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

it('several processes give what one gives, in the same order, with their clusters kept', async () => {
  const one = await run(cwd, 'run all --keep a --seed 3');
  const three = await run(cwd, 'run all --keep a --seed 3 --jobs 3');
  expect(one.exit).toBe(1);
  expect(plain(three.stdout)).toBe(plain(one.stdout));
  expect(three).toMatchObject({ exit: 1, signal: null, stderr: '' });
  expect(readdirSync(join(cwd, 'a')).toSorted()).toEqual(['s2', 's5']);
});

it('a process that dies costs its scenario, is reported, and nothing hangs', async () => {
  // A worker that is killed at its second answer, as by the kernel when memory is short.
  const hook = join(cwd, 'die.cjs');
  writeFileSync(hook, "const send = process.send; let n = 0; if (send) process.send = function (...a) { if (++n === 3) process.kill(process.pid, 'SIGKILL'); return send.apply(this, a); };");
  const ended = await run(cwd, 'run all --jobs 2 --report tap=out.tap', { NODE_OPTIONS: `--require ${hook}` });
  expect(ended.exit).toBe(70);
  expect(ended.stderr).toMatch(/^switchtraffic: all\/s\d\.swt\.yaml: the process that ran it died \(SIGKILL\)$/m);
  expect(ended.stdout).toMatch(/could not be run/);
  expect(readdirSync(cwd)).toContain('out.tap');
});

it('a signal ends them all, and what ran is reported', async () => {
  const hook = join(cwd, 'hang.cjs');
  writeFileSync(hook, "const send = process.send; if (send) process.send = function (m, ...a) { if (m.id >= 2) { require('fs').writeSync(2, 'hangs\\n'); for (;;); } return send.call(this, m, ...a); };");
  const running = start(cwd, 'run all --jobs 2 --report tap=stopped.tap', { NODE_OPTIONS: `--require ${hook}` });
  await running.said('hangs');
  running.child.kill('SIGTERM');
  const ended = await running.ended;
  expect(ended.exit).toBe(143);
  expect(ended.stdout).toMatch(/6 scenarios: .* not run/);
  expect(readdirSync(cwd)).toContain('stopped.tap');
});
