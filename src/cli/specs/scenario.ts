import { ownFormatFlag } from '../flags.ts';
import type { CommandSpec } from '../spec.ts';
import { exactly, ownCommand } from './build.ts';

/** Commands for scenario files. */
export const scenarioCommands: readonly CommandSpec[] = [
  ownCommand({
    name: 'run',
    about: 'run scenario files: failures and what has to come of them',
    long:
      'Run scenario files: failures and what has to come of them. Each scenario has a world of its own, in memory, on a\n' +
      'clock on which waiting is free; nothing outside of it is touched. A folder stands for every *.swt.yaml below it.\n' +
      'Exit status: 0 all passed, 1 one failed, 2 a file cannot be read, 4 a fault never fired or nothing was chosen.',
    examples: ['run scenarios/', 'run lost-locks.swt.yaml --report junit=results.xml', 'run scenarios/ --only 17620 --keep kept'],
    flags: [
      { kind: 'strings', raw: true, name: 'report', placeholder: 'KIND=FILE', about: 'also write a report: junit, tap, json or github; may be repeated; - is stdout' },
      { kind: 'string', name: 'only', placeholder: 'TEXT', about: 'only scenarios whose title holds this text' },
      { kind: 'int', name: 'seed', placeholder: 'N', about: "where chance starts, instead of each scenario's own seed" },
      { kind: 'string', name: 'shard', placeholder: 'I/N', about: 'only this share of the scenarios, for several machines' },
      { kind: 'int', name: 'jobs', placeholder: 'N', default: 1, shown: 'one for each core, at most 4, where there are enough scenarios', about: 'threads to run them in' },
      { kind: 'string', name: 'keep', placeholder: 'DIR', about: 'keep the cluster of each scenario that did not pass' },
      { kind: 'bool', name: 'update', about: 'write golden files instead of comparing with them; in one process, and not in CI' },
      ownFormatFlag,
    ],
    args: { min: 1, max: Infinity, usage: 'FILE|DIR...' },
    load: () => import('../commands/run.ts'),
  }),
  ownCommand({
    name: 'lint',
    about: 'check scenario and cluster files without running them',
    long:
      'Check scenario and cluster files without running them. A folder stands for every *.swt.yaml below it, and for every\n' +
      'other *.yaml that has keyspaces. For each file the first problem is printed, as FILE:LINE:COLUMN: TEXT.\n' +
      'Exit status: 0 nothing is wrong, 2 something is.',
    examples: ['lint scenarios/', 'lint lost-locks.swt.yaml --format json'],
    flags: [ownFormatFlag],
    args: { min: 1, max: Infinity, usage: 'FILE|DIR...' },
    load: () => import('../commands/lint.ts'),
  }),
  ownCommand({
    name: 'explain',
    about: 'say in words what a scenario file does, without running it',
    examples: ['explain lost-locks.swt.yaml', "explain lost-locks.swt.yaml --only 'vitess=21.0.2'"],
    flags: [{ kind: 'string', name: 'only', placeholder: 'TEXT', about: 'only cases whose title holds this text' }],
    args: exactly('FILE'),
    load: () => import('../commands/explain.ts'),
  }),
];
