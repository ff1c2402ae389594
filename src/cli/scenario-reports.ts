import { writeFileSync } from 'node:fs';
import { UserError } from '../lib/errors.ts';
import type { RunResult } from '../report/scenario/result.ts';
import { inputPath } from './input-path.ts';
import type { Invocation } from './spec.ts';

type Render = (result: RunResult) => string;

/** The kinds of report. */
const KINDS: Readonly<Record<string, () => Promise<Render>>> = {};

/** Reports asked for by `--report KIND=FILE`; `-` is stdout. */
export function openReports(inv: Invocation): { write(result: RunResult): void } {
  void KINDS;
  void inputPath;
  void writeFileSync;
  if (inv.flags.strings('report').length > 0) throw new UserError('not yet', { exit: 2 });
  return { write: () => {} };
}
