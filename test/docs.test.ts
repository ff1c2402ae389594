import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
// @ts-expect-error a script without types; it reads what was built for the tests.
import { pages } from '../scripts/pages.js';
import { fileHost } from '../src/cli/host.ts';
import { makeShell, type ShellResult } from '../src/cli/shell.ts';
import { words } from './helpers/shell.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const made = (await (pages as () => Promise<Record<string, string>>)()) satisfies Record<string, string>;

it.each(Object.keys(made))('%s is what the tables say; npm run docs writes it', (path) => {
  expect(read(path)).toBe(made[path]);
});

const folder = mkdtempSync(join(tmpdir(), 'switchtraffic-docs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function type(line: string, env: Record<string, string> = {}): Promise<ShellResult> {
  return makeShell(fileHost('.switchtraffic', folder), { cwd: folder })(words(line), { env });
}

const BLOCKS = [...read('docs/scenarios.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block = '']) => block);
const CREATE = 'MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder';
const GIVEN = `given:\n  cluster: commerce\n  run:\n    - ${CREATE}\n`;

/** A block as a whole file: what it leaves out is put around it. */
function wholeFile(block: string): string {
  if (block.includes('scenario:')) return block;
  if (block.startsWith('given:')) return `scenario: a\n${block}steps:\n  - expect: { locks: [] }\n`;
  if (block.startsWith('cases:')) return `scenario: a\n${GIVEN}${block}`;
  return `scenario: a\n${GIVEN}steps:\n${block.replace(/^(?=.)/gm, '  ')}`;
}

describe('docs/scenarios.md', () => {
  it.each(BLOCKS.map((block, index) => ({ block, index })))('block $index is right', async ({ block }) => {
    writeFileSync(join(folder, 'block.swt.yaml'), wholeFile(block));
    expect(await type('lint block.swt.yaml')).toEqual({ exit: 0, stdout: '1 file, nothing wrong\n', stderr: '' });
    if (!block.includes('scenario:') && !block.startsWith('cases:') && !block.startsWith('given:')) return;
    const ran = await type('run block.swt.yaml');
    expect(ran.exit, ran.stdout + ran.stderr).toBe(0);
  });

  it('begins with a whole scenario', () => {
    expect(BLOCKS[0]).toContain('scenario:');
    expect(BLOCKS.length).toBeGreaterThan(5);
  });

  it('tells of every key of the format', () => {
    const page = read('docs/scenarios.md');
    for (const key of ['scenario', 'cluster', 'parallel', 'recover', 'unchanged', 'golden', 'unordered', 'within']) expect(page).toContain(key);
  });
});

/** The lines of a job that run in a shell. */
function scriptLines(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(scriptLines);
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]: [string, unknown]) => {
    if (key === 'run' && typeof value === 'string') return [value];
    return key === 'script' && Array.isArray(value) ? value.map(String) : scriptLines(value);
  });
}

describe('the jobs of the README', () => {
  const file = join(folder, 'scenarios', 'wait.swt.yaml');
  beforeAll(() => {
    mkdirSync(dirname(file));
    writeFileSync(file, 'scenario: a\ngiven: { cluster: commerce }\nsteps:\n  - run: GetKeyspaces\n    expect: { stdout: { contains: commerce } }\n');
  });

  it.each([
    ['fixtures/ci/github-actions.yml', {}],
    ['fixtures/ci/gitlab-ci.yml', { CI_NODE_INDEX: '1', CI_NODE_TOTAL: '1' }],
  ])('%s runs', async (path, variables: Record<string, string>) => {
    expect(read('README.md')).toContain(read(path).trimEnd());
    const lines = scriptLines(parse(read(path))).filter((line) => !line.startsWith('npm install'));
    expect(lines.length).toBeGreaterThan(1);
    rmSync(join(folder, 'results.xml'), { force: true });
    for (const line of lines) {
      expect(line).toMatch(/^npx switchtraffic /);
      const typed = line.replace('npx switchtraffic ', '').replace(/\$(\w+)/g, (_, name: string) => variables[name] ?? '');
      const ran = await type(typed, { CI: 'true', ...variables });
      expect(ran.exit, `${typed}\n${ran.stdout}${ran.stderr}`).toBe(0);
    }
    expect(readFileSync(join(folder, 'results.xml'), 'utf8')).toContain('tests="1" failures="0"');
  });

  it('fail when a scenario does', async () => {
    writeFileSync(file, 'scenario: a\ngiven: { cluster: commerce }\nsteps:\n  - run: GetKeyspaces\n    expect: { exit: 1 }\n');
    const ran = await type('run scenarios/ --report github=- --report junit=results.xml', { CI: 'true' });
    expect(ran.exit).toBe(1);
    expect(ran.stdout).toMatch(/^::error file=scenarios\/wait\.swt\.yaml,line=5,col=\d+,title=a failed::exit: is 0, not 1/);
  });
});
