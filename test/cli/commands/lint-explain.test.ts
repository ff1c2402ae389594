import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileHost } from '../../../src/cli/host.ts';
import { makeShell, type ShellResult } from '../../../src/cli/shell.ts';
import { words } from '../../helpers/shell.ts';

const root = mkdtempSync(join(tmpdir(), 'switchtraffic-lint-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const type = (line: string): Promise<ShellResult> => makeShell(fileHost('.switchtraffic', root), { cwd: root })(words(line));

const GOOD = 'scenario: good\ngiven: { cluster: commerce }\nsteps:\n  - run: GetKeyspaces\n';

beforeAll(() => {
  for (const name of ['all', 'all/node_modules', 'all/deep', 'empty']) mkdirSync(join(root, name));
  writeFileSync(join(root, 'all/good.swt.yaml'), GOOD);
  writeFileSync(join(root, 'all/node_modules/bad.swt.yaml'), 'x');
  writeFileSync(join(root, 'all/other.yaml'), 'jobs: []\n');
  writeFileSync(join(root, 'all/cluster.yaml'), 'cells: [a]\nkeyspaces: {}\nkeyspaces: {}\n');
  writeFileSync(join(root, 'all/deep/bad.swt.yaml'), GOOD.replace('commerce', 'comerce'));
  writeFileSync(join(root, 'all/deep/worse.swt.yaml'), GOOD.replace('steps', 'stops'));
});

describe('lint', () => {
  it("prints each file's first problem with its place and what to do, for scenarios and clusters", async () => {
    expect(await type('lint all')).toEqual({
      exit: 2,
      stderr: '',
      stdout: [
        'all/cluster.yaml:3:1: this key was given before in the same map',
        'all/deep/bad.swt.yaml:2:19: there is no example "comerce"; did you mean "commerce"?',
        '  the examples are: commerce, customer-sharded, two-cells; a cluster file is named with its path',
        'all/deep/worse.swt.yaml:3:1: unknown key "stops"; did you mean "steps"?',
        '  keys here: scenario, about, issue, given, cases, steps, always',
        '4 files, 3 with a problem',
        '',
      ].join('\n'),
    });
  });

  it('names each file once, and all of them in JSON', async () => {
    const { exit, stdout } = await type('lint all/good.swt.yaml ./all/good.swt.yaml all/deep/bad.swt.yaml --format json');
    expect(exit).toBe(2);
    const { version, files } = JSON.parse(stdout) as { version: number; files: { file: string; kind: string; problem: { line: number } | null }[] };
    expect(version).toBe(1);
    expect(files.map(({ file, kind, problem }) => [file, kind, problem?.line ?? null])).toEqual([
      ['all/good.swt.yaml', 'scenario', null],
      ['all/deep/bad.swt.yaml', 'scenario', 2],
    ]);
  });

  it.each([
    ['lint nothing', 'there is no file or folder nothing'],
    ['lint empty', 'the folder empty holds no scenario'],
    ['run empty', 'the folder empty holds no scenario'],
  ])('%s is refused', async (line, says) => {
    expect(await type(line)).toMatchObject({ exit: 2, stdout: '', stderr: expect.stringContaining(says) as string });
  });
});

describe('explain', () => {
  const example = fileURLToPath(new URL('../../../fixtures/scenarios/catch-up-fails.swt.yaml', import.meta.url));

  it('says what a scenario does, with where each fault strikes', async () => {
    const { exit, stdout } = await type(`explain ${example} --only v21`);
    expect(exit).toBe(0);
    const text = stdout.replace(/\s+/g, ' ');
    for (const part of [
      'given: the cluster commerce, as Vitess 21.0.2',
      '1. remember the state as "before"',
      'fault before switchTraffic/writes/waitForCatchup (wait until the streams have applied everything, and stop them): fails with DEADLINE_EXCEEDED; a failure there: rolls back',
      '- it ends with 1',
      '- commerce/0 denies corder, customer',
      '- writes of customer are refused',
      'run the commands that the failed command printed',
      'after every step: - no lock is held',
    ]) expect(text).toContain(part);
    expect(text).not.toContain('hardened');
  });

  it('is legible on 80 columns, commands apart', async () => {
    const { stdout } = await type(`explain ${example}`);
    expect(stdout.split('\n').filter((line) => line.length > 80 && !line.trim().startsWith('$'))).toEqual([]);
  });

  it('refuses what it cannot read or find, and runs nothing', async () => {
    expect((await type('explain all/deep/bad.swt.yaml')).exit).toBe(2);
    expect(await type('explain all/good.swt.yaml --only godo')).toMatchObject({ exit: 2, stdout: '', stderr: expect.stringContaining('did you mean "good"?') as string });
  });
});
