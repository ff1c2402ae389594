import { errorText, UserError } from '../lib/errors.ts';
import { findRelease } from '../lib/releases.ts';
import { FileError } from '../report/input/place.ts';
import type { PathPart } from '../report/input/yaml.ts';
import type { Scenario } from '../report/scenario-file/read.ts';
import type { Expectation, ScenarioStep } from '../report/scenario-file/schema.ts';
import { Failpoints } from '../runtime/failpoints.ts';
import { refuseImplementation } from '../topo/conn/implementations.ts';
import { everyPoint } from '../workflow/points.ts';
import type { Rigs } from './rig.ts';
import { lineWords } from './words.ts';

/**
 * Everything about a scenario that can be wrong before it runs: releases, command lines, faults, snapshots that nobody took.
 * Throws FileError for the first.
 */
export function checkScenario(rigs: Rigs, scenario: Scenario): void {
  new Checker(rigs, scenario).check();
}

class Checker {
  readonly #rigs: Rigs;
  readonly #scenario: Scenario;
  readonly #snapshots: string[] = [];

  constructor(rigs: Rigs, scenario: Scenario) {
    this.#rigs = rigs;
    this.#scenario = scenario;
  }

  check(): void {
    const { doc, steps, vitess } = this.#scenario;
    const where = doc.cases === undefined ? ['given', 'vitess'] : ['cases'];
    this.#at(where, () => findRelease(vitess));
    const server = doc.given['topo-implementation'];
    if (server !== undefined) this.#at(['given', 'topo-implementation'], () => refuseImplementation(findRelease(vitess), server, `topo-implementation ${server}`));
    for (const [index, line] of (doc.given.run ?? []).entries()) this.#line(line, undefined, ['given', 'run', index]);
    for (const { index, step } of steps) this.#step(step, ['steps', index]);
  }

  #step(step: ScenarioStep, path: readonly PathPart[]): void {
    const lines = step.parallel?.map((line, index) => ({ line, at: [...path, 'parallel', index] as readonly PathPart[] })) ?? [];
    if (step.run !== undefined) lines.push({ line: { ...step, run: step.run }, at: path });
    for (const { line, at } of lines) {
      // What is let go has to be a place where something can wait.
      if ('release' in line && line.release !== undefined) this.#fault(line.release, 'pause', line.vitess, [...at, 'release']);
      if (line.run !== undefined) this.#line(line.run, line.vitess, [...at, 'run']);
      for (const [point, terms] of Object.entries(line.faults ?? {})) this.#fault(point, terms, line.vitess, [...at, 'faults', point]);
      this.#expectation(line.expect, [...at, 'expect']);
    }
    if (step.run === undefined) this.#expectation(step.expect, [...path, 'expect']);
    if (step.snapshot !== undefined) this.#snapshots.push(step.snapshot);
  }

  #expectation(expected: Expectation | undefined, path: readonly PathPart[]): void {
    const unchanged = expected?.unchanged;
    if (unchanged === undefined) return;
    const since = typeof unchanged === 'string' ? unchanged : unchanged.since;
    if (this.#snapshots.includes(since)) return;
    const next = this.#snapshots.length === 0 ? 'take one: - snapshot: before' : `snapshots so far: ${this.#snapshots.join(', ')}`;
    throw new FileError(this.#scenario.placeOf([...path, 'unchanged']), `no step before this one takes the snapshot "${since}"`, next);
  }

  #line(line: string, vitess: string | undefined, path: readonly PathPart[]): void {
    this.#at(path, () => {
      if (vitess !== undefined) findRelease(vitess);
      this.#rigs.check(lineWords(line), vitess ?? this.#scenario.vitess);
    });
  }

  #fault(point: string, terms: string, vitess: string | undefined, path: readonly PathPart[]): void {
    this.#at(path, () => new Failpoints().arm(`${point}=${terms}`, everyPoint(findRelease(vitess ?? this.#scenario.vitess).behaviours)));
  }

  /** What goes wrong inside is told with its place in the file. */
  #at(path: readonly PathPart[], check: () => void): void {
    try {
      check();
    } catch (error) {
      if (error instanceof FileError || !(error instanceof Error)) throw error;
      const [first = ''] = errorText(error).split('\n');
      throw new FileError(this.#scenario.placeOf(path), first, error instanceof UserError ? error.next : undefined);
    }
  }
}

