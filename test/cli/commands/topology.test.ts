import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/main.ts';
import { withoutSignals } from '../../../src/cli/signals.ts';
import { openMemoryConn } from '../../../src/topo/conn/memory-conn.ts';
import { background } from '../../../src/runtime/context.ts';
import { DEVIATIONS } from '../../../src/cli/deviations.ts';
import { fingerprint } from '../../helpers/fingerprint.ts';
import { leasePolicy } from '../../helpers/topo-world.ts';
import { movingCluster, type TestCluster, testCluster, words } from '../../helpers/shell.ts';

const V21 = '--vitess-version v21';
let cluster: TestCluster;

beforeEach(async () => {
  cluster = testCluster();
  await cluster.ok('init commerce');
});

/** A record of the topology as it is stored. */
function stored<T>(path: string, cell = 'global'): T | undefined {
  const node = cluster.host.store.cell(cell).get(path);
  return node === undefined ? undefined : (JSON.parse(node.contents) as T);
}

/** Changes a record behind everybody's back. */
function store(path: string, record: unknown, cell = 'global'): void {
  const nodes = cluster.host.store.cell(cell);
  const node = nodes.get(path);
  nodes.set(path, { ...node!, contents: JSON.stringify(record) });
}

/** Runs what must be refused, and leaves everything as it was. The hint of what to do next has its own tests. */
async function refused(line: string): Promise<string> {
  const before = fingerprint(cluster.host);
  const { exit, stdout, stderr } = await cluster.run(line);
  expect({ exit, stdout }, stderr).toEqual({ exit: 1, stdout: '' });
  expect(fingerprint(cluster.host)).toEqual(before);
  return stderr.replace(/^next: .*\n/m, '');
}

const ALIAS_FORMAT = "'^(?P<cell>[-_.a-zA-Z0-9]+)-(?P<uid>[0-9]+)$'";

