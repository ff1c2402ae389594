import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scenarioRigs } from '../../src/cli/rig.ts';
import { findScenarios, folderOf } from '../../src/cli/scenario-files.ts';
import { titleOf } from '../../src/report/scenario/result.ts';
import { runScenario } from '../../src/scenario/run-scenario.ts';
import { Stages } from '../../src/scenario/stages.ts';
import { sample } from '../helpers/sample.ts';

/** Every scenario that comes with the program passes, and the catalogue of failures is complete. */
const FOLDER = 'fixtures/scenarios';

/** The catalogue's numbers. */
const NUMBERS: readonly (readonly [letter: string, last: number])[] = [
  ['F', 67],
  ['D', 8],
  ['E', 10],
];

const rigs = scenarioRigs(() => Date.now());
const { scenarios, errors } = findScenarios(rigs, process.cwd(), [FOLDER]);
const stages = new Stages(rigs);
const options = { files: folderOf(process.cwd(), `${FOLDER}/x`), golden: () => undefined, traced: true };

it('every file can be read', () => {
  expect(errors.map((error) => error.message)).toEqual([]);
  expect(scenarios.length).toBeGreaterThan(120);
});

describe('passes', () => {
  it.each(sample(scenarios, 5).map((scenario) => ({ title: titleOf(scenario), scenario })))('$title', async ({ scenario }) => {
    const { status, steps } = await runScenario(rigs, stages, scenario, options);
    const problems = steps.flatMap((step) => step.problems.map(({ place, subject, lines }) => `${place.file}:${place.line} ${subject}: ${lines.join(' | ')}`));
    expect(problems).toEqual([]);
    expect(status).toBe('passed');
  });
});

it.each(['e7-one-rule-set', 'f10-two-in-one-section', 'f12-orphaned-workflow-lock'])('%s is the same when it is run again', async (name) => {
  const scenario = scenarios.find((candidate) => candidate.name === name)!;
  // In a world of its own, in one that another scenario has left, and there once more.
  const traces: (string | undefined)[] = [];
  for (const one of [new Stages(rigs), stages, stages]) traces.push((await runScenario(rigs, one, scenario, options)).trace);
  expect(new Set(traces).size).toBe(1);
});

it.each([...new Set(scenarios.map(({ file }) => file))])('%s names its issue and says what it shows', (file) => {
  const { doc, name } = scenarios.find((scenario) => scenario.file === file)!;
  expect(name).toBe(basename(file, '.swt.yaml'));
  expect(String(doc.issue)).toMatch(/^\d+(?:,\d+)*$|^none reported; /);
  expect(doc.about?.length ?? 0).toBeGreaterThan(80);
});

it('every failure of the catalogue is a file, or is listed with what it waits for', () => {
  const readme = readFileSync(`${FOLDER}/README.md`, 'utf8');
  const files = scenarios.flatMap(({ file }) => /^([a-z])(\d+)-/.exec(basename(file))?.slice(1) ?? []);
  const missing = NUMBERS.flatMap(([letter, last]) =>
    Array.from({ length: last }, (_, index) => index + 1).filter((number) => {
      const shown = `${letter}${letter === 'F' ? String(number).padStart(2, '0') : number}`;
      const built = files.some((part, at) => part === letter.toLowerCase() && Number(files[at + 1]) === number);
      const listed = new RegExp(`^\\| ${shown} \\| \\S.* \\| \\S.* \\| \\S.* \\|$`, 'm').test(readme);
      return built === listed;
    }).map((number) => `${letter}${number}`),
  );
  expect(missing).toEqual([]);
});
