import type { CommandSpec } from '../spec.ts';
import { exactly, ownCommand } from './build.ts';

/** Failures that need no fault: a tablet that is down or busy, a cell whose topology does not answer. */

/** `tablet stop|start|set-type`. */
export const tabletLife: readonly CommandSpec[] = [
  ownCommand({
    name: 'stop',
    about: 'end a tablet, as a crash does: nothing answers at its address, its records stay',
    examples: ['tablet stop zone1-0000000101'],
    args: exactly('ALIAS'),
    load: () => import('../commands/tablet-life.ts'),
  }),
  ownCommand({
    name: 'start',
    about: 'start a tablet that was stopped; it reads its records',
    examples: ['tablet start zone1-0000000101'],
    args: exactly('ALIAS'),
    load: () => import('../commands/tablet-life.ts'),
  }),
  ownCommand({
    name: 'set-type',
    about: 'change what a tablet is; with backup and restore, one begins, which cannot be refreshed until it is changed again',
    examples: ['tablet set-type zone1-0000000101 backup', 'tablet set-type zone1-0000000101 replica'],
    args: exactly('ALIAS', 'TYPE'),
    load: () => import('../commands/tablet-life.ts'),
  }),
];

/** `cell stop|start`. */
export const cell: CommandSpec = ownCommand({
  name: 'cell',
  about: "stop and start the topology servers of the cluster's cells",
  subcommands: [
    ownCommand({
      name: 'stop',
      about: "make a cell's topology unreachable; its gates keep what they saw last, its tablets go on",
      examples: ['cell stop zone2'],
      args: exactly('NAME'),
      load: () => import('../commands/cell.ts'),
    }),
    ownCommand({
      name: 'start',
      about: "make a cell's topology reachable again",
      examples: ['cell start zone2'],
      args: exactly('NAME'),
      load: () => import('../commands/cell.ts'),
    }),
  ],
});
