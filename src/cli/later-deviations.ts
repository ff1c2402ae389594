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

/** What only the cluster can tell: the handlers find it, and hand it to `letPass`. */
export const CHECKED_LATER: readonly Deviation[] = [
  {
    id: 'own-locks',
    there: '`--topo-implementation` says whose locks there are: of etcd, ZooKeeper or Consul',
    here: 'refused by init: it has locks of its own; on a release line init takes it ([topologies.md](topologies.md)), and other commands do not look at it',
    why: 'theirs are lost, or left behind, in ways that it exists to avoid',
    hardenedOnly: true,
  },
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
    id: 'graph-corrupt-later',
    there: '`Reshard switchtraffic` in a cell whose serving graph names other shards than the source: it fails while it writes, for the writes past the journal',
    here: 'refused, before anything is changed',
    why: 'nobody would serve writes until the graph is put right by hand (vitessio/vitess#7481)',
    hardenedOnly: true,
  },
  {
    id: 'cancel-some-shards',
    there: 'cancel and `Workflow delete` with `--shards` drop tables and rules of every shard, and leave the streams of the others',
    here: 'refused unless every shard of the workflow is named',
    why: 'the streams that are left break on tables that are gone',
    hardenedOnly: true,
  },
  {
    id: 'cancel-frozen',
    there: 'cancel drops the tables of a frozen workflow whose routing rules somebody has removed',
    here: 'refused without `--keep-data`',
    why: 'its writes were switched: these may be the only rows there are',
    hardenedOnly: true,
  },
  {
    id: 'rename-taken',
    there: '`complete --rename-tables` fails in the middle where a table `_NAME_old` exists',
    here: 'refused, before anything is renamed',
    why: 'some shards have been renamed, and some have not',
    hardenedOnly: true,
  },
  {
    id: 'mirror-type',
    there: '`mirrortraffic --tablet-types` takes every tablet type, and saves rules for those that answer no queries',
    here: 'refused for other types than primary, replica and rdonly, as a switch refuses them',
    why: 'nothing is mirrored',
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
