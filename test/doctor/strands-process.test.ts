import { spawn } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { QueryResult } from '../../src/tablet/query/request.ts';
import { type Ended, folder, look, removeAll, root } from '../helpers/process.ts';
import { sample } from '../helpers/sample.ts';
import { readPrinted } from './strands/doctor.ts';
import { STRANDS } from './strands/index.ts';
import type { Strand } from './strands/types.ts';

/**
 * A few of the stranded states once more, as people meet them: files, a shell, and `vtctldclient` as another name of the program. What
 * `doctor` prints is handed to bash as it stands.
 */

afterAll(removeAll);

const PROGRAM = fileURLToPath(new URL('../../bin/switchtraffic.js', import.meta.url));

/** Two sources past the journal; tables with everything that there is before it; a Reshard; a workflow that is gone. */
const SHOWN: readonly [id: string, release: string][] = [
  ['K20', '20.0.8'],
  ['K2 S-F', '24.0.0-SNAPSHOT'],
  ['K5 #17620 Reshard', '20.0.5'],
  ['K43 complete', '24.0.0-SNAPSHOT'],
];

/** The program under both names, in a folder of its own. */
function names(): string {
  const bin = join(root, 'names');
  mkdirSync(bin, { recursive: true });
  for (const name of ['vtctldclient', 'switchtraffic']) symlinkSync(PROGRAM, join(bin, name));
  return bin;
}

const bin = names();

/** What bash makes of these lines; it ends with the first that fails. */
function bash(cwd: string, lines: string): Promise<Ended> {
  const { NO_COLOR: _n, FORCE_COLOR: _f, ...env } = process.env;
  const child = spawn('bash', ['-e'], { cwd, env: { ...env, PATH: `${bin}:${env['PATH']}` }, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  child.stdin.end(lines);
  return new Promise((resolve) => child.on('close', (exit, signal) => resolve({ exit, signal, stdout, stderr })));
}

async function countOf(cwd: string, { ground }: Strand): Promise<number[]> {
  const counts: number[] = [];
  for (const { name } of ground.tables) counts.push((JSON.parse(await look(cwd, `query "select * from ${name}" --format json`)) as QueryResult).rows.length);
  return counts;
}

describe('the printed lines, in a shell', () => {
  it.each(sample(SHOWN, 4))('%s on %s', async (id, release) => {
    const strand = STRANDS.find((one) => one.id === id)!;
    const cwd = folder();
    await look(cwd, `${strand.ground.init} --vitess-version ${release}`);
    for (const line of strand.ground.lines) await look(cwd, line);
    const before = await countOf(cwd, strand);
    for (const act of strand.trigger) {
      if (typeof act === 'string') await look(cwd, act);
      else if ('fails' in act && !('while' in act)) await expect(look(cwd, act.fails), id).rejects.toThrow('exit 1');
      else throw new Error(`${id} needs more than one process`);
    }
    for (let round = 0; ; round++) {
      const said = await bash(cwd, 'switchtraffic doctor');
      if (said.exit === 0) break;
      expect([said.exit, round], `${said.stdout}${said.stderr}`).toEqual([1, Math.min(round, 2)]);
      const lines = readPrinted(said.stdout).flatMap(({ ways }) => ways[0] ?? []);
      const done = await bash(cwd, lines.join('\n'));
      expect(done.exit, `${said.stdout}\n${done.stderr}`).toBe(0);
    }
    const [{ name, columns, row }] = strand.ground.tables as [Strand['ground']['tables'][number]];
    const written = await bash(cwd, `switchtraffic query "insert into ${name} (${columns}) values (${row(5000)})"`);
    expect(written.exit, written.stderr).toBe(0);
    expect(await countOf(cwd, strand)).toEqual(before.map((count, index) => count + Number(index === 0)));
  });
});
