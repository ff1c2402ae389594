import { expect, it } from 'vitest';
import { createSubjects } from '../helpers/create-subjects.ts';
import { END_SUBJECTS, endStart } from '../helpers/end-subjects.ts';
import type { TestCluster } from '../helpers/shell.ts';

/*
 * What doctor says of a complete, a cancel or a create that was killed: one problem, which way the repair goes, and a line that
 * leaves nothing to be repaired.
 */
const CREATED = createSubjects();
const CASES: { name: string; kill: string; words: string; make(): Promise<TestCluster> }[] = [
  ...(['complete', 'cancel'] as const).flatMap((verb) =>
    Object.entries(END_SUBJECTS).map(([name, { line }]) => ({
      name: `${verb} of ${name}`,
      kill: line(`${verb} --fault '${verb}/rebuildSrvVSchema:before=panic'`),
      words: 'nothing leads back from there',
      make: () => endStart(name, verb, 'hardened'),
    })),
  ),
  ...CREATED.map(({ name, line, make }) => ({
    name: `create of ${name}`,
    kill: line("--fault 'create/createStreams:after=panic'"),
    words: 'all is put back to exactly what it was before the command, then the command is run anew',
    make,
  })),
  { ...CREATED[0]!, name: 'create at its last step', kill: CREATED[0]!.line("--fault 'create/startStreams:before=panic'"), words: 'the streams that are not started yet are' },
];

it.each(CASES)('$name', async ({ kill, words, make }) => {
  const cluster = await make();
  const before = await cluster.run('doctor');
  expect(await cluster.run(kill)).toMatchObject({ exit: 137 });
  const { exit, stdout } = await cluster.run('doctor');
  expect([exit, stdout.replace(/\s+/g, ' ')]).toEqual([1, expect.stringContaining(words)]);
  expect(stdout).toContain('SWT0308');
  const lines = [...stdout.matchAll(/^ {6}(?:switchtraffic|vtctldclient) (.*)$/gm)].map(([, line]) => line!);
  expect(lines).toHaveLength(1);
  await cluster.ok(lines[0]!);
  const after = await cluster.run('doctor');
  expect(after.exit, after.stdout).toBe(before.exit);
  expect(after.stdout).not.toContain('SWT0308');
});
