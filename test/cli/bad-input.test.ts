import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rootCommand } from '../../src/cli/commands.ts';
import { makeShell, type ShellResult } from '../../src/cli/shell.ts';
import type { CommandSpec, FlagSpec } from '../../src/cli/spec.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { movingCluster, type TestCluster, words } from '../helpers/shell.ts';
import { UUID, VDIFF } from '../helpers/vdiff.ts';
import { allChains } from './harness.ts';

/*
 * Whatever is typed wrong gets one clear line that names it, the right exit status, and changes nothing. The cluster is the
 * example with its workflow running; one line after another runs against it, for none may leave a trace.
 */
let cluster: TestCluster;
let before: Record<string, unknown>;

beforeAll(async () => {
  cluster = await movingCluster();
  await cluster.ok('query --session s1 begin');
  before = fingerprint(cluster.host);
});

type Line = string | readonly string[];

/** What some command may write, if a word of it happens to name a file, is written here. */
const scratch = mkdtempSync(join(tmpdir(), 'switchtraffic-bad-input-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function type(line: Line): Promise<ShellResult> {
  return makeShell(cluster.host, { cwd: scratch })(typeof line === 'string' ? words(line) : line);
}

/** One line on stderr, besides `next: …`; no stack; nothing on stdout; nothing changed. */
async function expectRefused(line: Line, names: string, exit = 1): Promise<string> {
  const result = await type(line);
  const text = `${String(line)}\n${result.stdout}${result.stderr}`;
  expect(result.exit, text).toBe(exit);
  expect(result.stdout, text).toBe('');
  expectClear(result.stderr, text);
  expect(result.stderr.split('\n')[0], text).toContain(names);
  expect(fingerprint(cluster.host), text).toEqual(before);
  return result.stderr;
}

function expectClear(stderr: string, text: string): void {
  expect(stderr, text).not.toMatch(/\n\s+at /);
  const [first, second, ...more] = stderr.split('\n');
  expect(first, text).not.toBe('');
  if (second !== '') expect(second, text).toMatch(/^next: \S/);
  expect(more.join(''), text).toBe('');
}

const MOVE = 'MoveTables --workflow c2c --target-keyspace customer';
const CREATE = 'MoveTables --workflow new --target-keyspace customer create --source-keyspace commerce';
const STOP = 'switchTraffic/writes/stopSourceWrites';

/** Every wrong name, by command: the line, and the word that its first line has to show. */
const VTCTLDCLIENT: readonly (readonly [line: string, names: string])[] = [
  ['GetKeyspace custmer', 'custmer'],
  ["GetKeyspace ''", 'empty name'],
  ["GetKeyspace 'a b'", 'a b'],
  ['GetKeyspace ../x', '../x'],
  ['GetShard customer', 'customer'],
  ['GetShard customer/9', 'shards/9'],
  ['GetShard custmer/0', 'custmer'],
  ['GetShard customer/0/1', 'customer/0/1'],
  ['GetShard customer/', 'empty name'],
  ["GetShard ''", 'invalid shard path'],
  ['SetShardTabletControl custmer/0 primary', 'custmer'],
  ['SetShardTabletControl customer/7 primary', 'shards/7'],
  ['SetShardTabletControl customer primary', 'customer'],
  ['SetShardTabletControl customer/0 prmary', 'prmary'],
  ['SetShardTabletControl --denied-tables nope customer/0 primary', "'nope'"],
  ['SetShardTabletControl --denied-tables customer --cells zone9 customer/0 replica', "'zone9'"],
  ['GetTablet zone1-999', 'zone1-0000000999'],
  ['GetTablet zone9-100', 'zone9'],
  ['GetTablet nonsense', "'nonsense'"],
  ['GetTablet zone1-99999999999999999', '99999999999999999'],
  ["GetTablet ''", 'invalid tablet alias'],
  ['GetTablets --shard 0', '--shard'],
  ['GetTablets --keyspace customer --shard 9', 'shards/9'],
  ['GetTablets --tablet-alias bad', "'bad'"],
  ['GetTablets --cell zone9', 'zone9'],
  ['GetTablets --tablet-type foo', 'foo'],
  ['GetTablets --format yaml', 'yaml'],
  ['RefreshState zone1-999', 'zone1-0000000999'],
  ['RefreshState zz', "'zz'"],
  ['RefreshStateByShard custmer/0', 'custmer'],
  ['RefreshStateByShard customer/9', 'customer/9'],
  ['RefreshStateByShard customer', 'customer'],
  ['RefreshStateByShard --cells zone9 customer/0', "'zone9'"],
  ['GetVSchema custmer', 'custmer'],
  ['GetSrvVSchema zone9', 'zone9'],
  ['RebuildVSchemaGraph --cells zone9', "'zone9'"],
  ['ApplyRoutingRules', '--rules'],
  ["ApplyRoutingRules --rules '{'", 'syntax error'],
  ["ApplyRoutingRules --rules '[]'", 'want an object'],
  ["ApplyRoutingRules --rules null", 'want an object'],
  [`ApplyRoutingRules --rules '{"rules": 5}'`, 'rules'],
  [`ApplyRoutingRules --rules '{"rules": [5]}'`, 'rules[0]'],
  [`ApplyRoutingRules --rules '{"rules": [{"from_table": 5}]}'`, 'from_table'],
  [`ApplyRoutingRules --rules '{"rules": [{"from_table": "customer", "to_tables": "x"}]}'`, 'to_tables'],
  [`ApplyRoutingRules --rules '{"rules": [{"from_table": "customer", "to_tables": ["nope.customer"]}]}'`, "'nope'"],
  [`ApplyRoutingRules --rules '{"rules": [{"from_table": "customer", "to_table": ["customer.customer"]}]}'`, 'to_table'],
  ["ApplyRoutingRules --rules '{}' --cells zone9", "'zone9'"],
  ['ApplyRoutingRules --rules-file /nope/x', '/nope/x'],
  ['ApplyRoutingRules --rules-file /', 'is a directory'],
  ['MoveTables --workflow c2d --target-keyspace customer mirrortraffic', 'c2d'],
  ['MoveTables --workflow c2c --target-keyspace custmer mirrortraffic', 'custmer'],
  ['MoveTables --workflow c2c --target-keyspace customer mirrortraffic --percent 101', '101'],
  ['MoveTables --workflow c2c --target-keyspace customer mirrortraffic --percent -1', '-1'],
  ['MoveTables --workflow c2c --target-keyspace customer mirrortraffic --percent nan', 'NaN'],
  ['MoveTables --workflow c2c --target-keyspace customer mirrortraffic --tablet-types spare', 'SPARE'],
  ["MoveTables --workflow c2c --target-keyspace customer mirrortraffic --tablet-types ''", '--tablet-types'],
  ['GetWorkflows custmer', 'custmer'],
  ['GetWorkflows ../x', '../x'],
  ['PlannedReparentShard custmer/0', 'custmer'],
  ['PlannedReparentShard customer/9', 'shards/9'],
  ['PlannedReparentShard customer', 'customer'],
  ['PlannedReparentShard customer/0 --new-primary zz', "'zz'"],
  ['PlannedReparentShard customer/0 --new-primary zone1-200 --avoid-primary zone1-200', 'zone1-0000000200 is the same as the tablet to avoid'],
  ['PlannedReparentShard customer/0 --expected-primary zone1-201', 'primary zone1-0000000200 is not equal to expected alias zone1-0000000201'],
  ['PlannedReparentShard customer/0 --avoid-primary zz', "'zz'"],
  ['ChangeTabletType zone1-999 rdonly', 'zone1-0000000999'],
  ['ChangeTabletType zz rdonly', "'zz'"],
  ['ChangeTabletType zone1-101 prmary', 'prmary'],
  ['ChangeTabletType zone1-100 rdonly', 'PRIMARY -> RDONLY'],
  ['CreateKeyspace customer', 'customer'],
  ["CreateKeyspace 'a b'", 'a b'],
  ["CreateKeyspace ''", 'empty name'],
  ['CreateKeyspace ks --type snapshot', 'snapshot'],
  ['CreateKeyspace ks --type foo', 'foo'],
  ['CreateKeyspace ks --durability-policy nope', 'nope'],
  ['CreateKeyspace ks --sidecar-db-name other', 'other'],
  ['CreateShard custmer/0', 'custmer'],
  ['CreateShard customer/0', 'customer/shards/0'],
  ['CreateShard customer/zz-', "'z'"],
  ['CreateShard customer', 'customer'],
  ['DeleteShards customer', 'customer'],
  ['DeleteShards customer/0', 'still serving'],
  ['DeleteShards --even-if-serving customer/0', 'still hase 3 tablets'],
  ['DeleteTablets zone1-999', 'zone1-0000000999'],
  ['DeleteTablets zone1-100', 'zone1-0000000100 as it is a primary'],
  ['DeleteTablets zz', "'zz'"],
  ['SetShardIsPrimaryServing customer true', 'customer'],
  ['SetShardIsPrimaryServing customer/0 maybe', 'maybe'],
  ['SetShardIsPrimaryServing customer/9 true', 'shards/9'],
  ['SetShardIsPrimaryServing custmer/0 true', 'custmer'],
  ['GetSrvKeyspaceNames zone9', 'zone9'],
  ['GetSrvKeyspaces customer zone9', "'zone9'"],
  ['RebuildKeyspaceGraph custmer', 'custmer'],
  ['RebuildKeyspaceGraph customer --cells zone9', "'zone9'"],
  ["ExecuteFetchAsDBA zone1-999 'select 1'", 'zone1-0000000999'],
  ["ExecuteFetchAsDBA zz 'select 1'", "'zz'"],
  ["ExecuteFetchAsDBA zone1-100 'selct 1'", 'selct'],
  ["ExecuteFetchAsDBA zone1-100 ''", 'empty'],
  ["ExecuteFetchAsDBA zone1-100 'select * from nope'", 'nope'],
  ["ExecuteFetchAsDBA zone1-100 'select * from _vt.nope'", 'nope'],
  ["ExecuteFetchAsDBA zone1-100 'select nope from _vt.vreplication'", 'nope'],
  ["ExecuteFetchAsDBA zone1-100 'select * from customer' --max-rows 2", '2'],
  ["ExecuteFetchAsDBA zone1-101 'delete from customer'", 'read-only'],
  ["ExecuteFetchAsApp zone1-999 'select 1'", 'zone1-0000000999'],
  ["ExecuteFetchAsApp zone1-100 'select * from nope'", 'nope'],
  ['ApplyShardRoutingRules', '--rules'],
  [`ApplyShardRoutingRules --rules '{"rules": [{"from_keyspace": 5}]}'`, 'from_keyspace'],
  [`ApplyShardRoutingRules --rules '{"rules": [{"from_keyspace": "customer", "to_keyspace": "nope", "shard": "0"}]}'`, "'nope'"],
  [`ApplyShardRoutingRules --rules '{"rules": [{"from_keyspace": "customer", "to_keyspace": "commerce", "shard": "80-"}]}'`, "'80-'"],
  ['ApplyKeyspaceRoutingRules', '--rules'],
  [`ApplyKeyspaceRoutingRules --rules '{"rules": [{"from_keyspace": "customer", "to_keyspace": "nope"}]}'`, "'nope'"],
  [`ApplyKeyspaceRoutingRules --rules '{"rules": [{"from_keyspace": "customer@spare", "to_keyspace": "commerce"}]}'`, '@spare'],
  ['Workflow --keyspace custmer list', 'custmer'],
  ['Workflow --keyspace customer list --shards 9', 'shard 9'],
  ['Workflow --keyspace custmer show --workflow c2c', 'custmer'],
  ['Workflow --keyspace customer show --workflow c2c --shards 9', 'shard 9'],
  ['Workflow --keyspace customer start --workflow c2d', 'c2d'],
  ['Workflow --keyspace customer stop --workflow c2d', 'c2d'],
  ['Workflow --keyspace custmer start --workflow c2c', 'custmer'],
  ['Workflow --keyspace customer update --workflow c2d --cells zone1', 'c2d'],
  ['Workflow --keyspace custmer update --workflow c2c --cells zone1', 'custmer'],
  ['Workflow --keyspace customer update --workflow c2c --cells zone9', "'zone9'"],
  ['Workflow --keyspace customer update --workflow c2c --cells zone1 --shards 9', 'shard 9'],
  ['Workflow --keyspace customer update --workflow c2c', 'no configuration options'],
  ['Workflow --keyspace customer update --workflow c2c --tablet-types-in-order=false', 'no configuration options'],
  ['Workflow --keyspace customer update --workflow c2c --tablet-types foo', 'foo'],
  ["Workflow --keyspace customer update --workflow c2c --tablet-types ''", 'tablet-types'],
  ['Workflow --keyspace customer update --workflow c2c --on-ddl drop', 'drop'],
  ['Workflow --keyspace customer update --workflow c2c --config-overrides foo', 'foo'],
  ['Workflow --keyspace customer update --workflow c2c --config-overrides foo=1', 'foo'],
  ['Workflow --keyspace customer delete --workflow c2d', 'c2d'],
  ['Workflow --keyspace custmer delete --workflow c2c', 'custmer'],
  ['Workflow --keyspace customer delete --workflow c2c --shards 9', "'9'"],
  ['Workflow customer', 'customer'],
  ...['show', 'status', 'start', 'stop', 'switchtraffic', 'reversetraffic', 'complete', 'cancel'].map(
    (command) => [`MoveTables --workflow c2c --target-keyspace custmer ${command}`, 'custmer'] as const,
  ),
  ...['create', 'show', 'status', 'start', 'stop', 'switchtraffic', 'reversetraffic', 'complete', 'cancel'].map(
    (command) => [`Reshard --workflow c2c --target-keyspace custmer ${command}`, 'custmer'] as const,
  ),
  ...['show', 'start', 'stop', 'cancel', 'create --source-keyspace commerce --reference-tables product'].map(
    (command) => [`Materialize --workflow c2c --target-keyspace custmer ${command}`, 'custmer'] as const,
  ),
  ['Materialize --workflow m --target-keyspace customer create --source-keyspace commerce', '--table-settings or --reference-tables'],
  ['Materialize --workflow m --target-keyspace customer create --source-keyspace custmer --reference-tables product', 'custmer'],
  ['Materialize --workflow m --target-keyspace customer create --source-keyspace commerce --reference-tables prodct', 'prodct'],
  ["Materialize --workflow m --target-keyspace customer create --source-keyspace commerce --table-settings '{'", 'not valid JSON'],
  ["Materialize --workflow m --target-keyspace customer create --source-keyspace commerce --table-settings '[]'", 'empty table-settings'],
  ['Materialize --workflow m --target-keyspace customer create --source-keyspace commerce --cells zone9 --reference-tables product', "'zone9'"],
  ['Reshard --workflow r --target-keyspace customer create --source-shards 0 --target-shards 9', 'shards/9'],
  ['Reshard --workflow r --target-keyspace customer create --source-shards zz- --target-shards 0', "'z'"],
  ['Reshard --workflow r --target-keyspace customer create', 'no shards to combine'],
  ['Reshard --workflow r --target-keyspace customer create --cells zone9', 'cells/zone9'],
  ['Reshard --workflow r --target-keyspace customer create --config-overrides nope=1', 'nope'],
  ['Reshard --workflow r --target-keyspace customer create --config-overrides nope', 'nope'],
  ['Reshard --workflow r --target-keyspace customer create --on-ddl nope', 'nope'],
  ...['status', 'start', 'stop', 'switchtraffic', 'reversetraffic', 'complete', 'cancel'].map(
    (command) => [`MoveTables --workflow c2d --target-keyspace customer ${command}`, 'c2d'] as const,
  ),
  [`${MOVE} status --shards 9`, 'c2c'],
  [`${MOVE} stop --shards 9`, 'shard 9'],
  [`${MOVE} cancel --shards 9`, "'9'"],
  [`${MOVE} complete`, 'not yet switched'],
  [`${MOVE} status --format yaml`, 'yaml'],
  [`${MOVE} switchtraffic --cells zone9`, "'zone9'"],
  [`${MOVE} switchtraffic --tablet-types spare`, 'SPARE'],
  [`${MOVE} switchtraffic --tablet-types prim`, 'prim'],
  [`${MOVE} switchtraffic --tablet-types ''`, '--tablet-types'],
  [`${MOVE} switchtraffic --timeout -5s`, 'timeout'],
  [`${MOVE} switchtraffic --timeout 5`, '"5"'],
  [`${MOVE} switchtraffic --timeout 999999999999h`, '999999999999h'],
  [`${MOVE} switchtraffic --lock-timeout -1s`, '--lock-timeout -1s'],
  [`${MOVE} switchtraffic --action-timeout 0s`, '--action-timeout 0s'],
  [`${MOVE} switchtraffic --action-timeout -1s`, '--action-timeout -1s'],
  [`${MOVE} switchtraffic --shards 9`, 'shard 9'],
  [`${MOVE} switchtraffic --vitess-version 3`, '"3"'],
  [`${CREATE} --tables prodct`, 'prodct'],
  [`${CREATE} --tables ''`, 'no tables'],
  [`${CREATE} --tables product --cells zone9`, "'zone9'"],
  [`${CREATE} --tables product --on-ddl FOO`, 'FOO'],
  [`${CREATE} --all-tables --source-shards 80-`, "'80-'"],
  [`${CREATE} --all-tables --source-shards 0`, 'names every shard'],
  [`${CREATE} --tables product --tenant-id 1`, 'multi-tenant spec'],
  [`${CREATE} --tables product --tenant-id 1 --shards 80-`, "'80-'"],
  [`${CREATE} --tables product --tenant-id 1 --source-shards 0`, '--source-shards'],
  [`${CREATE} --tables product --shards 0`, '--tenant-id'],
  [`${CREATE.replace('commerce', 'comerce')} --tables product`, 'comerce'],
  [`${CREATE.replace('customer', 'custmer')} --tables product`, 'custmer'],
  [`${CREATE.replace('customer', 'commerce')} --tables product`, 'source and target keyspace'],
  [`${CREATE.replace('new', "''")} --tables product`, '--workflow ""'],
  [`${CREATE.replace('new', 'c2c')} --tables product`, 'c2c'],
  ...['create', 'show last', `resume ${UUID}`, `stop ${UUID}`, 'delete all'].flatMap((words) => [
    [`VDiff --workflow c2d --target-keyspace customer ${words}`, 'c2d'] as const,
    [`VDiff --workflow c2c --target-keyspace custmer ${words}`, 'custmer'] as const,
    [`${VDIFF} ${words} --format yaml`, 'yaml'] as const,
  ]),
  [`${VDIFF} create foo`, 'invalid UUID length: 3'],
  [`${VDIFF} show foo`, '(foo)'],
  [`${VDIFF} show ${UUID}`, UUID],
  [`${VDIFF} delete last`, '(last)'],
  [`${VDIFF} delete ${UUID}`, UUID],
  [`${VDIFF} stop ${UUID}`, UUID],
  [`${VDIFF} stop last`, 'invalid UUID'],
  [`${VDIFF} resume ${UUID}`, UUID],
  [`${VDIFF} resume ${UUID} --target-shards 9`, '"9"'],
  [`${VDIFF} resume ${UUID} --target-shards -80`, '-80'],
  [`${VDIFF} stop ${UUID} --target-shards 80-`, '80-'],
  [`${VDIFF} create --limit 0`, '--limit'],
  [`${VDIFF} create --limit -3`, '--limit'],
  [`${VDIFF} create --max-report-sample-rows -1`, '--max-report-sample-rows'],
  [`${VDIFF} create --max-extra-rows-to-compare -1`, '--max-extra-rows-to-compare'],
  [`${VDIFF} create --tables custmer`, "'custmer'"],
  [`${VDIFF} create --tables customer,product`, "'product'"],
  [`${VDIFF} create --source-cells zone9`, "'zone9'"],
  [`${VDIFF} create --target-cells zone1,zone9`, "'zone9'"],
  [`${VDIFF} create --tablet-types spare`, 'SPARE'],
  [`${VDIFF} create --tablet-types ''`, '--tablet-types'],
  [`${VDIFF} create --tablet-types prim`, 'prim'],
  [`${VDIFF} create --max-diff-duration 500ms`, '--max-diff-duration'],
  [`${VDIFF} create --max-diff-duration -1s`, '--max-diff-duration'],
  [`${VDIFF} create --filtered-replication-wait-time 0s`, '--filtered-replication-wait-time'],
  [`${VDIFF} create --wait --wait-update-interval 0s`, '--wait-update-interval'],
  [`${VDIFF} create --wait --auto-start=false`, '--auto-start'],
];

/** Faults that cannot be; every one for the same switch. */
const FAULTS: readonly (readonly [fault: string, names: string])[] = [
  ['', '""'],
  ['=return', '=return'],
  ['stopSourceWrites', 'stopSourceWrites'],
  ['switchTraffic/writes/nope=return', 'switchTraffic/writes/nope'],
  [`${STOP}=nope`, '"nope"'],
  [`${STOP}:between=return`, '"between"'],
  [`${STOP}:commit=pause`, 'pause'],
  ['switchTraffic/writes/checkLocks:commit=return', 'no edge commit'],
  ['tablet/nope=return', 'tablet/nope'],
  ['tablet/refreshState@zone1-999=return', '"zone1-999"'],
  ['topo/get@nowhere/x=return', '"nowhere"'],
  [`${STOP}=dup`, 'dup'],
  [`${STOP}#0=return`, '#0'],
  [`${STOP}#9=return`, STOP],
  [`${STOP}=return(NOPE)`, '"NOPE"'],
  [`${STOP}=0*return`, '0*return'],
  [`${STOP}=sleep(1x)`, '"1x"'],
  [`${STOP}=lease(lose)`, 'lease'],
  [`${STOP}=ctx`, 'ctx'],
  [`${STOP}@nope=return`, '"nope"'],
  [`${STOP}=off(1)`, 'off'],
  [`${STOP}=return->`, 'return->'],
];

const OWN: readonly (readonly [line: string, names: string, exit: number])[] = [
  ['init nope', '"nope"', 2],
  ["init ''", '""', 2],
  ['init ../clusters/commerce', '../clusters/commerce', 2],
  ['init commerce', 'already', 2],
  ['init commerce --force --rows -1', '-1', 2],
  ['init commerce --force --rows abc', 'abc', 2],
  ['init commerce --force --rows 99999999999999999999', '99999999999999999999', 2],
  ['init commerce --force --without nope', '"nope"', 2],
  ['init commerce --force --vitess-version 3.0', '"3.0"', 2],
  ['tablet add zz --keyspace commerce --shard 0', "'zz'", 2],
  ['tablet add zone9-99999999999 --keyspace commerce --shard 0', '99999999999', 2],
  ["tablet add zone1-500 --keyspace 'a b' --shard 0", 'a b', 2],
  ["tablet add zone1-500 --keyspace '' --shard 0", '--keyspace', 2],
  ["tablet add zone1-500 --keyspace commerce --shard ''", '--shard', 2],
  ['tablet add zone1-500 --keyspace commerce --shard 80-40', '80', 2],
  ['tablet add zone1-500 --keyspace commerce --shard 0 --type foo', 'foo', 2],
  ['tablet add zone1-500 --keyspace commerce --shard 0 --type drained', 'DRAINED', 2],
  ['tablet add zone1-100 --keyspace commerce --shard 0', 'zone1-0000000100', 1],
  ['tablet add zone1-500 --keyspace commerce --shard 0 --type primary', 'commerce/0', 1],
  ['tablet privileges zz', "'zz'", 2],
  ['tablet privileges zone1-999', 'zone1-0000000999', 1],
  ['tablet privileges zone1-100 --allow selct', '"selct"', 2],
  ["tablet privileges zone1-100 --on ''", '--on', 2],
  ['tablet stop zz', "'zz'", 2],
  ['tablet stop zone1-999', 'zone1-0000000999', 1],
  ['tablet start zone9-100', 'zone9', 1],
  ['tablet start zz', "'zz'", 2],
  ['tablet set-type zone1-101 foo', 'foo', 2],
  ['tablet set-type zz replica', "'zz'", 2],
  ['tablet set-type zone1-100 replica', 'zone1-0000000100 is the primary of commerce/0', 1],
  ['tablet set-type zone1-101 primary', 'becomes primary by a reparent', 1],
  ['cell stop zone9', '"zone9"', 2],
  ['cell start zone9', '"zone9"', 2],
  ["query --cell zone9 'select 1'", "'zone9'", 2],
  ['doctor --explain SWT0200', '"SWT0200"', 2],
  ["doctor --explain ''", '""', 2],
  ['doctor --only SWT0201,nope', '"NOPE"', 2],
  ['doctor --skip nope', '"NOPE"', 2],
  ['doctor --plan --fix', '--plan', 2],
  ['doctor --format xml', '"xml"', 2],
  ['versions 17', '"17"', 2],
  ['versions v21 nope', '"nope"', 2],
  ["versions ''", '""', 2],
  ['versions --vitess-version v21', '--vitess-version', 2],
  ['versions --format xml', '"xml"', 2],
  ["query 'selct 1'", "'selct'", 1],
  ["query ''", 'empty', 1],
  ["query 'select * from nope'", 'nope', 1],
  ["query 'select nope from customer'", "'nope'", 1],
  ["query 'insert into customer(nope) values (1)'", "'nope'", 1],
  [`query "insert into customer(customer_id) values ('abc')"`, "'abc'", 1],
  [`query "insert into customer(customer_id,email) values (1,'x')"`, "Duplicate entry '1'", 1],
  ["query 'insert into customer(customer_id) values (99999999999999999999999)'", "'customer_id'", 1],
  ["query 'drop database commerce'", 'DROP DATABASE', 1],
  ["query 'create table x (id int)'", 'no database selected', 1],
  ['query commit', 'COMMIT', 2],
  ["query --target nope 'select 1'", "'nope'", 1],
  ["query --target customer:9 'select * from customer'", 'customer.9', 1],
  ["query --target customer@foo 'select * from customer'", 'tabletType', 1],
  ["query --target customer@spare 'select * from customer'", 'spare', 1],
  ["query --session '' 'select 1'", '""', 2],
  ["query --session 'a b' 'select 1'", '"a b"', 2],
  ["query --timeout 0s 'select 1'", '--timeout 0s', 2],
  ["query --timeout -5s 'select 1'", '--timeout -5s', 2],
  ["query --format xml 'select 1'", '"xml"', 2],
  ["query --buffer-size 1 'select 1'", '--buffer-size', 2],
  ["query --enable-buffer --buffer-size 0 'select 1'", '--buffer-size must be >= 1', 2],
  ["query --vschema-wait -1s 'select 1'", '--vschema-wait -1s', 2],
  ['workload --for 1s --table nope', 'nope', 1],
  ['workload --for 1s --table product', 'product', 2],
  ['workload --for 1s --table nope.customer', 'nope', 1],
  ['workload --for 1s --table customer --value nope=1', 'nope', 2],
  ['workload --for 1s --table customer --value email', '"email"', 2],
  ['workload --for 1s --rate 10', '"10"', 2],
  ['workload --for 1s --writers 1001', '--writers', 2],
  ['session kill s2', '"s2"', 2],
  ["session kill ''", '""', 2],
  ["snapshot save ''", 'name', 2],
  ['snapshot save no/such/folder/x', 'no/such/folder/x', 2],
  ['snapshot restore nope', '"nope"', 2],
  ['snapshot restore ./nope', './nope', 2],
  ['snapshot diff nope', '"nope"', 2],
  ['snapshot diff ./nope', './nope', 2],
  ['snapshot list --format xml', 'xml', 2],
  ['steps nope', '"nope"', 2],
  ['fault set nope=return', '"nope"', 2],
  ['fault set nope', 'nope', 2],
  ["fault set ''", 'fault set', 2],
  [`fault set ${STOP}@nowhere=return`, '"nowhere"', 2],
  ['fault clear nope', 'nope', 1],
  ['fault clear nope:between', '"between"', 2],
  ['fault release nope', 'nope', 1],
  ['fault release @', '"@"', 2],
  ['lock show nothing such', '"nothing such"', 2],
  ['lock show --last 3', '--last', 2],
  ['lock show --history --last 0', '--last 0', 2],
  ["lock release '' --token 1", '""', 2],
  ['lock release keyspace a/b --token 1', '"keyspace a/b"', 2],
  ['lock release keyspace commerce', '--token', 2],
  ['lock release keyspace commerce --token x', '"x"', 2],
  ['lock release keyspace nope --token 1', 'keyspace nope', 1],
  ['lock release keyspace commerce --token 1', 'keyspace commerce', 1],
  ['fault list nope', '"nope"', 2],
  ['run nope.swt.yaml', 'nope.swt.yaml', 2],
  ['lint nope.swt.yaml', 'nope.swt.yaml', 2],
  ['explain nope.swt.yaml', 'nope.swt.yaml', 2],
  ['show keyspace custmer', '"custmer"', 2],
  ['show shard customer/9', '"customer/9"', 2],
  ['show tablet zone1-999', '"zone1-999"', 2],
  ['show workflow c2d', '"c2d"', 2],
  ['show routing nope', '"nope"', 2],
  ['show sessions nope', '"nope"', 2],
  ['show history nope', '"nope"', 2],
  ['show nope', '"nope"', 2],
];

describe('a wrong name or value', () => {
  it.each(VTCTLDCLIENT)('%s', async (line, names) => void (await expectRefused(line, names)));
  it.each(OWN)('%s', async (line, names, exit) => void (await expectRefused(line, names, exit)));
  it.each(FAULTS)('--fault %j', async (fault, names) => void (await expectRefused([...words(`${MOVE} switchtraffic`), '--fault', fault], names)));
});

describe('hardened names the remedy', () => {
  it.each([
    ['GetKeyspace custmer', 'did you mean "customer"? keyspaces: commerce, customer'],
    ['GetShard custmer/0', 'did you mean "customer"? keyspaces: commerce, customer'],
    ['GetShard customer/9', 'shards of customer: 0'],
    ['GetTablet zone9-100', 'did you mean "zone1"? cells: zone1'],
    ['GetTablet zone1-999', 'tablets: zone1-0000000100, zone1-0000000101, zone1-0000000102, zone1-0000000200, zone1-0000000201, zone1-0000000202'],
    ['Workflow --keyspace custmer list', 'did you mean "customer"? keyspaces: commerce, customer'],
    ['Workflow --keyspace customer list --shards 9', 'shards of customer: 0'],
    ['Workflow --keyspace customer start --workflow c2d', 'did you mean "c2c"? workflows of customer: c2c'],
    ['MoveTables --workflow c2d --target-keyspace customer stop', 'did you mean "c2c"? workflows of customer: c2c'],
    ['MoveTables --workflow c2d --target-keyspace customer switchtraffic', 'did you mean "c2c"? workflows of customer: c2c'],
    ['MoveTables --workflow xyzzy --target-keyspace commerce switchtraffic', 'workflows of commerce: none'],
    [`${CREATE} --tables prodct`, 'did you mean "product"? tables of commerce: corder, customer, product'],
    ["query 'select * from custmer'", 'did you mean "customer"? tables: corder, customer, product'],
    ["query --target custmer 'select 1'", 'did you mean "customer"? keyspaces: commerce, customer'],
    ["query --target customer@foo 'select * from customer'", 'tablet types: primary, replica, rdonly'],
  ])('%s', async (line, next) => {
    expect((await type(line)).stderr.split('\n').slice(1)).toEqual([`next: ${next}`, '']);
    expect((await type(`${line} --quiet`)).stderr.split('\n').slice(1)).toEqual(['']);
  });

  it('and a release does not', async () => {
    const released = await movingCluster('22');
    expect((await released.run('GetKeyspace custmer')).stderr).toBe("node doesn't exist: /vitess/global/keyspaces/custmer/Keyspace\n");
  });
});

/** Commands that can be run, with enough positional words and every required flag. */
const RUNNABLE = allChains().filter((chain) => chain.at(-1)?.load !== undefined && chain.at(-1)?.subcommands === undefined);

describe.each(RUNNABLE.map((chain) => ({ path: chain.slice(1).map((spec) => spec.name).join(' '), chain })))('$path', ({ chain }) => {
  const spec = chain.at(-1) as CommandSpec;
  const path = chain.slice(1).map((part) => part.name);
  const usage = spec.family === 'own' ? 2 : 1;
  const flags = chain.flatMap((part) => part.flags);

  it('with a positional word too many or too few', async () => {
    // A command that takes any number of words can only be given too few.
    const limit = Number.isFinite(spec.args.max) ? spec.args.max : spec.args.min;
    const many = Array.from({ length: limit + 1 }, (_, i) => `word${i}`);
    if (limit === spec.args.max) await expectRefused([...path, ...many], spec.args.max === 0 ? 'word0' : String(many.length), usage);
    if (spec.args.min > 0) await expectRefused([...path, ...many.slice(0, spec.args.min - 1)], String(spec.args.min), usage);
  });

  it('with an unknown flag, and with a flag whose value is missing or wrong', async () => {
    await expectRefused([...path, '--no-such-flag'], '--no-such-flag', usage);
    for (const flag of flags) {
      if (flag.kind !== 'bool') await expectRefused([...path, `--${flag.name}`], `--${flag.name}`, usage);
      const wrong = wrongValue(flag);
      if (wrong !== undefined) await expectRefused([...path, `--${flag.name}=${wrong}`], wrong, usage);
    }
  });

  it('without a required flag', async () => {
    const required = flags.filter((flag) => flag.required === true);
    if (required.length === 0) return;
    const good = path[0] === 'tablet' ? 'zone1-900' : path[0] === 'VDiff' ? UUID : undefined;
    const args = Array.from({ length: spec.args.min }, (_, i) => good ?? `word${i}`);
    // Checks that vtctldclient makes before the one for required flags.
    const first: Readonly<Record<string, string[]>> = { 'MoveTables create': ['--tables', 'product'], 'Workflow update': ['--cells', 'zone1'] };
    const more = first[path.join(' ')] ?? [];
    await expectRefused([...path, ...args, ...more], `"${required.map((flag) => flag.name).toSorted()[0]}"`, usage);
  });
});

/** A value that no flag of the kind accepts. */
function wrongValue(flag: FlagSpec): string | undefined {
  if (flag.kind === 'string') return flag.choices === undefined ? undefined : 'nonsense';
  return flag.kind === 'strings' ? undefined : 'nonsense';
}

describe('files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchtraffic-bad-input-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 'UTF-8'],
    ['control characters', Buffer.from('{"rules": \u0000\u001b[31m}'), 'syntax error'],
    ['empty', Buffer.from(''), 'syntax error'],
    ['cut off', Buffer.from('{"rules": [{"from_table": "cus'), 'syntax error'],
    ['not JSON', Buffer.from('rules:\n- from_table: customer\n'), 'syntax error'],
  ])('of rules: %s', async (_what, bytes, names) => {
    const file = join(folder, 'rules.json');
    writeFileSync(file, bytes);
    const stderr = await expectRefused(['ApplyRoutingRules', '--rules-file', file], names);
    expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });
});

