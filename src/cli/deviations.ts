import { InvariantError, UserError } from '../lib/errors.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { PART_DEVIATIONS } from './deviations-of-parts.ts';
import { boolOf, hasFlag, isWorkflowCommand } from './flags.ts';
import type { Invocation } from './spec.ts';

/** One thing that the command line does otherwise than vtctldclient. The documents are made from these rows. */
export interface Deviation {
  /** Stable; documents and tests refer to it. */
  readonly id: string;
  /** What vtctldclient does. */
  readonly there: string;
  /** What we do; on `hardened` only, where there is a `check` or `hardenedOnly`. */
  readonly here: string;
  readonly why: string;
  /** True: a release line does what the release does. */
  readonly hardenedOnly: boolean;
  /** For what a command line may not ask: why not; undefined when it does not ask for it. */
  readonly check?: (inv: Invocation) => string | undefined;
}

/** Vitess's own text for a `--timeout` that is too short. */
export const SHORT_TIMEOUT = 'timeout value must be at least 1 second';

/** What only the cluster can tell: the handlers find it, and hand it to `letPass`. */
const CHECKED_LATER: readonly Deviation[] = [
  {
    id: 'unknown-cell',
    there: '`--cells` with a cell that does not exist: SetShardTabletControl, RefreshStateByShard, GetSrvKeyspaces and create pass over it, RebuildVSchemaGraph ApplyRoutingRules RebuildKeyspaceGraph and switchtraffic fail after they have written the other cells, or the rules',
    here: 'refused, before anything is written',
    why: 'half of it has been done, or nothing',
    hardenedOnly: true,
  },
  {
    id: 'unknown-durability',
    there: '`CreateKeyspace --durability-policy` takes any name; every reparent and ChangeTabletType of the keyspace then fails',
    here: 'refused',
    why: 'it is found out when a primary has to be replaced',
    hardenedOnly: true,
  },
  {
    id: 'unknown-shard',
    there: 'cancel and `Workflow delete` with `--shards` that do not exist drop the tables and rules, delete no stream, and report success; create passes over those of `--source-shards` and `--shards`',
    here: 'refused, before anything is made or dropped',
    why: 'half of it has been done',
    hardenedOnly: true,
  },
  {
    id: 'sequences-forgotten',
    there: '`switchtraffic` without `--initialize-target-sequences` switches writes to tables whose sequence is missing, has no row, or stands below ids that are taken',
    here: 'refused; with the flag, or the sequence set by hand, it goes on',
    why: 'the first inserts after the switch fail',
    hardenedOnly: true,
  },
  {
    id: 'deny-unknown-table',
    there: '`SetShardTabletControl --denied-tables` takes any name',
    here: 'a table that the shard does not have is refused; with `--remove` any name will do',
    why: 'with a mistyped name the table that was meant is still written to',
    hardenedOnly: true,
  },
  {
    id: 'deny-frees-more',
    there: '`SetShardTabletControl --remove --denied-tables` of another type than the primary frees every table, whatever is named',
    here: 'refused when tables would be freed that are not named',
    why: 'another workflow may need them refused',
    hardenedOnly: true,
  },
  {
    id: 'disable-unserved',
    there: '`SetShardTabletControl --disable-query-service` for a tablet type that no cell serves records nothing and exits 0',
    here: 'refused',
    why: 'it looks as if queries were refused',
    hardenedOnly: true,
  },
  {
    id: 'disable-ignored',
    there: '`SetShardTabletControl --disable-query-service` does nothing together with `--denied-tables` or `--remove`',
    here: 'refused',
    why: 'the shard goes on serving, or refusing, every query',
    hardenedOnly: true,
  },
  {
    id: 'reshard-taken-name',
    there: '`Reshard create` takes the name of another workflow of the keyspace, if that has no stream on the target shards',
    here: 'refused',
    why: 'every later command on the name means both workflows',
    hardenedOnly: true,
  },
  {
    id: 'reshard-late-failures',
    there: '`Reshard create` takes a keyspace that is not sharded, tables without a vindex, source shards whose tables differ, and target shards that hold rows: its streams break later',
    here: 'refused, before anything is made',
    why: 'the copy of hours is in vain',
    hardenedOnly: true,
  },
  {
    id: 'reshard-lost-references',
    there: '`Reshard create` leaves out reference tables, and their rows behind where no stream fills them on the source shards',
    here: 'refused while such a table has rows',
    why: 'after the switch the rows are gone',
    hardenedOnly: true,
  },
  {
    id: 'reshard-some-tables',
    there: '`Reshard create` fails when a target shard has some of the tables already, with others made',
    here: 'tables that are the same stay, the rest is made; one that differs is refused before anything is made',
    why: 'the second try fails where the first one stopped',
    hardenedOnly: true,
  },
  {
    id: 'materialize-late-failures',
    there: '`Materialize create` takes a select that no stream can carry out, or of a table that is not there: its streams say so later',
    here: 'refused, before anything is made',
    why: 'it looks as if the table were kept up to date',
    hardenedOnly: true,
  },
  {
    id: 'settings-unknown-field',
    there: '`--table-settings` leaves out fields that it does not know',
    here: 'refused',
    why: 'a mistyped `create_ddl` asks for a table that is there',
    hardenedOnly: true,
  },
  {
    id: 'config-recorded',
    there: '`--config-overrides` sets the pace of the workflow: retries, packets, heartbeats',
    here: 'checked, kept with the streams and shown; streams here have no such pace',
    why: 'what a cutover does and leaves does not depend on it',
    hardenedOnly: false,
  },
  {
    id: 'rule-unknown-field',
    there: 'ApplyRoutingRules, ApplyShardRoutingRules and ApplyKeyspaceRoutingRules leave out fields that they do not know',
    here: 'refused',
    why: 'a mistyped `to_tables` gives a rule without a target, which disables the table',
    hardenedOnly: true,
  },
  {
    id: 'rule-malformed',
    there: 'ApplyRoutingRules saves names that are not `table` or `keyspace.table`; queries fail later, or never meet the rule',
    here: 'refused',
    why: 'the rule does not do what it says',
    hardenedOnly: true,
  },
  {
    id: 'rule-duplicate',
    there: 'ApplyRoutingRules saves two rules for one `from_table`; queries for it then fail',
    here: 'refused',
    why: 'the table cannot be reached any more',
    hardenedOnly: true,
  },
  {
    id: 'rule-many-targets',
    there: 'ApplyRoutingRules saves a rule with more than one target; queries for it then fail',
    here: 'refused',
    why: 'the table cannot be reached any more',
    hardenedOnly: true,
  },
  {
    id: 'rule-unknown-keyspace',
    there: 'ApplyRoutingRules saves a rule whose target keyspace does not exist; queries for it then fail',
    here: 'refused',
    why: 'the table cannot be reached any more',
    hardenedOnly: true,
  },
  {
    id: 'rule-unknown-table',
    there: 'ApplyRoutingRules saves a rule whose target table is not in the VSchema of its sharded keyspace; queries for it then fail',
    here: 'refused',
    why: 'the table cannot be reached any more',
    hardenedOnly: true,
  },
];

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
    there: '`--force` of switchtraffic and reversetraffic is never sent to the server',
    here: 'refused',
    why: 'the person who types it expects checks to be passed over',
    hardenedOnly: true,
    check: (inv) =>
      isTraffic(inv) && inv.flags.bool('force')
        ? `${verb(inv)} --force does nothing: vtctldclient never sends it to the server`
        : undefined,
  },
  {
    id: 'shards-ignored',
    there: '`--shards` of switchtraffic, reversetraffic and complete is never sent to the server',
    here: 'refused',
    why: 'all shards would be switched, or completed, and not the ones named',
    hardenedOnly: true,
    check: (inv) =>
      (isTraffic(inv) || verb(inv) === 'complete') && hasFlag(inv, 'shards') && inv.flags.given('shards')
        ? `${verb(inv)} --shards does nothing: vtctldclient never sends it to the server, and every shard is meant`
        : undefined,
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
    there: '`--tablet-types ""` switches nothing and reports success',
    here: 'refused',
    why: 'it looks like a switch that was made',
    hardenedOnly: true,
    check: (inv) =>
      isTraffic(inv) && inv.flags.tabletTypes('tablet-types').length === 0
        ? `${verb(inv)} --tablet-types "" would switch nothing: name at least one tablet type`
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