describe('errors, and nothing changed', () => {
  it.each([
    ['GetKeyspace a.b', 'GetKeyspace: invalid character . in name a.b: invalid character . in name a.b'],
    ['GetKeyspace x', "node doesn't exist: /vitess/global/keyspaces/x/Keyspace"],
    ['GetShard foo', 'invalid shard path: foo'],
    ['GetShard a/b/c --server x', 'invalid shard path: a/b/c'],
    ['GetShard commerce/9', "node doesn't exist: /vitess/global/keyspaces/commerce/shards/9/Shard"],
    ['GetShard x/0 --server x', "rpc error: code = Unknown desc = node doesn't exist: /vitess/global/keyspaces/x/shards/0/Shard"],
    ['GetShard commerce/a-b-c', "invalid shardId, can only contain one '-': a-b-c"],
    ['GetShard commerce/x- --server internal', "encoding/hex: invalid byte: U+0078 'x'"],
    ['GetShard /0', 'empty name'],
    ['GetTablet foo --server x', `invalid tablet alias: 'foo', expecting format: ${ALIAS_FORMAT}`],
    ['GetTablet zone1-999', "node doesn't exist: /vitess/zone1/tablets/zone1-0000000999/Tablet"],
    ['GetTablet zone9-1', "node doesn't exist: /vitess/global/cells/zone9/CellInfo"],
    ['GetTablets --format text', 'invalid output format, got text'],
    ['GetTablets -t zone1-100 -k commerce -s 0', '--keyspace (= commerce) cannot be passed when using --tablet-alias (= [zone1-100])'],
    ['GetTablets -t a,b -s 0', '--shard (= 0) cannot be passed when using --tablet-alias (= [a b])'],
    ['GetTablets -t zone1-100 -c c,d', '--cell (= [c d]) cannot be passed when using --tablet-alias (= [zone1-100])'],
    ['GetTablets -t zone1-100 --tablet-type replica', '--tablet-type (= REPLICA) cannot be passed when using --tablet-alias (= [zone1-100])'],
    ['GetTablets -t foo', `invalid tablet alias: 'foo', expecting format: ${ALIAS_FORMAT}`],
    ['GetTablets -s 0', '--shard (= 0) cannot be passed without also passing --keyspace'],
    ['GetTablets -k x -s 0', "GetTabletMapForShard(x, 0) failed: node doesn't exist: /vitess/global/keyspaces/x/shards/0/Shard"],
    ['GetTablets -c zone9', "GetTabletsByCell(zone9) failed: node doesn't exist: /vitess/global/cells/zone9/CellInfo"],
    ['GetTablets -c zone1,zone9 --strict', "GetTabletsByCell(zone9) failed: node doesn't exist: /vitess/global/cells/zone9/CellInfo"],
    ['GetVSchema x', "node doesn't exist: /vitess/global/keyspaces/x/VSchema"],
    ['GetSrvVSchema zone9', "node doesn't exist: /vitess/global/cells/zone9/CellInfo"],
    ['RebuildVSchemaGraph -c zone1,zone9', "there is no cell 'zone9'; the cells are: zone1"],
    ['SetShardTabletControl foo primary --server x', 'cannot parse keyspace/shard: invalid shard path: foo'],
    ['SetShardTabletControl commerce/0 prim --server x', 'cannot parse tablet type: unknown TabletType prim'],
    ['SetShardTabletControl x/0 primary', "node doesn't exist: /vitess/global/keyspaces/x/"],
    ['SetShardTabletControl commerce/9 primary', "node doesn't exist: /vitess/global/keyspaces/commerce/shards/9/Shard"],
    ['SetShardTabletControl commerce/0 primary -c zone1', "you cannot specify cells for a primary's tablet control"],
    ['SetShardTabletControl commerce/0 primary --denied-tables custmer,product,x', "shard commerce/0 has no table 'custmer', 'x' to refuse; its tables are: corder, customer, product"],
    ['SetShardTabletControl customer/0 primary --denied-tables customer', "shard customer/0 has no table 'customer' to refuse; it has no tables"],
    ['SetShardTabletControl commerce/0 replica --denied-tables product -c zone9', "there is no cell 'zone9'; the cells are: zone1"],
    ['SetShardTabletControl commerce/0 spare --disable-query-service', 'nothing would be refused: no cell serves SPARE of commerce/0'],
    ['SetShardTabletControl commerce/0 primary --disable-query-service --remove', '--disable-query-service does nothing together with --denied-tables or --remove: run it by itself'],
    ['ApplyRoutingRules', 'must pass exactly one of --rules or --rules-file'],
    ['ApplyRoutingRules -r ""', 'must pass exactly one of --rules or --rules-file'],
    ['ApplyRoutingRules -r a -f b', 'cannot pass both --rules (=a) and --rules-file (=b)'],
    ['ApplyRoutingRules -f nope.json', 'open nope.json: no such file or directory'],
    ['ApplyRoutingRules -f /', 'read /: is a directory'],
    ['ApplyRoutingRules -r []', 'vschema.RoutingRules: want an object, got a list'],
    [`ApplyRoutingRules -r '{"rules":[{"from_table":1}]}'`, 'rules[0].from_table: want a string, got 1'],
  ])('%s', async (line, text) => {
    expect(await refused(line)).toBe(`${text}\n`);
  });

  it('a file or rules that are not JSON', async () => {
    expect(await refused("ApplyRoutingRules -r '{'")).toMatch(/^proto: syntax error: [^\n]+\n$/);
  });
});

