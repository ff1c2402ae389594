import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fileHost } from '../../src/cli/host.ts';
import { makeShell, type Shell } from '../../src/cli/shell.ts';
import { findRelease } from '../../src/lib/releases.ts';
import { FULL_PATH } from '../../src/workflow/switch/path.ts';
import { planSteps } from '../../src/workflow/switch/plan.ts';
import { switchLine, words } from '../helpers/shell.ts';

/**
 * 10,000 rows, writers in other processes, switches that fail at every step and one that succeeds: each acknowledged
 * row is on the side that serves, once.
 */
const ROWS = 10_000;
const WRITER = fileURLToPath(new URL('../helpers/writer.mjs', import.meta.url));

let folder: string;
let shell: Shell;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writers-'));
  shell = makeShell(fileHost(folder, '.'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function ok(line: string): Promise<string> {
  const { exit, stdout, stderr } = await shell(words(line));
  expect(exit, `${line}\n${stderr}`).toBe(0);
  return stdout;
}

interface Count {
  acknowledged: string[];
  refused: number;
  unexpected: string[];
}

/** A writer process and how to stop it. */
async function startWriter(name: string): Promise<() => Promise<Count>> {
  const child: ChildProcess = spawn(process.execPath, [WRITER, folder, name], { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.stdout!.on('data', (chunk: Buffer) => {
      text += String(chunk);
      if (text.startsWith('ready\n')) resolve();
    });
    child.once('close', () => reject(new Error('the writer ended at once')));
  });
  return async () => {
    child.stdin!.write('stop\n');
    await ended;
    return JSON.parse(text.slice('ready\n'.length)) as Count;
  };
}

async function emails(target: string): Promise<string[]> {
  const json = await ok(`query --format json --target ${target} 'select email from customer'`);
  return (JSON.parse(json) as { rows: string[][] }).rows.map((row) => row[0]!);
}

it('no acknowledged row is lost or doubled, whatever fails', { timeout: 60_000 }, async () => {
  await ok(`init commerce --rows ${ROWS}`);
  await ok('MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder');
  const stops = await Promise.all([startWriter('a'), startWriter('b')]);

  const steps = planSteps(FULL_PATH, findRelease('hardened').behaviours);
  const journal = steps.findIndex((step) => step.pointOfNoReturn);
  const failing = steps.slice(0, journal).filter((step) => step.occurrence === 1);
  for (const step of failing) {
    const failed = await shell(words(switchLine(`--fault '${step.name}:after#1=return'`)));
    expect(failed.exit, `${step.name}\n${failed.stderr}`).toBe(1);
    expect(failed.stderr).not.toContain('STRANDED');
  }
  await ok(switchLine());
  // Writers go on against the target for a moment.
  await new Promise((resolve) => setTimeout(resolve, 200));
  const counts = await Promise.all(stops.map((stop) => stop()));

  expect(counts.flatMap((count) => count.unexpected)).toEqual([]);
  const acknowledged = counts.flatMap((count) => count.acknowledged);
  expect(acknowledged.length).toBeGreaterThan(100);
  expect(counts.some((count) => count.refused > 0)).toBe(true);
  const serving = await emails('customer:0');
  expect(serving.length).toBe(new Set(serving).size);
  const written = serving.filter((email) => email.endsWith('@writer')).toSorted();
  expect(written).toEqual(acknowledged.toSorted());
  expect(serving.length).toBe(ROWS + acknowledged.length);
  // The reverse workflow brings every row back to the source.
  expect((await emails('commerce:0@replica')).toSorted()).toEqual(serving.toSorted());
});
