import type { Deviation } from './deviations.ts';

/** What differs for moves shard by shard and tenant by tenant. Their handlers, and the engine, find it. */
export const PART_DEVIATIONS: readonly Deviation[] = [
  {
    id: 'partial-no-part',
    there: '`create --source-shards` that names every shard, or a shard that the target has not under the same name, makes a workflow that is partial for create and none for the switch, or cannot be switched',
    here: 'refused, before anything is made',
    why: 'rules are made that nothing takes away',
    hardenedOnly: true,
  },
  {
    id: 'partial-some-tables',
    there: '`create --source-shards` takes some of the tables; the switch sends queries for all of the shard to the target',
    here: 'refused, unless every table of the source keyspace is moved',
    why: 'queries for the others fail after the switch',
    hardenedOnly: true,
  },
  {
    id: 'partial-vindexes',
    there: '`create --source-shards` takes keyspaces with different primary vindexes',
    here: 'refused',
    why: 'rows of one shard belong to several shards of the target, and are lost',
    hardenedOnly: true,
  },
  {
    id: 'partial-moved',
    there: '`create --source-shards` takes a shard whose traffic has been switched already',
    here: 'refused',
    why: 'it copies rows that nobody writes to any more',
    hardenedOnly: true,
  },
  {
    id: 'partial-reads',
    there: '`switchtraffic` of single shards for reads alone changes nothing, and reports success; they go with the writes',
    here: 'refused',
    why: 'it looks like a switch that was made',
    hardenedOnly: true,
  },
  {
    id: 'tenant-other-rows',
    there: '`create --tenant-id` takes a source keyspace with rows of other tenants, and a second tenant of a keyspace that is being moved; the switch is of the whole keyspace',
    here: 'refused',
    why: 'the rows of the others cannot be reached after the switch',
    hardenedOnly: true,
  },
  {
    id: 'tenant-rows-there',
    there: '`create --tenant-id` does not look for rows in the target; the copy fails on those of the tenant, and cancel deletes them',
    here: 'refused while the target has rows of the tenant',
    why: 'rows that were there before are deleted',
    hardenedOnly: true,
  },
  {
    id: 'tenant-column',
    there: '`create --tenant-id` takes tables without the column of the tenants; the streams fail',
    here: 'refused, before anything is made',
    why: 'the failure is found after create has reported success',
    hardenedOnly: true,
  },
  {
    id: 'tenant-shards',
    there: "`create --tenant-id --shards` takes any shards, also those that do not get the tenant's rows",
    here: 'refused, unless the tenant belongs to one of them; names of shards that do not exist too',
    why: 'rows are left out of the copy, and lost',
    hardenedOnly: true,
  },
  {
    id: 'part-rules',
    there:
      '`ApplyShardRoutingRules` and `ApplyKeyspaceRoutingRules` save two rules for one place, keyspaces and shards that do not exist, and types that no query looks for',
    here: 'refused',
    why: 'queries fail, or never meet the rule',
    hardenedOnly: true,
  },
  {
    id: 'shard-rules-followed',
    there: 'vtgate follows shard routing rules only with `--enable-partial-keyspace-migration`',
    here: 'they are followed, unless a gate is told `--enable-partial-keyspace-migration=false`',
    why: 'without it a switch of single shards ends in refused writes',
    hardenedOnly: false,
  },
];