describe('records', () => {
  it('of keyspaces', async () => {
    expect(await cluster.ok('GetKeyspace customer')).toBe(`{
  "name": "customer",
  "keyspace": {
    "keyspace_type": "NORMAL",
    "base_keyspace": "",
    "snapshot_time": null,
    "durability_policy": "none",
    "throttler_config": null,
    "sidecar_db_name": "_vt",
    "vtorc_state": null,
    "query_throttler_config": null
  }
}
`);
    const entry = (name: string): string =>
      `  {\n    "name": "${name}",\n    "keyspace": {\n      "durability_policy": "none",\n      "sidecar_db_name": "_vt"\n    }\n  }`;
    expect(await cluster.ok('GetKeyspaces')).toBe(`[\n${entry('commerce')},\n${entry('customer')}\n]\n`);
  });

  it('of no keyspace at all', async () => {
    for (const path of cluster.host.store.cell('global').keys()) {
      if (path.startsWith('keyspaces/')) cluster.host.store.cell('global').delete(path);
    }
    expect(await cluster.ok('GetKeyspaces')).toBe('null\n');
  });

  it('of a shard', async () => {
    const seconds = stored<{ primary_term_start_time: { seconds: string } }>('keyspaces/commerce/shards/0/Shard')!.primary_term_start_time.seconds;
    expect(await cluster.ok('GetShard commerce:0')).toBe(`{
  "keyspace": "commerce",
  "name": "0",
  "shard": {
    "primary_alias": {
      "cell": "zone1",
      "uid": 100
    },
    "primary_term_start_time": {
      "seconds": "${seconds}",
      "nanoseconds": 0
    },
    "key_range": null,
    "source_shards": [],
    "tablet_controls": [],
    "is_primary_serving": true,
    "vtorc_state": null
  }
}
`);
    expect(Object.keys(JSON.parse(await cluster.ok('--compact GetShard commerce/0')).shard)).toEqual([
      'primary_alias',
      'primary_term_start_time',
      'is_primary_serving',
    ]);
  });

  it('of rules there are none of', async () => {
    for (const kind of ['Routing', 'ShardRouting', 'KeyspaceRouting']) {
      expect(await cluster.ok(`Get${kind}Rules`)).toBe('{\n  "rules": []\n}\n');
    }
    store('ShardRoutingRules', { rules: [{ from_keyspace: 'a', to_keyspace: 'b', shard: '-80' }] });
    store('routing_rules/keyspace/Rules', { rules: [{ from_keyspace: 'a', to_keyspace: 'b' }] });
    expect(await cluster.ok('GetShardRoutingRules')).toBe(
      '{\n  "rules": [\n    {\n      "from_keyspace": "a",\n      "to_keyspace": "b",\n      "shard": "-80"\n    }\n  ]\n}\n',
    );
    expect(await cluster.ok('GetKeyspaceRoutingRules')).toBe(
      '{\n  "rules": [\n    {\n      "from_keyspace": "a",\n      "to_keyspace": "b"\n    }\n  ]\n}\n',
    );
  });

  it('of VSchemas', async () => {
    const empty = (pad: string): string =>
      ['{', '  "sharded": false,', '  "vindexes": {},', '  "tables": {},', '  "require_explicit_routing": false,', '  "foreign_key_mode": "unspecified",', '  "multi_tenant_spec": null', '}'].join(`\n${pad}`);
    expect(await cluster.ok('GetVSchema customer')).toBe(`${empty('')}\n`);
    store('keyspaces/commerce/VSchema', {});
    expect(await cluster.ok('RebuildVSchemaGraph')).toBe('RebuildVSchemaGraph: ok\n');
    expect(await cluster.ok('GetSrvVSchema zone1')).toBe(`{
  "keyspaces": {
    "commerce": ${empty('    ')},
    "customer": ${empty('    ')}
  },
  "routing_rules": {
    "rules": []
  },
  "shard_routing_rules": {
    "rules": []
  },
  "keyspace_routing_rules": null,
  "mirror_rules": {
    "rules": []
  }
}
`);
  });

  it('of a cell that has no serving VSchema yet', async () => {
    cluster.host.store.cell('zone1').delete('SrvVSchema');
    expect(await refused('GetSrvVSchema zone1')).toBe("node doesn't exist: /vitess/zone1/SrvVSchema\n");
  });

  it('a release rebuilds the cells that are there and then fails', async () => {
    store('keyspaces/commerce/VSchema', {});
    const { exit, stderr } = await cluster.run(`RebuildVSchemaGraph -c zone9,zone1 ${V21}`);
    expect(exit).toBe(1);
    const lines = stderr.split('\n');
    expect(lines[0]).toBe("node doesn't exist: /vitess/global/cells/zone9/CellInfo");
    expect(lines).toContain("warning: there is no cell 'zone9'; the cells are: zone1");
    expect(stored<{ keyspaces: unknown }>('SrvVSchema', 'zone1')!.keyspaces).toEqual({ commerce: {}, customer: {} });
  });
});

