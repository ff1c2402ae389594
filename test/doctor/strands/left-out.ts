import { MOVE, MOVED, SPLIT_BESIDE_MOVE, TENANT } from './grounds.ts';
import type { LeftOut } from './types.ts';

const W = 'switchTraffic/writes';
const MAIN = '24.0.0-SNAPSHOT';
const C2C = 'MoveTables --workflow c2c --target-keyspace customer';
const READS = '--tablet-types replica,rdonly';

/** What of engine sheet 17.1 to 17.3 is no row: it leaves nothing behind, or nothing that a record tells, or cannot be built here. */
export const LEFT_OUT: readonly LeftOut[] = [
  {
    id: 'K11',
    what: 'a cancelled switch starts streams that the operator had stopped',
    why: 'no record tells: a workflow that runs is as it should be',
    harmless: { ground: MOVE, release: MAIN, trigger: [`${C2C} stop`, { fails: `${C2C} switchtraffic --tablet-types primary --fault '${W}/createReverseVReplication=return'` }] },
  },
  {
    id: 'K14',
    what: 'reads stay switched when the writes fail',
    why: 'no record tells: reads switched first, by a command of their own, leave the same',
    harmless: { ground: MOVE, release: '22.0.4', trigger: [{ fails: `${C2C} switchtraffic --fault '${W}/waitForCatchup=return'` }] },
  },
  {
    id: 'K17',
    what: 'a Reshard is refused while its source has denied tables',
    why: 'nothing is changed; what its roll-back does to other streams is K8',
    harmless: { ground: SPLIT_BESIDE_MOVE, release: MAIN, trigger: [{ fails: 'Reshard --workflow split --target-keyspace customer switchtraffic --tablet-types primary', says: 'cannot safely alter DisableQueryService as DeniedTables is set for shard' }] },
  },
  {
    id: 'K24',
    what: "a tenant's reads are reversed, and go where they went",
    why: 'nothing is changed',
    harmless: { ground: TENANT, release: MAIN, trigger: [`MoveTables --workflow w1 --target-keyspace mt switchtraffic ${READS}`, `MoveTables --workflow w1 --target-keyspace mt reversetraffic ${READS}`] },
  },
  {
    id: 'K27',
    what: 'the lease runs out behind the last step',
    why: 'everything is switched; only the command says that it failed',
    harmless: { ground: MOVE, release: MAIN, trigger: [{ fails: `${C2C} switchtraffic --fault '${W}/freezeTargetVReplication:after=lease(expire)'`, says: "node doesn't exist: lease" }] },
  },
  { id: 'K34', what: 'an existing journal is missed by goroutines that overwrite a flag', why: 'not built: calls to several shards are made one after another here' },
  {
    id: 'K39',
    what: 'reads cannot be switched while only some of them are mirrored',
    why: 'nothing is changed',
    harmless: { ground: MOVE, release: MAIN, trigger: [`${C2C} mirrortraffic --percent 10 --tablet-types replica`, { fails: `${C2C} switchtraffic ${READS}`, says: 'wrong number of pre-existing mirror rules' }] },
  },
  {
    id: 'K41 rules',
    what: 'complete fails when the workflow is gone and its rules are not',
    why: 'no record tells: the rules lead where the tables are, as complete --keep-routing-rules leaves them',
    harmless: { ground: MOVED, release: MAIN, trigger: [{ fails: `${C2C} complete --fault 'complete/deleteRoutingRules=return'` }] },
  },
  { id: 'K42', what: 'the reverse stream fails when complete drops its tables', why: 'it is deleted a few steps later; where complete breaks off in between this is K40' },
  { id: 'K45', what: 'two commands lock two keyspaces crosswise', why: 'both fail after 45 s, and nothing is changed' },
  { id: 'K46', what: '--timeout below one second', why: 'nothing is done, and nothing is left' },
  { id: 'K47', what: 'lags that are shown as 0 or -1', why: 'no state: arithmetic of what is printed' },
  { id: 'K48', what: 'stopped streams pass the checks, and the switch fails later', why: 'it is rolled back' },
  { id: 'K49', what: 'a dry run makes missing sequence tables', why: 'no record tells: a sequence that is there and not used is as it should be' },
  { id: 'K51', what: '--force and --shards are parsed and not sent', why: 'no state: it is why K21 has no way out but to take the tablet away' },
  { id: 'K52', what: 'one half of a change of denied tables ends the other', why: 'not built: the halves are made one after another here; what is left before the journal is K5, behind it K21' },
  { id: 'K53', what: 'no command cancels on demand', why: 'no state' },
];
