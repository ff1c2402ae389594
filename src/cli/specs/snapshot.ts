import { ownFormatFlag } from '../flags.ts';
import { exactly, ownCommand } from './build.ts';

/** A whole cluster as one file. */
export const snapshot = ownCommand({
  name: 'snapshot',
  about: 'save the whole cluster as one file, go back to it, or see what has changed since',
  subcommands: [
    ownCommand({
      name: 'save',
      about: 'save the whole cluster as it is at this instant',
      long:
        'Save the whole cluster as it is at this instant: records, rows, binlogs, sessions, history, and what an interrupted switch\n' +
        'has written down; not its locks. Commands and writers may be at work.\n' +
        'NAME is kept beside the cluster; FILE, with a slash or a dot in it, is written where it says. It is a tar of a state folder.',
      examples: ['snapshot save', 'snapshot save before', 'snapshot save /tmp/before.swt-snapshot'],
      flags: [{ kind: 'bool', name: 'force', about: 'replace a snapshot or file of that name' }],
      args: { min: 0, max: 1, usage: '[NAME|FILE]' },
      load: () => import('../commands/snapshot-save.ts'),
    }),
    ownCommand({
      name: 'restore',
      about: 'go back to a snapshot',
      long:
        'Go back to a snapshot. Another cluster is replaced with --force only, in one instant, after it was saved as before-restore-N,\n' +
        'and never while a command holds a lock on it.',
      examples: ['snapshot restore before --force', 'snapshot restore /tmp/before.swt-snapshot --state copy'],
      flags: [
        { kind: 'bool', name: 'force', about: 'replace the cluster that is there' },
        { kind: 'bool', name: 'keep-old', default: true, about: 'save the cluster that is replaced first' },
      ],
      args: exactly('NAME|FILE'),
      load: () => import('../commands/snapshot-restore.ts'),
    }),
    ownCommand({
      name: 'diff',
      about: 'see what differs between two snapshots, or a snapshot and the cluster now',
      long:
        'See what differs between two snapshots, or a snapshot and the cluster as it is now: records, rules, streams, what tablets\n' +
        'believe, rows. History, timestamps, locks and used-up ids do not count, and a stream may have come further. Ends with 1 if\n' +
        'anything differs.',
      examples: ['snapshot diff before', 'snapshot diff before after --format json'],
      flags: [{ kind: 'bool', name: 'copied', about: 'compare the rows of tables that streams write too' }, ownFormatFlag],
      args: { min: 1, max: 2, usage: 'A [B]' },
      load: () => import('../commands/snapshot-diff.ts'),
    }),
    ownCommand({
      name: 'list',
      about: 'list the snapshots that have a name, oldest first',
      examples: ['snapshot list'],
      flags: [ownFormatFlag],
      load: () => import('../commands/snapshot-list.ts'),
    }),
  ],
});