describe('tablets', () => {
  const started = (): string => stored<{ primary_term_start_time: { seconds: string } }>('tablets/zone1-0000000100/Tablet', 'zone1')!.primary_term_start_time.seconds;
  const iso = (): string => new Date(Number(started()) * 1000).toISOString().replace('.000', '');
  const aliases = async (line: string): Promise<string[]> => (await cluster.ok(line)).split('\n').slice(0, -1).map((row) => row.split(' ')[0]!.slice(-3));

  it('one line each', async () => {
    expect(await cluster.ok('GetTablets --keyspace commerce')).toBe(
      [
        `zone1-0000000100 commerce 0 primary localhost:15100 localhost:17100 [] ${iso()}`,
        'zone1-0000000101 commerce 0 replica localhost:15101 localhost:17101 [] <null>',
        'zone1-0000000102 commerce 0 rdonly localhost:15102 localhost:17102 [] <null>',
        '',
      ].join('\n'),
    );
  });

  it('with tags, without keyspace, with an IPv6 address', async () => {
    const alias = { cell: 'zone1', uid: 101 };
    store('tablets/zone1-0000000101/Tablet', { alias, hostname: '::1', keyspace: '', shard: '', type: 'SPARE', tags: { b: '2"', a: '1' } }, 'zone1');
    expect(await cluster.ok('GetTablets -t zone1-101')).toBe(
      'zone1-0000000101 <null> <null> spare [::1]:0 :0 [a: "1" b: "2\\""] <null>\n',
    );
  });

  it('chosen by', async () => {
    expect(await aliases('GetTablets')).toEqual(['100', '101', '102', '200', '201', '202']);
    expect(await aliases('GetTablets --tablet-type primary')).toEqual(['100', '200']);
    expect(await aliases('GetTablets -k customer -s 0 --tablet-type rdonly -c zone9')).toEqual(['202']);
    expect(await aliases('GetTablets -c zone1,zone9 -k customer')).toEqual(['200', '201', '202']);
    expect(await aliases('GetTablets -t zone1-201,zone1-999,zone9-1 -t zone1-0000000100')).toEqual(['100', '201']);
    expect(await cluster.ok('GetTablets -k x')).toBe('');
    expect(await cluster.ok('GetTablets -k x --format JSON')).toBe('null\n');
  });

  it('an outdated primary is unknown', async () => {
    const record = stored<object>('tablets/zone1-0000000100/Tablet', 'zone1')!;
    const later = { seconds: started(), nanoseconds: 1 };
    store('tablets/zone1-0000000101/Tablet', { ...record, alias: { cell: 'zone1', uid: 101 }, primary_term_start_time: later }, 'zone1');
    for (const line of ['GetTablets -k commerce', 'GetTablets -k commerce -s 0', 'GetTablets -t zone1-100,zone1-101']) {
      const types = (await cluster.ok(line)).split('\n').map((row) => row.split(' ')[3]);
      expect(types.slice(0, 2), line).toEqual(['unknown', 'primary']);
    }
    expect(JSON.parse(await cluster.ok('GetTablets -t zone1-100,zone1-101 --format json'))[0]).not.toHaveProperty('type');
  });

  it('as JSON, in two ways', async () => {
    expect(await cluster.ok('GetTablets -t zone1-100 --format json')).toBe(`[
  {
    "alias": {
      "cell": "zone1",
      "uid": 100
    },
    "hostname": "localhost",
    "port_map": {
      "grpc": 16100,
      "vt": 15100
    },
    "keyspace": "commerce",
    "shard": "0",
    "type": 1,
    "mysql_hostname": "localhost",
    "mysql_port": 17100,
    "primary_term_start_time": {
      "seconds": ${started()}
    }
  }
]
`);
    expect(await cluster.ok('GetTablet zone1-101')).toBe(`{
  "alias": {
    "cell": "zone1",
    "uid": 101
  },
  "hostname": "localhost",
  "port_map": {
    "grpc": 16101,
    "vt": 15101
  },
  "keyspace": "commerce",
  "shard": "0",
  "key_range": null,
  "type": "REPLICA",
  "db_name_override": "",
  "tags": {},
  "mysql_hostname": "localhost",
  "mysql_port": 17101,
  "primary_term_start_time": null,
  "default_conn_collation": 0,
  "tablet_start_time": null,
  "tablet_shutdown_time": null
}
`);
  });
});

