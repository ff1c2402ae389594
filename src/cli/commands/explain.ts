import { renderExplanation } from '../../report/scenario/explain.ts';
import { titleOf } from '../../report/scenario/result.ts';
import { colorLevel, createPaint } from '../paint.ts';
import { scenarioRigs } from '../rig.ts';
import { findScenarios } from '../scenario-files.ts';
import type { Invocation } from '../spec.ts';
import { unknownName } from '../unknown-name.ts';
import { printErrors } from './run.ts';

/** The columns that prose is broken at: those of a usual terminal, also where there is none. */
const COLUMNS = 80;

/** Says in words what a scenario file does. Nothing is run. */
export async function run(inv: Invocation): Promise<number> {
  const { flags, io } = inv;
  const { scenarios, errors } = findScenarios(scenarioRigs(() => io.now()), io.cwd, inv.args);
  if (errors.length > 0) return printErrors(inv, errors);
  const only = flags.str('only');
  const chosen = scenarios.filter((scenario) => titleOf(scenario).includes(only));
  if (chosen.length === 0) throw unknownName('scenario titled', only, scenarios.map(titleOf));
  const paint = await createPaint(colorLevel(io.stdout, flags, io.env));
  const byFile = new Map<string, typeof chosen>();
  for (const scenario of chosen) byFile.set(scenario.file, [...(byFile.get(scenario.file) ?? []), scenario]);
  const parts = [...byFile.values()].map((some) => renderExplanation(some, paint, COLUMNS).join('\n'));
  io.stdout.write(`${parts.join('\n\n')}\n`);
  return 0;
}
