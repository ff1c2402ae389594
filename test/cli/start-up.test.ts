import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
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
    // The table of SQLite's errors is one short file: what cannot be opened is told by it.
    const known = /\/src\/(cli|lib)\/[^/]+$|\/src\/cli\/specs\/|\/src\/store\/sqlite-errors\.ts$/;
    expect(loaded.filter((name) => name.includes('/src/') && !known.test(name))).toEqual([]);
    expect(loaded.length).toBeGreaterThan(15);
  });
});

describe('bin/switchtraffic.js', () => {
  const dir = mkdtempSync(join(tmpdir(), 'switchtraffic-bin-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  for (const path of ['bin', 'scripts/compile.js']) cpSync(join(root, path), join(dir, path), { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
  const bin = (...argv: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(dir, 'bin/switchtraffic.js'), ...argv], { encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  const build = (main: string): void => {
    mkdirSync(join(dir, 'dist/bundle'), { recursive: true });
    writeFileSync(join(dir, 'dist/bundle/package.json'), '{"type":"commonjs"}');
    writeFileSync(join(dir, 'dist/bundle/version.js'), 'exports.version = "9.8.7";');
    writeFileSync(join(dir, 'dist/bundle/io.js'), 'exports.processIo = () => ({});');
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
    build('exports.main = async (argv) => argv.length + 40;');
    expect(bin('a', 'b').status).toBe(42);
  });

  it('says what to do when a library is missing', () => {
    build('require("no-such-library");');
    const { status, stderr } = bin('x');
    expect(status).toBe(1);
    expect(stderr).toBe("switchtraffic: Cannot find module 'no-such-library': run `npm install`\n");
  });

  it('says where it broke', () => {
    build('exports.main = async () => { throw new Error("broken"); };');
    const { status, stderr } = bin('x');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^switchtraffic: Error: broken\n.*main\.js:1:/s);
  });

  it('runs the code that was kept, and the sources where it was kept by another Node', () => {
    build('const code = 43; exports.main = async () => code;');
    const { KEPT } = createRequire(import.meta.url)(join(dir, 'bin/load.js')) as { KEPT: string };
    expect([existsSync(KEPT), bin('x').status]).toEqual([false, 43]);
    expect(spawnSync(process.execPath, [join(dir, 'scripts/compile.js')], { encoding: 'utf8' }).stderr).toBe('');
    expect(existsSync(KEPT)).toBe(true);
    // Seen to be what runs by sources that say something else.
    build('const code = 44; exports.main = async () => code;');
    expect(bin('x').status).toBe(43);
    renameSync(KEPT, KEPT.replace(process.versions.v8, '1.2.3'));
    expect(bin('x').status).toBe(44);
  });
});