describe('SetShardTabletControl', () => {
  const controls = async (): Promise<unknown> => JSON.parse(await cluster.ok('--compact GetShard commerce/0')).shard.tablet_controls;
  const serving = (type: string): unknown =>
    stored<{ partitions: { served_type: string; shard_tablet_controls?: unknown }[] }>('keyspaces/commerce/SrvKeyspace', 'zone1')!.partitions.find(
      (partition) => partition.served_type === type,
    )!.shard_tablet_controls;
  const HINT = 'hint: tablets notice after: switchtraffic RefreshStateByShard commerce/0\n';

  it('prints the bare record and hints at the refresh', async () => {
    const { stdout, stderr } = await cluster.run('SetShardTabletControl --denied-tables customer,corder commerce/0 primary');
    expect(stderr).toBe(HINT);
    const bare = stdout.trimEnd().replaceAll('\n', '\n  ');
    expect(await cluster.ok('GetShard commerce/0')).toBe(`{\n  "keyspace": "commerce",\n  "name": "0",\n  "shard": ${bare}\n}\n`);
    expect(stdout).toContain(`  "tablet_controls": [
    {
      "tablet_type": "PRIMARY",
      "cells": [],
      "denied_tables": [
        "customer",
        "corder"
      ],
      "frozen": false,
      "allow_reads": false
    }
  ],`);
    expect((await cluster.run('SetShardTabletControl --quiet --remove commerce/0 primary')).stderr).toBe('');
  });

  it('refuses tables once they were refreshed, and not before', async () => {
    await cluster.ok('SetShardTabletControl --denied-tables customer commerce/0 primary');
    const believed = (): string => JSON.stringify(fingerprint(cluster.host)['commerce/0 views']);
    expect(believed()).not.toContain('"deniedTables":["customer"]');
    await cluster.ok('RefreshStateByShard commerce/0');
    expect(believed()).toContain('"deniedTables":["customer"]');
  });

  it('frees tables one by one, also ones that are not denied, and all of them without a name', async () => {
    await cluster.ok('SetShardTabletControl --denied-tables customer,corder commerce/0 primary');
    await cluster.ok('SetShardTabletControl --denied-tables corder,nope --remove commerce/0 primary');
    expect(await controls()).toEqual([{ tablet_type: 'PRIMARY', denied_tables: ['customer'] }]);
    await cluster.ok('SetShardTabletControl --remove commerce/0 primary');
    expect(await controls()).toBeUndefined();
  });

  it('denies a table that is nowhere, on a release, with a warning', async () => {
    const { exit, stderr } = await cluster.run(`SetShardTabletControl --quiet --denied-tables custmer commerce/0 primary ${V21}`);
    expect({ exit, stderr }).toEqual({
      exit: 0,
      stderr: "warning: shard commerce/0 has no table 'custmer' to refuse; its tables are: corder, customer, product\n",
    });
    expect(await controls()).toEqual([{ tablet_type: 'PRIMARY', denied_tables: ['custmer'] }]);
  });

  it("follows the cluster's own version where the line names none", async () => {
    cluster = testCluster();
    await cluster.ok('init commerce --vitess-version v21');
    await cluster.ok('SetShardTabletControl --denied-tables custmer --disable-query-service commerce/0 primary');
    expect(await controls()).toEqual([{ tablet_type: 'PRIMARY', denied_tables: ['custmer'] }]);
  });

  it('wants the same tables for the other types', async () => {
    await cluster.ok('SetShardTabletControl --denied-tables customer,corder -c zone1 commerce/0 replica');
    const text = 'trying to use two different sets of denied tables for shard commerce/0: [customer corder] and [product]\n';
    expect(await refused('SetShardTabletControl --denied-tables product commerce/0 replica')).toBe(text);
    expect(await refused('SetShardTabletControl --denied-tables product commerce/0 replica --server internal')).toBe(`Code: INVALID_ARGUMENT\n${text}`);
  });

  it('frees more than is named of the other types, on a release only', async () => {
    const remove = 'SetShardTabletControl --quiet --remove --denied-tables corder commerce/0 replica';
    await cluster.ok('SetShardTabletControl --denied-tables customer,corder commerce/0 replica');
    const text = "--remove frees every table of REPLICA, also customer: only the primary's can be freed one by one\n";
    expect(await refused(remove)).toBe(text);
    const { exit, stderr } = await cluster.run(`${remove} ${V21}`);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: `warning: ${text}` });
    expect(await controls()).toBeUndefined();
  });

  it.each(['', V21])('turns the query service off and on %s', async (version) => {
    await cluster.ok(`SetShardTabletControl --disable-query-service commerce/0 primary ${version}`);
    expect(serving('PRIMARY')).toEqual([{ name: '0', query_service_disabled: true }]);
    expect(serving('REPLICA')).toBeUndefined();
    expect(await controls()).toEqual([{ tablet_type: 'PRIMARY' }]);
    await cluster.ok(`SetShardTabletControl --disable-query-service=false commerce/0 primary ${version}`);
    expect(serving('PRIMARY')).toEqual([{ name: '0' }]);
  });

  it('takes no flag at all for: on again', async () => {
    await cluster.ok('SetShardTabletControl --disable-query-service commerce/0 rdonly -c zone1');
    expect(serving('RDONLY')).toEqual([{ name: '0', query_service_disabled: true }]);
    await cluster.ok('SetShardTabletControl commerce/0 rdonly');
    expect(serving('RDONLY')).toEqual([{ name: '0' }]);
  });

  it('ignores the flag beside tables, on a release only', async () => {
    const { exit, stderr } = await cluster.run(`SetShardTabletControl --quiet --disable-query-service --denied-tables customer commerce/0 primary ${V21}`);
    expect({ exit, stderr }).toEqual({
      exit: 0,
      stderr: 'warning: --disable-query-service does nothing together with --denied-tables or --remove: run it by itself\n',
    });
    expect(serving('PRIMARY')).toBeUndefined();
  });

  it('will not while tables are denied', async () => {
    const path = 'keyspaces/commerce/shards/0/Shard';
    store(path, { is_primary_serving: true, tablet_controls: [{ tablet_type: 'PRIMARY', denied_tables: ['customer'], allow_reads: true }] });
    const text = (more: string): string =>
      `cannot safely alter DisableQueryService as DeniedTables is set for shard tablet_controls:{tablet_type:PRIMARY denied_tables:"customer"${more}} is_primary_serving:true\n`;
    expect(await refused('SetShardTabletControl --disable-query-service commerce/0 primary')).toBe(text(' allow_reads:true'));
    const release = await cluster.run(`SetShardTabletControl --quiet --disable-query-service commerce/0 primary ${V21}`);
    expect(release).toEqual({ exit: 1, stdout: '', stderr: text('') });
    // What a release leaves of a command that failed: mirrored reads are refused from now on.
    expect(stored(path)).toEqual({ is_primary_serving: true, tablet_controls: [{ tablet_type: 'PRIMARY', denied_tables: ['customer'] }] });
  });

  it('will not serve again past the point of no return', async () => {
    store('keyspaces/commerce/shards/0/Shard', { is_primary_serving: true, tablet_controls: [{ tablet_type: 'REPLICA', frozen: true }] });
    expect(await refused('SetShardTabletControl commerce/0 replica')).toBe(
      'migrate has gone past the point of no return, cannot re-enable serving for commerce/0\n',
    );
    await cluster.ok('SetShardTabletControl --disable-query-service commerce/0 replica');
  });

  it('passes over what is not there, on a release only', async () => {
    const spare = await cluster.run(`SetShardTabletControl --quiet --disable-query-service commerce/0 spare ${V21}`);
    expect(spare.stderr).toBe('warning: nothing would be refused: no cell serves SPARE of commerce/0\n');
    const cell = await cluster.run(`SetShardTabletControl --quiet --disable-query-service -c zone9 commerce/0 replica ${V21}`);
    expect(cell.exit).toBe(0);
    expect(cell.stderr).toContain("warning: there is no cell 'zone9'; the cells are: zone1\n");
    expect(serving('REPLICA')).toBeUndefined();
  });

  it('waits for the keyspace lock, and lets it go however it ends', async () => {
    const world = cluster.machine.world();
    const conn = openMemoryConn(cluster.host.store, world, leasePolicy());
    const held = await conn.lock(background(), { dir: 'keyspaces/commerce', contents: '', ttlMs: 60_000, mustExist: true });
    const line = 'SetShardTabletControl --denied-tables customer commerce/0 primary';
    expect(await refused(`${line} --lock-timeout 1s`)).toBe('deadline exceeded: /vitess/global/keyspaces/commerce/locks\n');
    await held.unlock(background());
    await cluster.run('SetShardTabletControl commerce/9 primary');
    await cluster.ok(line);
    expect(fingerprint(cluster.host)['locks']).toEqual([]);
  });

  it('repairs what a switch left behind', async () => {
    cluster = await movingCluster('v21.0.2');
    const failing = 'MoveTables --workflow c2c --target-keyspace customer switchtraffic --fault switchTraffic/writes/waitForCatchup=return';
    expect((await cluster.run(failing)).exit).toBe(1);
    expect(await controls()).toEqual([{ tablet_type: 'PRIMARY', denied_tables: ['corder', 'customer'] }]);
    await cluster.ok('SetShardTabletControl --denied-tables customer,corder --remove commerce/0 primary');
    await cluster.ok('RefreshStateByShard commerce/0');
    expect(await controls()).toBeUndefined();
    expect(JSON.stringify(fingerprint(cluster.host)['commerce/0 views'])).not.toContain('customer');
  });
});

