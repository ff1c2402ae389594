import { ownFormatFlag } from '../flags.ts';
import type { CommandSpec } from '../spec.ts';
import { ownCommand } from './build.ts';

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
      { kind: 'int', name: 'jobs', placeholder: 'N', default: 1, about: 'processes to run them in' },
      { kind: 'string', name: 'keep', placeholder: 'DIR', about: 'keep the cluster of each scenario that did not pass' },
      { kind: 'bool', name: 'update', about: 'write golden files instead of comparing with them' },
      ownFormatFlag,
    ],
    args: { min: 1, max: Infinity, usage: 'FILE|DIR...' },
    load: () => import('../commands/run.ts'),
  }),
];
