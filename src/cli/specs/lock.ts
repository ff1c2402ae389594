import { ownFormatFlag } from '../flags.ts';
import type { CommandSpec } from '../spec.ts';
import { ownCommand } from './build.ts';

/** `lock show|release`. */
export const lock: CommandSpec = ownCommand({
  name: 'lock',
  about: 'see who holds the locks, and end one whose holder does not come back',
  subcommands: [
    ownCommand({
      name: 'show',
      about: 'show the locks: who holds each, whether that process lives, at which step it is, who waits',
      examples: ['lock show', 'lock show keyspace commerce', 'lock show --history'],
      flags: [
        { kind: 'bool', name: 'history', about: 'show what became of locks: who got them, and how they were lost' },
        { kind: 'int', name: 'last', placeholder: 'N', default: 20, about: 'how many entries of the history to show' },
        ownFormatFlag,
      ],
      args: { min: 0, max: 2, usage: '[RESOURCE]' },
      load: () => import('../commands/lock-show.ts'),
    }),
    ownCommand({
      name: 'release',
      about: 'end a lock whose holder is dead; its next write, should it live, is refused (hardened)',
      examples: ['lock release named customer/commerce2customer --token 812', 'lock release keyspace:commerce --token 941 --force'],
      flags: [
        { kind: 'int', name: 'token', placeholder: 'N', about: 'the token of the lock, as `lock show` prints it (required)' },
        { kind: 'bool', name: 'force', about: 'also take it from a holder that lives, or may live' },
      ],
      args: { min: 1, max: 2, usage: 'RESOURCE' },
      load: () => import('../commands/lock-release.ts'),
    }),
  ],
});