describe('ApplyRoutingRules', () => {
  const RULES = '{"rules":[{"fromTable":"customer","to_tables":["customer.customer"]},{"from_table":"commerce.corder@replica"}]}';
  const PRINTED = `{
  "rules": [
    {
      "from_table": "customer",
      "to_tables": [
        "customer.customer"
      ]
    },
    {
      "from_table": "commerce.corder@replica",
      "to_tables": []
    }
  ]
}
`;
  const ADVICE = 'If this is not what you expected, check the input data (as JSON parsing will skip unexpected fields).\n';
  const routed = (): unknown => stored<{ routing_rules: unknown }>('SrvVSchema', 'zone1')!.routing_rules;

  it('replaces the rules and rebuilds', async () => {
    expect(await cluster.ok(`ApplyRoutingRules -r '${RULES}'`)).toBe(`New RoutingRules object:\n${PRINTED}${ADVICE}`);
    expect(await cluster.ok('GetRoutingRules')).toBe(PRINTED);
    expect(routed()).toEqual(stored('RoutingRules'));
    expect(await cluster.ok(`ApplyRoutingRules -r '{}'`)).toBe(`New RoutingRules object:\n{\n  "rules": []\n}\n${ADVICE}`);
    expect(stored('RoutingRules')).toBeUndefined();
    expect(routed()).toEqual({});
  });

  it('skips the rebuild, or rebuilds some cells', async () => {
    expect(await cluster.ok(`ApplyRoutingRules -r '${RULES}' --skip-rebuild`)).toBe(
      `New RoutingRules object:\n${PRINTED}${ADVICE}Skipping rebuild of VSchema graph, will need to run RebuildVSchemaGraph for changes to take effect.\n`,
    );
    expect(routed()).toEqual({});
    await cluster.ok('tablet add zone2-300 --keyspace customer --shard 0');
    await cluster.ok(`ApplyRoutingRules -r '{}' --cells zone2`);
    await cluster.ok(`ApplyRoutingRules -r '${RULES}' --cells zone2`);
    expect(routed()).toEqual({});
    expect(stored<{ routing_rules: unknown }>('SrvVSchema', 'zone2')!.routing_rules).toEqual(stored('RoutingRules'));
  });

  it('takes its own output back', async () => {
    cluster = await movingCluster();
    const saved = await cluster.ok('GetRoutingRules');
    await cluster.ok(`ApplyRoutingRules -r '{}'`);
    await cluster.ok(`ApplyRoutingRules -r '${saved}'`);
    expect(await cluster.ok('GetRoutingRules')).toBe(saved);
  });

  it.each([
    ['', 'Would have rebuilt the VSchema graph in all cells'],
    ['--cells zone1,zone1', 'Would have rebuilt the VSchema graph in the following cells: zone1, zone1.'],
    ['--cells zone1 --skip-rebuild', 'Would not have rebuilt VSchema graph, would have required operator to run RebuildVSchemaGraph for changes to take effect'],
  ])('changes nothing in a dry run %s', async (flags, last) => {
    const before = fingerprint(cluster.host);
    const nodes = cluster.host.store.cell('global').size;
    expect(await cluster.ok(`ApplyRoutingRules -r '${RULES}' --dry-run ${flags}`)).toBe(
      `[DRY RUN] Would have saved new RoutingRules object:\n${PRINTED}[DRY RUN] ${last}\n`,
    );
    expect(fingerprint(cluster.host)).toEqual(before);
    expect(cluster.host.store.cell('global').size).toBe(nodes);
  });

  it('reads a file, from where the command was typed', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'switchtraffic-rules-'));
    try {
      writeFileSync(join(cwd, 'rules.json'), RULES);
      let stdout = '';
      const stream = (write: (text: string) => void) => ({ write, isTTY: false, columns: 0 });
      const io = { stdout: stream((text) => (stdout += text)), stderr: stream(() => {}), env: {}, cwd, now: () => 0 };
      const exit = await main(words('ApplyRoutingRules --rules-file rules.json'), io, { host: cluster.host, withSignals: withoutSignals });
      expect({ exit, stdout }).toEqual({ exit: 0, stdout: `New RoutingRules object:\n${PRINTED}${ADVICE}` });
    } finally {
      rmSync(cwd, { recursive: true });
    }
  });

  const NAME = 'it must be of the qualified form <keyspace_name>.<table_name> (dots are not allowed in either name)';
  const rule = (from: string, ...to: string[]): object => ({ from_table: from, to_tables: to });
  const MISTAKES: [rules: object[], text: string][] = [
    [[rule('t', 'x.t')], "routing rule for 't': VT05003: unknown database 'x' in vschema"],
    [[rule('t', 'customer.t'), rule('t', 'commerce.t')], "routing rule for 't': duplicate rule for entry t"],
    [[rule('t', 'customer.t', 'commerce.t')], "routing rule for 't': table t has more than one target: [customer.t commerce.t]"],
    [[rule('t', 't')], "routing rule for 't': table t must be qualified"],
    [[rule('t', 'customer.a.b')], `routing rule for 't': invalid table name: 'customer.a.b', ${NAME}`],
    [[rule('t', 'customer.')], `routing rule for 't': invalid table name: 'customer.', ${NAME}`],
    [[rule('t', 'customer.t@replica')], "routing rule for 't': to_tables: tablet type may not be specified: 'customer.t@replica'"],
    [[rule('a.b.c', 'customer.t')], `routing rule for 'a.b.c': invalid table name: 'a.b.c', ${NAME}`],
    [[rule('t@Replica', 'customer.t')], "routing rule for 't@Replica': there is no tablet type 'Replica' (in lower case: primary, replica, rdonly)"],
    [[rule('', 'customer.t')], "routing rule for '': from_table is missing"],
    [[rule('t', 'commerce.nope')], "routing rule for 't': table nope not found"],
    [[{ from_table: 't', to_table: 'customer.t' }], 'the rules hold a field that does not exist: rules[0].to_table'],
  ];

  it.each(MISTAKES)('refuses %j, which a release saves', async (rules, text) => {
    store('keyspaces/commerce/VSchema', { sharded: true, tables: { t: {} } });
    const line = `ApplyRoutingRules -r '${JSON.stringify({ rules })}'`;
    expect(await refused(line)).toBe(`${text}\n`);
    expect(await refused(`${line} --dry-run`)).toBe(`${text}\n`);
    const { exit, stderr } = await cluster.run(`${line} --quiet ${V21}`);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: `warning: ${text}\n` });
    expect(stored<{ rules: unknown[] }>('RoutingRules')!.rules).toHaveLength(rules.length);
  });

  it('saves the rules before a rebuild fails, on a release only', async () => {
    const line = `ApplyRoutingRules -r '${RULES}' --quiet --cells zone9,zone1`;
    expect(await refused(line)).toBe("there is no cell 'zone9'; the cells are: zone1\n");
    const missing = "node doesn't exist: /vitess/global/cells/zone9/CellInfo";
    const { exit, stderr } = await cluster.run(`${line} ${V21} --server x`);
    expect(exit).toBe(1);
    expect(stderr.split('\n')[0]).toBe(`rpc error: code = Unknown desc = RebuildSrvVSchema([zone9 zone1]) failed: ${missing}: ${missing}`);
    expect(await cluster.ok('GetRoutingRules')).toBe(PRINTED);
  });
});

