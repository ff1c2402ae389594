import type { PathPart } from '../report/input/yaml.ts';
import type { Problem } from '../report/scenario/result.ts';
import type { ParallelStep, ScenarioStep } from '../report/scenario-file/schema.ts';
import { Failpoints } from '../runtime/failpoints.ts';
import type { Execution } from './execution.ts';
import { checkAfter } from './expect-after.ts';
import { type Done, runLine } from './run-line.ts';

/** How often a release looks whether somebody waits for it, in virtual milliseconds. */
const LOOK_MS = 1;

/**
 * Runs several commands at once, each as a process of its own. They take turns where they wait: for a lock, for the streams, in
 * a `sleep` or a `pause`; the same seed gives the same turns.
 */
export async function runParallel(execution: Execution, lines: readonly ParallelStep[], _step: ScenarioStep, path: readonly PathPart[]): Promise<Done> {
  const { clock, pauses } = execution.rig;
  const releases = lines.filter(({ release }) => release !== undefined).length;
  const left = { running: lines.length - releases, releases };
  pauses.expected = releases > 0;
  const problems: Problem[] = [];
  const commands: Done['commands'] = [];
  await Promise.all(
    lines.map(async (line, index) => {
      const where = [...path, 'parallel', index];
      if (line.after !== undefined) await clock.sleep(line.after);
      if (line.run !== undefined) {
        const command = await runLine(execution, { ...line, run: line.run }, where);
        commands[index] = { ...command, title: line.name ?? line.run, expect: line.expect };
        left.running--;
      } else {
        const released = await release(execution, line.release ?? '', left);
        if (!released) problems.push(execution.problem([...where, 'release'], 'release', [`no command paused at ${line.release ?? ''}`]));
        // A pause that comes after the last release would be for ever.
        if (--left.releases === 0) pauses.abandon();
      }
    }),
  );
  for (const [index, line] of lines.entries()) problems.push(...(await checkAfter(execution, line.expect, [...path, 'parallel', index, 'expect'])));
  return { problems, commands: commands.filter((command) => command !== undefined) };
}

/** Waits until somebody pauses at the point. False once everybody has ended. */
async function release({ rig }: Execution, point: string, left: { running: number }): Promise<boolean> {
  const faults = new Failpoints(0, rig.pauses);
  while (left.running > 0) {
    if (faults.release(point).length > 0) return true;
    await rig.clock.sleep(LOOK_MS);
  }
  return false;
}
