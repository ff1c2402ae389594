import { shellQuote } from '../lib/shell-quote.ts';
import type { PathPart } from '../report/input/yaml.ts';
import type { Problem } from '../report/scenario/result.ts';
import type { Expectation, ParallelStep } from '../report/scenario-file/schema.ts';
import type { Execution } from './execution.ts';
import type { Seen } from './expect-command.ts';
import { lineWords } from './words.ts';

/** What an action did: problems of its own, and the command it ran if it is one. */
export interface Done {
  problems: Problem[];
  commands: { seen: Seen; line: string; title: string; expect: Expectation | undefined }[];
}

/** Runs a step's command line, with its faults and its release. */
export async function runLine(
  execution: Execution,
  { run, faults = {}, vitess }: { run: string } & Pick<ParallelStep, 'faults' | 'vitess'>,
  path: readonly PathPart[],
): Promise<{ seen: Seen; line: string }> {
  const argv = lineWords(run);
  const more = Object.entries(faults).map(([point, terms]) => `--fault=${point}=${terms}`);
  if (vitess !== undefined) more.push(`--vitess-version=${vitess}`);
  const ran = await execution.run([...argv, ...more]);
  return { seen: { ran, tookMs: ran.tookMs, path, faults }, line: [run, ...more.map(shellQuote)].join(' ') };
}
