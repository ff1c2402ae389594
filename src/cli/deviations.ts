import { InvariantError, UserError } from '../lib/errors.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { PART_DEVIATIONS } from './deviations-of-parts.ts';
import { boolOf, isWorkflowCommand } from './flags.ts';
import { CHECKED_LATER, type Deviation } from './later-deviations.ts';
import type { Invocation } from './spec.ts';

export type { Deviation } from './later-deviations.ts';

/** Vitess's own text for a `--timeout` that is too short. */
export const SHORT_TIMEOUT = 'timeout value must be at least 1 second';

/** VDiff. */
const VDIFF: readonly Deviation[] = [
  {
    id: 'vdiff-unknown-table',
    there: '`VDiff create --tables` passes over tables that the workflow does not have; with none left, the diff fails later',
    here: 'refused',
    why: 'the table that was meant is not compared',
    hardenedOnly: true,
  },
  {
    id: 'vdiff-no-tablet',
    there: '`VDiff create` with `--tablet-types` or cells that there is no tablet of waits for one for ever, with the streams stopped',
    here: 'refused; on a release line the streams go on meanwhile',
    why: 'the diff never begins',
    hardenedOnly: true,
  },
  {
    id: 'vdiff-absent',
    there: '`VDiff stop` of a UUID that does not exist reports success',
    here: 'refused',
    why: 'the diff that was meant goes on',
    hardenedOnly: true,
  },
  {
    id: 'vdiff-whole-seconds',
    there: '`VDiff create` keeps whole seconds: `--max-diff-duration` below one sets no limit, `--filtered-replication-wait-time` below one lets every diff fail',
    here: 'refused',
    why: 'it does the opposite of what it says',
    hardenedOnly: true,
    check: shortVDiff,
  },
  {
    id: 'vdiff-wait',
    there: '`VDiff create --wait` goes on printing for ever when the diff has failed, was stopped, or is not started (`--auto-start=false`); with an interval of 0 it panics',
    here: 'ends with the diff, with status 1 unless it is completed; `--auto-start=false` and an interval of 0 are refused',
    why: 'nothing will change',
    hardenedOnly: true,
    check: endlessVDiff,
  },
  {
    id: 'vdiff-wait-end',
    there: '`VDiff create --wait` looks at the diff at each interval, so that it ends up to a minute after it; with `--format json` it prints a document each time',
    here: 'prints when the diff ends, too; on `hardened` one document',
    why: 'nobody waits for a clock',
    hardenedOnly: false,
  },
  {
    id: 'vdiff-in-process',
    there: 'a diff runs in the vttablets of the target, whatever becomes of the command',
    here: '`VDiff create` and `resume` run it themselves, one shard after another, and return when it has ended; if they are stopped it is still `started`, and the next `VDiff` command of the workflow goes on with it',
    why: 'there is no vttablet',
    hardenedOnly: false,
  },
];