describe('tablet add', () => {
  it('starts one, as vttablet would', async () => {
    expect(await cluster.ok('tablet add zone1-203 --keyspace customer --shard 0')).toBe('Tablet zone1-0000000203 added to customer/0 as replica\n');
    expect(await cluster.ok('tablet add zone2-300 --keyspace new --shard 80-C0 --type primary')).toBe(
      'Tablet zone2-0000000300 added to new/80-c0 as primary\nMade for it: cell zone2, keyspace new, shard new/80-c0\n',
    );
    expect(await cluster.ok('GetTablets -t zone1-203')).toBe('zone1-0000000203 customer 0 replica localhost:15203 localhost:17203 [] <null>\n');
    expect(JSON.parse(await cluster.ok('GetShard new/80-c0')).shard).toMatchObject({
      primary_alias: { cell: 'zone2', uid: 300 },
      key_range: { start: 'gA==', end: 'wA==' },
      is_primary_serving: true,
    });
  });

  it.each([
    ['zone1-100 --keyspace customer --shard 0', 1, 'tablet zone1-0000000100 already exists'],
    ['zone7-1 --keyspace customer --shard 0 --type primary', 1, 'shard customer/0 has a primary already: zone1-0000000200'],
    ['zone7-1 --keyspace customer --shard 0 --type drained', 2, 'a tablet cannot start as DRAINED; it can as PRIMARY, REPLICA, RDONLY, SPARE'],
    ['zone7-1 --keyspace a.b --shard 0', 2, '--keyspace: invalid character . in name a.b'],
    ['zone7-1 --keyspace new --shard 80-40', 2, '--shard: out of order keys: 80 is not strictly smaller than 40'],
    ['x --keyspace new --shard 0', 2, `invalid tablet alias: 'x', expecting format: ${ALIAS_FORMAT}`],
  ])('refuses %s', async (args, exit, text) => {
    const before = fingerprint(cluster.host);
    expect(await cluster.run(`tablet add ${args}`)).toEqual({ exit, stdout: '', stderr: `switchtraffic: ${text}\n` });
    expect(fingerprint(cluster.host)).toEqual(before);
  });
});

describe('the table of deviations', () => {
  it('names each once', () => {
    const ids = DEVIATIONS.map((row) => row.id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
