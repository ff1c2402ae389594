import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fileHost } from '../../src/cli/host.ts';
import { makeShell } from '../../src/cli/shell.ts';
import { GOOD, MALFORMED } from './malformed-scenarios.ts';

const root = mkdtempSync(join(tmpdir(), 'switchtraffic-malformed-'));
const folder = join(root, 'scenarios');
const shell = makeShell(fileHost('.switchtraffic', folder), { cwd: folder });

beforeAll(() => {
  mkdirSync(folder);
  mkdirSync(join(root, 'elsewhere'));
  writeFileSync(join(root, 'elsewhere', 'rules.json'), '{}');
  symlinkSync(join(root, 'elsewhere'), join(folder, 'link'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Every file below a folder, with what is in it. */
function contents(path = root): Record<string, string> {
  return Object.fromEntries(
    readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((entry) => statSync(join(path, entry)).isFile())
      .map((entry) => [entry, readFileSync(join(path, entry), 'latin1').slice(0, 10_000)]),
  );
}

it('the file that they are made of is good', async () => {
  writeFileSync(join(folder, 'good.swt.yaml'), GOOD);
  expect(await shell(['lint', 'good.swt.yaml'])).toEqual({ exit: 0, stdout: '1 file, nothing wrong\n', stderr: '' });
  rmSync(join(folder, 'good.swt.yaml'));
});

it('there are at least sixty', () => {
  expect(MALFORMED.length).toBeGreaterThan(60);
  expect(new Set(MALFORMED.map(({ name }) => name)).size).toBe(MALFORMED.length);
});

it.each(MALFORMED)('$name: one line with its place, exit 2, nothing written', async ({ text, place, says }) => {
  writeFileSync(join(folder, 'bad.swt.yaml'), text);
  const before = contents();
  const ran = await shell(['run', 'bad.swt.yaml', '--update', '--keep', 'kept', '--report', 'junit=out.xml']);
  expect(contents()).toEqual(before);
  expect(ran.stdout).toBe('');
  expect(ran.exit, ran.stderr).toBe(2);
  const [first = '', ...rest] = ran.stderr.trimEnd().split('\n');
  expect(first).toMatch(/^switchtraffic: bad\.swt\.yaml:\d+:\d+: \S/);
  expect(first).toContain(`bad.swt.yaml:${place}`);
  expect(first).toContain(says);
  expect(first.length).toBeLessThan(400);
  expect(first).not.toMatch(/\p{Cc}/u);
  for (const line of rest) expect(line).toMatch(/^next: \S/);
  expect(rest.length).toBeLessThan(2);
  const linted = await shell(['lint', 'bad.swt.yaml']);
  expect(linted.exit).toBe(2);
  expect(`switchtraffic: ${linted.stdout.split('\n')[0]}`).toBe(first);
});