/** Everything that differs. */
export const DEVIATIONS: readonly Deviation[] = [
  {
    id: 'mistyped-subcommand',
    there: 'a word that is no subcommand (`MoveTables … switchTrafic`) prints help and exits 0; `Workflow` takes it for a keyspace',
    here: 'refused, with the nearest subcommand',
    why: 'a script goes on as if the switch had been made',
    hardenedOnly: true,
  },
  {
    id: 'did-you-mean',
    there: 'an unknown command or flag is named',
    here: 'the nearest one is added at the end of the line',
    why: 'it saves a look at the help',
    hardenedOnly: true,
  },
  {
    id: 'no-usage-block',
    there: 'a usage error prints the usage of the command before the error',
    here: 'the error alone',
    why: 'the error scrolls away above forty lines of flags',
    hardenedOnly: false,
  },
  {
    id: 'plain-errors',
    there: 'an error is one JSON object of the log',
    here: "the error's text; the JSON object with `--log-format json`",
    why: 'it is read by people here',
    hardenedOnly: false,
  },
  {
    id: 'server-optional',
    there: '`--server` must be given, and the bare program fails without it',
    here: '`--server` is accepted and not dialled; the bare program prints help',
    why: 'there is no server',
    hardenedOnly: false,
  },
  {
    id: 'reverse-timeout',
    there: 'from v21 on `reversetraffic --timeout` below one second does nothing, prints an empty summary and exits 0',
    here: 'refused, as switchtraffic refuses it',
    why: 'it looks like a switch that was made',
    hardenedOnly: true,
    // What a release does is for the handler to say, which knows the release.
    check: (inv) => (inv.hardened && verb(inv) === 'reversetraffic' && inv.flags.duration('timeout') < 1000 ? SHORT_TIMEOUT : undefined),
  },
  {
    id: 'force-ignored',
    there: '`--force` of switchtraffic and reversetraffic, since v21, is never sent to the server',
    here: 'heeded: tablets that cannot be refreshed are passed over, all but a primary that runs, and so is a journal that cannot be read when only reads are switched',
    why: 'during an outage of a replica there is no other way back',
    hardenedOnly: true,
  },
  {
    id: 'shards-ignored',
    there: '`--shards` of switchtraffic, reversetraffic and complete is never sent to the server, and every shard is meant',
    here: 'looked at: shards that are not the workflow\'s are refused, and so is leaving one out, with the reason',
    why: 'all shards would be switched, or completed, and not the ones named',
    hardenedOnly: true,
  },
  {
    id: 'sequences-without-writes',
    there: '`switchtraffic --initialize-target-sequences` without the primary type sets no sequence and reports success',
    here: 'refused',
    why: 'sequences are set where writes are switched, and only there',
    hardenedOnly: true,
    check: (inv) =>
      boolOf(inv, 'initialize-target-sequences') && !inv.flags.tabletTypes('tablet-types').includes('PRIMARY')
        ? 'switchtraffic --initialize-target-sequences does nothing without the primary type: sequences are set where writes are switched'
        : undefined,
  },
  {
    id: 'empty-workflow',
    there: '`create --workflow ""` makes a workflow without a name',
    here: 'refused',
    why: 'an unset variable in a script gives it, and nothing can be told apart by it later',
    hardenedOnly: true,
    check: (inv) => (verb(inv) === 'create' && inv.flags.str('workflow') === '' ? '--workflow "" is empty: give the workflow a name' : undefined),
  },
  {
    id: 'no-tablet-types',
    there: '`--tablet-types ""` switches or mirrors nothing and reports success',
    here: 'refused',
    why: 'it looks as if it had been done',
    hardenedOnly: true,
    check: (inv) =>
      (isTraffic(inv) || verb(inv) === 'mirrortraffic') && inv.flags.tabletTypes('tablet-types').length === 0
        ? `${verb(inv)} --tablet-types "" would ${isTraffic(inv) ? 'switch' : 'mirror'} nothing: name at least one tablet type`
        : undefined,
  },
  {
    id: 'mirror-percent',
    there: '`mirrortraffic --percent` takes any number; above 100 is everything, below 0 saves a rule that mirrors nothing',
    here: 'refused unless it is from 0 to 100',
    why: 'what is meant is not what is done',
    hardenedOnly: true,
    check: (inv) =>
      verb(inv) === 'mirrortraffic' && !(inv.flags.float('percent') >= 0 && inv.flags.float('percent') <= 100)
        ? `mirrortraffic --percent ${inv.flags.float('percent')} is not from 0 to 100`
        : undefined,
  },
  ...CHECKED_LATER,
  ...PART_DEVIATIONS,
  ...VDIFF,
];

function isVDiffCreate({ path }: Invocation): boolean {
  return path[0] === 'VDiff' && path[1] === 'create';
}

function shortVDiff(inv: Invocation): string | undefined {
  if (!isVDiffCreate(inv)) return undefined;
  const limit = inv.flags.duration('max-diff-duration');
  if (limit !== 0 && limit < 1000) return '--max-diff-duration below one second sets no limit: give at least 1s, or 0 for none';
  if (inv.flags.duration('filtered-replication-wait-time') >= 1000) return undefined;
  return '--filtered-replication-wait-time below one second leaves no time: give at least 1s';
}

function endlessVDiff(inv: Invocation): string | undefined {
  if (!isVDiffCreate(inv) || !inv.flags.bool('wait')) return undefined;
  if (!inv.flags.bool('auto-start')) return '--wait with --auto-start=false would wait for ever: leave one of them out';
  return inv.flags.duration('wait-update-interval') <= 0 ? '--wait-update-interval has to be above 0' : undefined;
}

/**
 * Refuses what Vitess lets pass; for a release line, warns and lets it pass. Called after the check for required flags.
 *
 * @throws UserError
 */
export function checkDeviations(inv: Invocation): void {
  if (inv.spec.family === 'own') return;
  // Vitess's own check since v21, of switchtraffic only; on a release it is the handler's.
  if (inv.hardened && verb(inv) === 'switchtraffic' && inv.flags.duration('timeout') < 1000) throw new UserError(SHORT_TIMEOUT);
  for (const { check } of DEVIATIONS) {
    const problem = check?.(inv);
    if (problem === undefined) continue;
    if (inv.hardened) throw new UserError(problem);
    inv.io.stderr.write(`warning: ${problem}\n`);
  }
}

/**
 * The same for what a handler found out from the cluster: refused on `hardened`, a warning on a release. Here the
 * cluster's own version counts, unless the command line names another.
 *
 * @throws UserError
 */
export function letPass({ release, world }: Cluster, id: string, problem: string): void {
  if (!DEVIATIONS.some((row) => row.id === id)) throw new InvariantError(`a deviation that is not in the table: ${id}`);
  if (!release.vitess) throw new UserError(problem);
  world.events.emit({ kind: 'warning', text: problem });
}

function verb(inv: Invocation): string | undefined {
  return isWorkflowCommand(inv.path) ? inv.path[1] : undefined;
}

function isTraffic(inv: Invocation): boolean {
  return verb(inv) === 'switchtraffic' || verb(inv) === 'reversetraffic';
}
