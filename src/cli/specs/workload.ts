import { ownFormatFlag } from '../flags.ts';
import { ownCommand } from './build.ts';
import { gateFlags } from './gate-flags.ts';

/** The command that writes and reads as applications do, and keeps count. */
export const workload = ownCommand({
  name: 'workload',
  about: 'write and read through the gate as applications do, and check that nothing is lost',
  long:
    'Write and read through the gate as applications do, and check that nothing is lost.\n' +
    'Run it in one terminal and a switch in another. It ends after --for, or with Ctrl-C: then it looks for every row it\n' +
    'wrote, and ends with 1 if one is lost, doubled or there although it was refused.',
  examples: ['workload', 'workload --writers 8 --readers 8 --rate 200/s --for 1m', 'workload --table customer --enable-buffer'],
  flags: [
    { kind: 'int', name: 'writers', default: 4, placeholder: 'N', about: 'clients that insert, update and delete' },
    { kind: 'int', name: 'readers', default: 2, placeholder: 'N', about: 'clients that read, from primaries and replicas' },
    { kind: 'string', name: 'rate', default: '50/s', placeholder: 'RATE', about: 'statements of all writers together, and of all readers: 50/s, 3000/m' },
    { kind: 'string', name: 'read-rate', placeholder: 'RATE', about: 'statements of all readers together (the same as --rate when not given)' },
    { kind: 'duration', name: 'for', about: 'end after this long (with Ctrl-C when not given)' },
    { kind: 'strings', name: 'table', placeholder: 'TABLE', about: 'tables to write to, also as KEYSPACE.TABLE (all that have an INT or BIGINT key when not given)' },
    { kind: 'strings', name: 'value', placeholder: 'COLUMN=VALUE', about: 'what every row holds in a column, such as the id of a tenant' },
    { kind: 'int', name: 'seed', placeholder: 'N', about: 'what is drawn: the same seed sends the same statements' },
    { kind: 'duration', name: 'timeout', default: '30s', about: 'how long a client waits for its statement' },
    ...gateFlags,
    ownFormatFlag,
  ],
  load: () => import('../commands/workload.ts'),
});
