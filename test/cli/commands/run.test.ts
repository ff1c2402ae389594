import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileHost } from '../../../src/cli/host.ts';
import { makeShell, type ShellResult } from '../../../src/cli/shell.ts';
import { elements, readXml } from '../../helpers/read-xml.ts';
import { words } from '../../helpers/shell.ts';

const root = mkdtempSync(join(tmpdir(), 'switchtraffic-run-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function type(line: string, env: Record<string, string> = {}): Promise<ShellResult> {
  return makeShell(fileHost('.switchtraffic', root), { cwd: root })(words(line), { env });
}
const write = (name: string, text: string): void => writeFileSync(join(root, name), text);
const read = (name: string): string => readFileSync(join(root, name), 'utf8');

const GOOD = 'scenario: good\ngiven: { cluster: commerce }\ncases: [{ n: 1 }, { n: 2 }]\nsteps:\n  - run: GetKeyspaces\n    expect: { stdout: { contains: commerce } }\n';
const BAD = 'scenario: bad one\ngiven: { cluster: commerce }\nsteps:\n  - run: GetKeyspaces\n    expect: { stdout: { contains: nothing of the sort } }\n';
const VACUOUS = 'scenario: vacuous\ngiven: { cluster: commerce }\nsteps:\n  - run: GetKeyspaces\n    faults: { switchTraffic/writes/checkLocks: return }\n';

beforeAll(() => {
  mkdirSync(join(root, 'all'));
  write('all/bad.swt.yaml', BAD);
  write('all/good.swt.yaml', GOOD);
  write('good.swt.yaml', GOOD);
  write('vacuous.swt.yaml', VACUOUS);
  write('golden.swt.yaml', "scenario: golden\ngiven: { cluster: commerce }\nsteps:\n  - run: GetKeyspaces\n    expect: { stdout: { golden: keyspaces.txt } }\n");
});

describe('reports', () => {
  it('are all written, and what people read goes to stderr when one is on stdout', async () => {
    const ran = await type('run all --report junit=out.xml --report json=out.json --report tap=-');
    expect(ran.exit).toBe(1);
    expect(ran.stdout).toMatch(/^TAP version 14\n1\.\.3\nnot ok 1 - bad one\n/);
    expect(ran.stderr).toContain('✗ bad one');
    expect(ran.stderr).toContain('3 scenarios: 2 passed, 1 failed');
    expect(elements(readXml(read('out.xml')), 'failure')).toHaveLength(1);
    expect(JSON.parse(read('out.json'))).toMatchObject({ version: 1, summary: { passed: 2, failed: 1, exit: 1 } });
    expect(readdirSync(root).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('replace the file behind a link, and the link stays', async () => {
    write('real.tap', 'old');
    symlinkSync('real.tap', join(root, 'link.tap'));
    await type('run good.swt.yaml --report tap=link.tap');
    expect(lstatSync(join(root, 'link.tap')).isSymbolicLink()).toBe(true);
    expect(read('real.tap')).toContain('ok 2 - good [n=2]');
  });

  it('add a table to the page of the job, and count paths from the root of the repository', async () => {
    const env = { GITHUB_STEP_SUMMARY: join(root, 'summary.md'), GITHUB_WORKSPACE: join(root, '..') };
    write('summary.md', 'before\n');
    const { stdout } = await type('run all --report github=-', env);
    expect(stdout).toContain(`::error file=${root.split('/').at(-1)}/all/bad.swt.yaml,line=5,`);
    expect(read('summary.md')).toMatch(/^before\n### switchtraffic: 2 of 3 scenarios passed/);
  });

  it('in JSON are what --format json prints', async () => {
    const clean = (text: string): unknown => JSON.parse(text, (key, value: unknown) => (key === 'durationMs' ? 0 : value));
    const printed = await type('run good.swt.yaml --format json --report json=same.json');
    expect(printed.stderr).toBe('');
    expect(clean(printed.stdout)).toEqual(clean(read('same.json')));
  });

  it.each([
    ['--report junit', 'has no file'],
    ['--report unit=x', 'did you mean "junit"?'],
    ['--report junit=no/such/x.xml', 'there is no folder no/such'],
    ['--report junit=all', 'is a folder'],
    ['--report junit=- --report tap=-', 'two reports on stdout would mix'],
    ['--report junit=- --format json', 'would mix'],
    ['--report junit=x --report tap=./x', 'two reports would be written to'],
    ['--report junit=good.swt.yaml', 'would overwrite a scenario'],
  ])('%s is refused before anything runs', async (flags, says) => {
    const ran = await type(`run good.swt.yaml ${flags}`);
    expect(ran).toMatchObject({ exit: 2, stdout: '' });
    expect(ran.stderr).toContain(says);
    expect(read('good.swt.yaml')).toBe(GOOD);
  });

  it.skipIf(process.getuid?.() === 0)('into a folder that cannot be written are refused', async () => {
    mkdirSync(join(root, 'closed'));
    chmodSync(join(root, 'closed'), 0o500);
    expect((await type('run good.swt.yaml --report tap=closed/x')).exit).toBe(2);
  });
});

describe('flags', () => {
  it.each([
    ['--state x', {}, '--state has no meaning for run'],
    ['--fault a=return', {}, '--fault has no meaning for run'],
    ['--seed -1', {}, '--seed -1 is not a number from 0'],
    ['--jobs 0', {}, '--jobs 0 is not'],
    ['--jobs -2', {}, '--jobs -2 is not'],
    ['--jobs 1000', {}, '--jobs 1000 is not'],
    ['--keep good.swt.yaml', {}, 'is not a folder'],
    ['--keep good.swt.yaml/below', {}, 'is not a folder'],
    ["--keep ''", {}, '--keep has no folder'],
    ['--shard 3/2', {}, 'bad share "3/2"'],
    ['--shard two', {}, 'bad share "two"'],
    ['--update', { CI: 'true' }, 'this is a CI job'],
    ['--format xml', {}, 'xml'],
    ['--vitess-version v99', {}, 'v99'],
  ])('%s %j is refused', async (flags, env: Record<string, string>, says) => {
    const ran = await type(`run good.swt.yaml ${flags}`, env);
    expect(ran).toMatchObject({ exit: 2, stdout: '' });
    expect(ran.stderr.split('\n')[0]).toContain(says);
  });

  it('--only chooses by title; nothing chosen is 4 and says what titles there are', async () => {
    expect((await type('run all --only n=2')).stdout).toMatch(/^✓ good \[n=2\] .*\n1 scenario: 1 passed/);
    const none = await type('run all --only n=3');
    expect(none.exit).toBe(4);
    expect(none.stderr).toContain('no title holds "n=3"');
  });

  it('--shard splits them, each into one share; an empty share is no failure', async () => {
    const shares = await Promise.all([1, 2, 3, 4, 5, 6, 7].map((part) => type(`run good.swt.yaml --shard ${part}/7`)));
    expect(shares.map(({ exit }) => exit)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(shares.map(({ stdout }) => stdout).join('').match(/✓ good \[n=\d\]/g)?.toSorted()).toEqual(['✓ good [n=1]', '✓ good [n=2]']);
  });

  it('--keep leaves the cluster of what did not pass, also a second time', async () => {
    for (let time = 0; time < 2; time++) {
      const ran = await type('run all --keep kept');
      expect(ran.exit).toBe(1);
      expect(ran.stdout).toContain('switchtraffic --state kept/bad-one show keyspace');
    }
    expect(readdirSync(join(root, 'kept'))).toEqual(['bad-one']);
    const kept = makeShell(fileHost('kept/bad-one', root), { cwd: root });
    expect((await kept(['GetKeyspaces'])).stdout).toContain('commerce');
  });

  it('--update writes golden files, and then they are right', async () => {
    const missing = await type('run golden.swt.yaml');
    expect(missing.exit).toBe(1);
    expect(missing.stdout).toContain('the golden file keyspaces.txt is not there; write it with --update');
    const written = await type('run golden.swt.yaml --update', { CI: '' });
    expect(written).toMatchObject({ exit: 0, stderr: 'wrote keyspaces.txt\n' });
    expect(await type('run golden.swt.yaml --update')).toMatchObject({ exit: 0, stderr: '' });
    expect((await type('run golden.swt.yaml')).exit).toBe(0);
    expect(existsSync(join(root, 'keyspaces.txt'))).toBe(true);
  });
});

describe('what is printed', () => {
  it('is a line for what passed, and the failing part of what did not', async () => {
    const { stdout } = await type('run all');
    expect(stdout.replace(/\d+(\.\d+)?(ms| ms|s)\b/g, 'T')).toBe(
      [
        '✗ bad one (1 step, T)',
        '  step 1 of 1 at all/bad.swt.yaml:4:5',
        '    $ switchtraffic GetKeyspaces',
        '    exit 0',
        '    stdout:',
        ...(await type('run all --format json').then(({ stdout: json }) => (JSON.parse(json) as { scenarios: { steps: { stdout: string }[] }[] }).scenarios[0]!.steps[0]!.stdout.trimEnd().split('\n').map((line) => `    | ${line}`))),
        '  ✗ stdout at all/bad.swt.yaml:5:23',
        '    does not contain "nothing of the sort"',
        '  reproduce: switchtraffic run all/bad.swt.yaml --seed 1',
        '',
        '✓ good [n=1] (1 step, T)',
        '✓ good [n=2] (1 step, T)',
        '3 scenarios: 2 passed, 1 failed in T',
        '',
      ].join('\n'),
    );
  });

  it('names a fault that never fired, and ends with 4', async () => {
    const { exit, stdout } = await type('run vacuous.swt.yaml');
    expect(exit).toBe(4);
    expect(stdout).toContain('○ vacuous');
    expect(stdout).toContain('never fired: its place was never reached');
  });
});