describe('control characters never get out', () => {
  it.each([
    [['GetKeyspace', 'a\u001b[31mb']],
    [['MoveTables', '--workflow', 'x\u001b[2J', '--target-keyspace', 'customer', 'switchtraffic']],
    [['show', 'keyspace', 'a\rb']],
    [['query', 'select \u0007 from customer']],
    [['session', 'kill', 'a\nforged: line']],
    [['GetKeyspaces', '--fault', 'a\nb=return']],
    [['init', '\u001b']],
  ])('%j', async (argv) => {
    const { exit, stderr } = await type(argv);
    expect([1, 2]).toContain(exit);
    expectClear(stderr, stderr);
    expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });
});

describe('statements that outgrow the machine', () => {
  it.each([
    ['brackets', `select ${'('.repeat(20_000)}1${')'.repeat(20_000)}`, 'nest'],
    ['sums', `select 1${'+1'.repeat(20_000)}`, 'nest'],
    ['columns', `select ${'1,'.repeat(5_000)}1`, 'too large'],
  ])('%s', async (_what, sql, names) => void (await expectRefused(['query', sql], names)));
});

describe('anything at all', () => {
  const noise = fc.oneof(fc.string({ maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 8 }));
  const flagNames = [...new Set(allChains().flatMap((chain) => chain.flatMap((spec) => spec.flags.map((flag) => `--${flag.name}`))))];
  const word = fc.oneof(
    noise,
    fc.constantFrom('customer', 'commerce', 'c2c', 'zone1-100', 'customer/0', 'primary', '0', '-1', '', '--', '-', '1s', '--fault', '--vitess-version'),
    fc.constantFrom(...flagNames),
  );
  // What ends the world, or its time, is not for a shared cluster.
  const commands = RUNNABLE.map((chain) => chain.slice(1).map((spec) => spec.name)).filter((path) => path[0] !== 'demo' && path[0] !== 'init');

  async function expectNoBug(argv: readonly string[]): Promise<void> {
    const { exit, stderr } = await type(argv);
    expect(exit, stderr).not.toBe(70);
    expect(stderr).not.toMatch(/\n\s+at |internal error/);
    if (exit !== 0) expect(stderr.split('\n')[0]).not.toBe('');
  }

  it('argv', async () => {
    const argv = fc.tuple(fc.constantFrom(...commands, []), fc.array(word, { maxLength: 6 })).map(([path, more]) => [...path, ...more]);
    await fc.assert(fc.asyncProperty(argv, expectNoBug), { numRuns: 300 });
  });

  it('SQL', async () => {
    const token = fc.oneof(
      fc.constantFrom('select', '*', 'from', 'customer', 'corder', 'where', 'insert', 'into', 'values', '(', ')', ',', '=', '1', "'x'", 'null', 'and', 'or', 'not'),
      fc.constantFrom('update', 'set', 'delete', 'email', 'customer_id', 'order by', 'limit', 'count(*)', 'group by', 'having', 'join', 'on', 'as', '-', '/', '0', '1e999', '`', "'"),
      fc.constantFrom('begin', 'commit', 'show', 'tables', 'create', 'table', 'alter', 'drop', 'add column', 'int', 'primary key', ';', '/*', '--', '@@x', 'interval', 'case when', 'end'),
      noise,
    );
    const sql = fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join(' '));
    await fc.assert(fc.asyncProperty(sql, (text) => expectNoBug(['query', text])), { numRuns: 400 });
  });

  it('faults', async () => {
    const part = fc.oneof(noise, fc.constantFrom(STOP, ':', 'before', 'after', '#', '1', '@', 'customer', '=', 'return', 'sleep', '(', ')', '1s', '->', ';', '*', 'off', '"', ','));
    const fault = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''));
    await fc.assert(fc.asyncProperty(fault, (text) => expectNoBug(['GetKeyspaces', '--fault', text])), { numRuns: 300 });
  });
});

it('every command of the table is somewhere above', () => {
  const lines = [...VTCTLDCLIENT, ...OWN].map(([line]) => line);
  const notHere = RUNNABLE.map((chain) => chain.slice(1).map((spec) => spec.name)).filter(
    (path) => !lines.some((line) => path.every((part) => line.split(' ').includes(part))),
  );
  // They take no names, or are not built yet.
  const exempt = ['Materialize update', 'GetKeyspaces', 'GetMirrorRules', 'GetRoutingRules', 'GetShardRoutingRules', 'GetKeyspaceRoutingRules', 'show locks', 'demo'];
  expect(notHere.map((path) => path.join(' ')).filter((path) => !exempt.includes(path))).toEqual([]);
  expect(rootCommand.subcommands?.length).toBeGreaterThan(10);
});
