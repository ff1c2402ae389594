import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { exampleNames } from '../../../src/cli/examples.ts';
import { type ClusterHost, fileHost, type MemoryHost, memoryHost } from '../../../src/cli/host.ts';
import type { Io } from '../../../src/cli/io.ts';
import { main } from '../../../src/cli/main.ts';
import type { ShellResult } from '../../../src/cli/shell.ts';
import { withoutSignals } from '../../../src/cli/signals.ts';
import { VirtualMachine } from '../../../src/runtime/world.ts';
import { fingerprint } from '../../helpers/fingerprint.ts';
import { testCluster } from '../../helpers/shell.ts';

const root = mkdtempSync(join(tmpdir(), 'switchtraffic-init-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;

/** A folder with these files. */
function folder(files: Readonly<Record<string, string>> = {}): string {
  const path = join(root, `run-${folders++}`);
  mkdirSync(path);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

async function run(cwd: string, host: ClusterHost, argv: readonly string[], within?: string): Promise<ShellResult> {
  const result: ShellResult = { exit: -1, stdout: '', stderr: '' };
  const out = (name: 'stdout' | 'stderr'): Io['stdout'] => ({ write: (text) => void (result[name] += text), isTTY: false, columns: 0 });
  const io: Io = { stdout: out('stdout'), stderr: out('stderr'), env: {}, cwd, now: () => 0, ...(within !== undefined && { within }) };
  result.exit = await main(argv, io, { host, withSignals: withoutSignals });
  return result;
}

const memory = (): MemoryHost => memoryHost(new VirtualMachine(1));

/** Without what tells two clusters apart that are the same: where they came from, and when. */
function shape(host: MemoryHost): string {
  const state = fingerprint(host);
  delete state['global:switchtraffic/cluster'];
  return JSON.stringify(state).replace(/"made_from":"[^"]*"/, '');
}

it('tables and rows go to the shards that serve, whatever others there are, and in whatever order', async () => {
  const file = {
    keyspaces: {
      customer: {
        shards: { '0': { is_primary_serving: false }, '-80': {}, '80-': {}, '-40': { is_primary_serving: false } },
        vschema: {
          sharded: true,
          vindexes: { hash: { type: 'hash' } },
          tables: { t: { column_vindexes: [{ column: 'id', name: 'hash' }] }, r: { type: 'reference' } },
        },
        schema: 'create table t (id bigint not null, primary key (id));\ncreate table r (id bigint not null, primary key (id));',
        rows: 'insert into t values (1), (2), (3), (4);\ninsert into r values (1);',
      },
    },
  };
  const host = memory();
  const made = await run(folder({ 'c.yaml': JSON.stringify(file) }), host, ['init', 'c.yaml']);
  expect(made).toMatchObject({ exit: 0, stderr: '' });
  const counts = (table: string): unknown[] =>
    ['-80', '80-'].map((shard) => host.shards.open('customer', shard).db.get<{ n: number }>(`SELECT count(*) AS n FROM "${table}"`)?.n);
  expect(counts('t')).toEqual([3, 1]);
  expect(counts('r')).toEqual([1, 1]);
  for (const shard of ['0', '-40']) expect(host.shards.open('customer', shard).tableNames()).toEqual([]);
});

describe('the examples', () => {
  it.each(exampleNames())('%s is right, and its file makes the same cluster', async (name) => {
    const [example, fromFile] = [memory(), memory()];
    expect((await run('.', example, ['init', name])).stderr).toBe('');
    const { stdout } = await run('.', example, ['init', '--like', name]);
    const cwd = folder({ 'my.yaml': stdout });
    const made = await run(cwd, fromFile, ['init', 'my.yaml']);
    expect(made).toMatchObject({ exit: 0, stderr: '' });
    expect(shape(fromFile)).toBe(shape(example));
  });

  it('are listed when none is named, and when there is no such one', async () => {
    for (const argv of [['init'], ['init', 'comerce']]) {
      const { exit, stderr } = await run('.', memory(), argv);
      expect(exit).toBe(2);
      expect(stderr).toContain(`the examples are: ${exampleNames().join(', ')}`);
    }
  });

  it('let one shard become two', async () => {
    const cluster = testCluster();
    await cluster.ok('init customer-sharded');
    const move = 'MoveTables --workflow c2c --target-keyspace customer';
    await cluster.ok(`${move} create --source-keyspace commerce --tables customer,corder`);
    await cluster.ok(`${move} status`);
    await cluster.ok(`${move} switchtraffic`);
    expect(await cluster.ok("query 'select count(*) from customer'")).toContain('5');
  });

  it('with two cells have tablets and serving records in both', async () => {
    const cluster = testCluster();
    await cluster.ok('init two-cells');
    expect(await cluster.ok('GetTablets --cell zone2 --tablet-type rdonly')).toContain('zone2-0000000104 commerce 0 rdonly');
    expect(cluster.host.store.cell('zone2').get('keyspaces/customer/SrvKeyspace')?.contents).toContain('RDONLY');
  });
});

const FILE = `
vitess: 21.0.2
keyspaces:
  shop:
    schema: [sql/schema.sql]
    rows: rows.sql
    vschema: shop.json
    shards:
      '0':
        tablets: [{alias: zone1-7, type: primary}, {alias: {cell: zone1, uid: 8}, type: replica}]
        tablet_controls: [{tablet_type: PRIMARY, cells: [], denied_tables: [t], frozen: false}]
  other: {shards: ['-'], durability_policy: semi_sync}
routing_rules:
  - {from_table: t, to_tables: [shop.t]}
mirror_rules: {rules: [{from_table: shop.t, to_table: other.t, percent: 12.5}]}
`;
const SQL = { 'rows.sql': 'INSERT INTO t VALUES (1), (2);\n', 'shop.json': '{"sharded": false, "tables": {"t": {}}, "multi_tenant_spec": null}', 'c.yaml': FILE };

function shop(): string {
  const cwd = folder(SQL);
  mkdirSync(join(cwd, 'sql'));
  writeFileSync(join(cwd, 'sql/schema.sql'), 'CREATE TABLE t (id BIGINT PRIMARY KEY);\n');
  return cwd;
}

describe('a cluster file', () => {
  it('makes its cluster, stranded tables and all', async () => {
    const host = memory();
    const cwd = shop();
    const { stdout } = await run(cwd, host, ['init', 'c.yaml']);
    expect(stdout).toBe('Cluster made in memory, behaving like Vitess 21.0.2\n  shop/0 (tablets 7, 8): 1 table, 2 rows\n  other/- (tablets 100, 101, 102): empty\n');
    expect((await run(cwd, host, ['GetRoutingRules'])).stdout).toContain('shop.t');
    expect((await run(cwd, host, ['GetKeyspace', 'other'])).stdout).toContain('semi_sync');
    expect((await run(cwd, host, ['query', 'insert into t values (3)'])).stderr).toContain('disallowed due to rule: enforce denied tables');
    expect((await run(cwd, host, ['query', '--target', 'shop@replica', 'select count(*) from t'])).stdout).toContain('2');
  });

  it('counts its files from its own folder, and the version given wins', async () => {
    const cwd = shop();
    const { stdout } = await run(join(cwd, 'sql'), memory(), ['init', '../c.yaml', '--vitess-version', '22.0.3']);
    expect(stdout).toContain('Vitess 22.0.3');
  });

  it('stays in the folder that it is confined to', async () => {
    const cwd = shop();
    const inner = join(cwd, 'own');
    mkdirSync(inner);
    symlinkSync('../rows.sql', join(inner, 'link.sql'));
    writeFileSync(join(cwd, 'own.yaml'), 'keyspaces: {a: {}}');
    for (const path of ['../rows.sql', join(cwd, 'rows.sql'), 'link.sql', '/etc/passwd']) {
      writeFileSync(join(inner, 'c.yaml'), `keyspaces:\n  a: {rows: ${path}}`);
      const { exit, stderr } = await run(cwd, memory(), ['init', 'own/c.yaml'], 'own');
      expect([exit, stderr.split('\n')[0]]).toEqual([2, expect.stringMatching(/^switchtraffic: own\/c\.yaml:2:13: the file .* is outside of the scenario's folder$/)]);
    }
    expect((await run(cwd, memory(), ['init', 'own.yaml'], 'own')).stderr).toContain('outside');
  });

  it('refuses what is for the examples, and files that are none', async () => {
    const cwd = shop();
    expect(await run(cwd, memory(), ['init', 'c.yaml', '--rows', '5'])).toMatchObject({ exit: 2, stderr: expect.stringContaining('--rows is for the examples') as string });
    expect(await run(cwd, memory(), ['init', './sql'])).toMatchObject({ exit: 2, stderr: 'switchtraffic: ./sql is not a file\n' });
    expect(await run(cwd, memory(), ['init', 'x.yaml'])).toMatchObject({ exit: 2, stderr: expect.stringContaining('there is no file x.yaml; did you mean "c.yaml"?') as string });
  });

  it('printed from the cluster at hand makes it again, without rows', async () => {
    const [host, again] = [memory(), memory()];
    const cwd = shop();
    await run(cwd, host, ['init', 'c.yaml']);
    const { stdout } = await run(cwd, host, ['init', '--like', '.']);
    writeFileSync(join(cwd, 'again.yaml'), stdout);
    expect(await run(cwd, again, ['init', 'again.yaml'])).toMatchObject({ exit: 0, stderr: '' });
    for (const line of [['GetShard', 'shop/0'], ['GetRoutingRules'], ['GetMirrorRules'], ['GetKeyspaces'], ['GetVSchema', 'shop']]) {
      const [a, b] = [await run(cwd, host, line), await run(cwd, again, line)];
      const timeless = (text: string): string => text.replace(/"(?:seconds|nanoseconds)": [^\n]*/g, '');
      expect(timeless(b.stdout)).toBe(timeless(a.stdout));
    }
  });
});

describe('all or nothing', () => {
  const broken = (sql: string): string => `keyspaces:\n  a:\n    schema: |\n      CREATE TABLE t (id BIGINT PRIMARY KEY);\n    rows: |\n${sql.replace(/^/gm, '      ')}\n`;
  const state = (cwd: string): string[] => (existsSync(join(cwd, '.switchtraffic')) ? readdirSync(join(cwd, '.switchtraffic'), { recursive: true }).map(String).toSorted() : []);

  it('an error while rows load names its line and leaves nothing, not even the folder', async () => {
    const cwd = folder({ 'c.yaml': broken('INSERT INTO t VALUES (1);\nINSERT INTO gone VALUES (1);') });
    const { exit, stdout, stderr } = await run(cwd, fileHost('.switchtraffic', cwd), ['init', 'c.yaml']);
    expect([exit, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^switchtraffic: c\.yaml:7: [^\n]*gone[^\n]*\nnext: [^\n]*\n$/);
    expect(existsSync(join(cwd, '.switchtraffic'))).toBe(false);
  });

  it('with --force the old cluster stays until the new one is whole, then goes', async () => {
    const cwd = folder({ 'bad.yaml': broken('INSERT INTO gone VALUES (1);'), 'good.yaml': broken('INSERT INTO t VALUES (1);') });
    const host = fileHost('.switchtraffic', cwd);
    await run(cwd, host, ['init', 'commerce']);
    const before = state(cwd);
    expect((await run(cwd, host, ['init', 'bad.yaml', '--force'])).exit).toBe(2);
    expect(state(cwd)).toEqual(before);
    expect((await run(cwd, host, ['query', 'select count(*) from customer'])).stdout).toContain('5');
    for (const shards of ['shards-2', 'shards']) {
      expect((await run(cwd, host, ['init', 'good.yaml', '--force'])).exit).toBe(0);
      expect(state(cwd)).toEqual([shards, `${shards}/a.0.db`, 'topology.db']);
      expect((await run(cwd, host, ['query', 'select count(*) from t'])).stdout).toContain('1');
    }
  });

  it('what a killed process left is not in the way, and removed', async () => {
    const cwd = folder();
    const host = fileHost('.switchtraffic', cwd);
    await run(cwd, host, ['init', 'commerce']);
    const draft = await host.beside();
    const { shardFolder = '' } = draft;
    const claim = join(cwd, '.switchtraffic', `${shardFolder}.making`);
    expect(readFileSync(claim, 'utf8')).toBe(`${process.pid}\n`);
    // A process number that no system gives.
    writeFileSync(claim, '4194305\n');
    writeFileSync(`${claim}.db`, 'half');
    mkdirSync(join(cwd, '.switchtraffic', shardFolder), { recursive: true });
    writeFileSync(join(cwd, '.switchtraffic', shardFolder, 'a.0.db'), 'half');
    expect((await run(cwd, host, ['query', 'select count(*) from customer'])).stdout).toContain('5');
    expect((await run(cwd, host, ['init', 'commerce', '--force'])).exit).toBe(0);
    expect(state(cwd)).toEqual([shardFolder, `${shardFolder}/commerce.0.db`, `${shardFolder}/customer.0.db`, 'topology.db']);
  });

  it('two at once: one is made, the other is told', async () => {
    const cwd = folder();
    const host = fileHost('.switchtraffic', cwd);
    const ended = await Promise.all([run(cwd, host, ['init', 'commerce']), run(cwd, host, ['init', 'two-cells'])]);
    expect(ended.map((one) => one.exit).toSorted()).toEqual([0, 2]);
    expect(ended.find((one) => one.exit === 2)?.stderr).toContain('another process has made a cluster');
    expect((await run(cwd, host, ['query', 'select count(*) from customer'])).stdout).toContain('5');
    expect(state(cwd).filter((name) => /making/.test(name))).toEqual([]);
  });
});
