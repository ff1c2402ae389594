import { ownFormatFlag } from '../flags.ts';
import { exactly, ownCommand } from './build.ts';

/** Where faults can be put. */
export const fault = ownCommand({
  name: 'fault',
  about: 'where faults can be put, and what a failure there comes to; faults kept for a cluster',
  subcommands: [
    ownCommand({
      name: 'list',
      about: 'list every point for a fault, with its targets and what a failure there comes to',
      long:
        'List every point for a fault, with its targets and what a failure there comes to in this version:\n' +
        'nothing changed, rolls back, left as is, strands, or past the point of no return; of create, complete\n' +
        'and cancel also cleaned up, run again, half done or done.\n\n' +
        "A fault is POINT=TERMS, given with --fault, a line of --faults-file, or SWITCHTRAFFIC_FAILPOINTS='A=B;C=D'.\n" +
        'POINT: STEP[:EDGE][#N][@TARGET]; * ? and ** (over slashes) stand for names of steps and targets.\n' +
        'EDGE: before, the usual; mid, between two targets; commit, in a transaction that is not committed;\n' +
        '  after, when it is done: the step fails all the same. The list says which steps have mid and commit.\n' +
        'A call is a point too: tablet/RPC[@TABLET], as in tablet/refreshState@zone1-100, and\n' +
        '  topo/get|list|listDir|create|update|delete|lock[@PATH]; a path of a cell begins with its name.\n' +
        '  #N is the Nth such call; a pattern means calls only if it begins with tablet/ or topo/.\n' +
        'TERMS: [P%][N*]ACTION, and more after ->: the first that is not used up and not passed over by chance.\n' +
        'Actions:\n' +
        '  return, return(CODE[,MESSAGE])   the step fails; CODE by name or number\n' +
        '  panic                            the process dies, as by kill -9\n' +
        '  exit(N)                          the command ends: no roll-back, locks released, status N\n' +
        '  sleep(DURATION), yield           takes time; lets everything else have its turn\n' +
        '  pause                            waits for fault release, SIGUSR2, Ctrl-C or --action-timeout\n' +
        '  print(MESSAGE)                   a line on stderr\n' +
        "  ctx(cancel), ctx(deadline)       the command's context ends, as by Ctrl-C or a deadline\n" +
        '  lease(expire), lease(steal)      the locks held are lost; somebody else has them\n' +
        '  lease(stall,DURATION)            they are not renewed for so long (hardened)\n' +
        '  drop, dup, reorder               of a call to a tablet: it is lost (:after, its answer is), arrives\n' +
        '                                   twice, or after the next call to that tablet\n' +
        '  off                              nothing; at :commit there are return, panic, exit, print and off',
      examples: ['fault list', 'fault list rollback --vitess-version 21.0.2', 'fault list complete', "fault list --fault '**/lock*=1*return'"],
      flags: [ownFormatFlag],
      args: { min: 0, max: 1, usage: '[COMMAND]' },
      load: () => import('../commands/fault-list.ts'),
    }),
    ownCommand({
      name: 'set',
      about: 'keep faults for this cluster: every command has them, until they are cleared',
      long:
        'Keep faults for this cluster: every command that opens it has them, until they are cleared, and one that is\n' +
        'paused has them when it goes on. Counts (2*return) are over all commands and processes together.\n' +
        'One of the same name replaces what was set there, and lets go on who waits at it.',
      examples: ["fault set 'switchTraffic/writes/createJournals:after=1*panic'", "fault set 'tablet/refreshState@zone1-101=return' '**/rollback/**=pause'"],
      args: { min: 1, max: Infinity, usage: 'POINT=TERMS...' },
      load: () => import('../commands/fault-set.ts'),
    }),
    ownCommand({
      name: 'clear',
      about: 'take away a fault that was set, or all of them; who waits at one goes on',
      examples: ['fault clear', 'fault clear switchTraffic/writes/createJournals:after'],
      args: { min: 0, max: 1, usage: '[POINT]' },
      load: () => import('../commands/fault-clear.ts'),
    }),
    ownCommand({
      name: 'release',
      about: 'let commands go on that wait at a pause, in whatever terminal',
      examples: ['fault release switchTraffic/writes/createJournals', "fault release '**'"],
      args: exactly('POINT'),
      load: () => import('../commands/fault-release.ts'),
    }),
  ],
});
