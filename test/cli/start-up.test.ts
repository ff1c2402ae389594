import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Everything that is loaded when this file is, by static imports of values. */
function staticImports(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, clause = '', from = ''] of readFileSync(file, 'utf8').matchAll(/^(?:import|export)\s([^;]*?)\bfrom\s+'([^']+)'/gm)) {
    if (clause.trimStart().startsWith('type ')) continue;
    if (from.startsWith('.')) staticImports(resolve(dirname(file), from), seen);
    else seen.add(from);
  }
  return seen;
}

describe('start-up', () => {
  it('loads no library but commander, and no handler', () => {
    const loaded = [...staticImports(join(root, 'src/cli/main.ts'))];
    expect(loaded.filter((name) => !name.startsWith('/'))).toEqual(['commander']);
    expect(loaded.filter((name) => name.includes('/src/') && !/\/src\/(cli|lib)\/[^/]+$|\/src\/cli\/specs\//.test(name))).toEqual([]);
    expect(loaded.length).toBeGreaterThan(15);
  });
});

describe('bin/switchtraffic.js', () => {
  const dir = mkdtempSync(join(tmpdir(), 'switchtraffic-bin-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, 'bin'));
  copyFileSync(join(root, 'bin/switchtraffic.js'), join(dir, 'bin/switchtraffic.js'));
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
  const bin = (...argv: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(dir, 'bin/switchtraffic.js'), ...argv], { encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  const build = (main: string): void => {
    mkdirSync(join(dir, 'dist/bundle'), { recursive: true });
    writeFileSync(join(dir, 'dist/bundle/version.js'), 'export const version = "9.8.7";');
    writeFileSync(join(dir, 'dist/bundle/io.js'), 'export const processIo = () => ({});');
    writeFileSync(join(dir, 'dist/bundle/main.js'), main);
  };

  it('says what to do when it is not built', () => {
    expect(existsSync(join(dir, 'dist'))).toBe(false);
    expect(bin('--version')).toEqual({ status: 1, stdout: '', stderr: 'switchtraffic: not built: run `npm run build`\n' });
  });

  it('prints the version without loading the program', () => {
    build('throw new Error("loaded");');
    expect(bin('--version')).toEqual({ status: 0, stdout: 'switchtraffic version 9.8.7\n', stderr: '' });
  });

  it('ends with the status of main', () => {
    build('export const main = async (argv) => argv.length + 40;');
    expect(bin('a', 'b').status).toBe(42);
  });

  it('says what to do when a library is missing', () => {
    build('import "no-such-library"; export const main = async () => 0;');
    const { status, stderr } = bin('x');
    expect(status).toBe(1);
    expect(stderr).toContain("Cannot find package 'no-such-library'");
    expect(stderr).toContain('run `npm install`');
  });
});
