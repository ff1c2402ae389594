import { ownFormatFlag } from '../flags.ts';
import type { CommandSpec } from '../spec.ts';
import { exactly, ownCommand } from './build.ts';

/** `versions`: the table of behaviours, for people. */
export const versions: CommandSpec = ownCommand({
  name: 'versions',
  about: 'show what releases of Vitess do differently: all of it, of one release, or between two',
  examples: ['versions', 'versions v21.0.2', 'versions v19 v22'],
  flags: [ownFormatFlag],
  args: { min: 0, max: 2, usage: '[VERSION [VERSION]]' },
  load: () => import('../commands/versions.ts'),
});

/** `tablet privileges`: what a tablet's MySQL user may do, so that the check of the reverse workflow can fail. */
export const tabletPrivileges: CommandSpec = ownCommand({
  name: 'privileges',
  about: "set what a tablet's MySQL user (vt_filtered) may do to the tables of VReplication",
  examples: ["tablet privileges zone1-0000000100 --allow select,insert", "tablet privileges zone1-0000000100 --on '_v%'"],
  flags: [
    { kind: 'strings', name: 'allow', default: ['select', 'insert', 'update', 'delete'], about: 'the rights it has; "" for none' },
    { kind: 'string', name: 'on', default: '*', about: 'what they are granted on: *, a database or a pattern of databases, or _vt.vreplication' },
  ],
  args: exactly('ALIAS'),
  load: () => import('../commands/tablet-privileges.ts'),
});
