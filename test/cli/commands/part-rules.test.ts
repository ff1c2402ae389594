import { beforeEach, describe, expect, it } from 'vitest';
import type { SrvVSchema } from '../../../src/topo/proto/types.ts';
import { fingerprint } from '../../helpers/fingerprint.ts';
import { partialCluster, twoByTwo } from '../../helpers/partial.ts';
import type { TestCluster } from '../../helpers/shell.ts';
import { tenantCluster } from '../../helpers/tenants.ts';
import { record } from '../../workflow/behaviours/see.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await twoByTwo();
});

const served = (cell = 'zone1'): SrvVSchema => record<SrvVSchema>(cluster, cell, 'SrvVSchema')!;

async function refused(line: string): Promise<string> {
  const before = fingerprint(cluster.host);
  const { exit, stdout, stderr } = await cluster.run(line);
  expect(exit, line).not.toBe(0);
  expect(stdout).toBe('');
  expect(fingerprint(cluster.host)).toEqual(before);
  return stderr;
}

const SHARD_RULES = '{"rules":[{"from_keyspace":"customer","to_keyspace":"customer2","shard":"80-"}]}';
const SHARD_PRINTED = `{
  "rules": [
    {
      "from_keyspace": "customer",
      "to_keyspace": "customer2",
      "shard": "80-"
    }
  ]
}
`;
const KEYSPACE_RULES = '{"rules":[{"from_keyspace":"customer","to_keyspace":"customer2"},{"from_keyspace":"customer@replica","to_keyspace":"customer2"}]}';

describe('ApplyShardRoutingRules', () => {
  const ADVICE = 'If this is not what you expected, check the input data (as JSON parsing will skip unexpected fields).\n';

  it('replaces the rules and rebuilds; queries follow', async () => {
    expect(await cluster.ok(`ApplyShardRoutingRules -r '${SHARD_RULES}'`)).toBe(`New ShardRoutingRules object:\n${SHARD_PRINTED}${ADVICE}`);
    expect(await cluster.ok('GetShardRoutingRules')).toBe(SHARD_PRINTED);
    expect(served().shard_routing_rules).toEqual(JSON.parse(SHARD_RULES));
    expect((await cluster.run('query --target customer "select * from customer where cid = 1"')).stderr).toContain('target: customer2.80-.primary');
    await cluster.ok(`ApplyShardRoutingRules -r '{}'`);
    expect(await cluster.ok('query --target customer "select name from customer where cid = 1"')).toContain('c1');
  });

  it('says of a dry run that it would rebuild, whatever is asked', async () => {
    const before = fingerprint(cluster.host);
    for (const flags of ['', '--skip-rebuild', '--cells zone1']) {
      expect(await cluster.ok(`ApplyShardRoutingRules -r '${SHARD_RULES}' --dry-run ${flags}`)).toBe(
        `[DRY RUN] Would have saved new ShardRoutingRules object:\n${SHARD_PRINTED}[DRY RUN] Would have rebuilt the VSchema graph in all cells\n`,
      );
    }
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('skips the rebuild, without a word about it', async () => {
    expect(await cluster.ok(`ApplyShardRoutingRules -r '${SHARD_RULES}' --skip-rebuild`)).toBe(`New ShardRoutingRules object:\n${SHARD_PRINTED}${ADVICE}`);
    expect(served().shard_routing_rules).toEqual({});
  });
});

describe('ApplyKeyspaceRoutingRules', () => {
  it('replaces the rules and rebuilds; reads and writes follow their own', async () => {
    cluster = await tenantCluster();
    const rules = { rules: [{ from_keyspace: 's1', to_keyspace: 's1' }, { from_keyspace: 's1@replica', to_keyspace: 'mt' }] };
    const printed = await cluster.ok(`ApplyKeyspaceRoutingRules -r '${JSON.stringify(rules)}'`);
    expect(JSON.parse(printed)).toEqual({ keyspace_routing_rules: rules });
    expect(JSON.parse(await cluster.ok('GetKeyspaceRoutingRules'))).toEqual(rules);
    expect(served().keyspace_routing_rules).toEqual(rules);
    await cluster.ok("query --target mt \"update t1 set name = 'there' where id = 101\"");
    expect(await cluster.ok('query --target s1@replica "select name from t1 where id = 101"')).toContain('there');
    expect(await cluster.ok('query --target s1 "select name from t1 where id = 101"')).toContain('n101');
  });

  it.each([
    ['', 'Would have rebuilt the VSchema graph in all cells'],
    ['--cells zone1', 'Would have rebuilt the VSchema graph in the following cells: zone1.'],
    ['--skip-rebuild', 'Would not have rebuilt VSchema graph, would have required operator to run RebuildVSchemaGraph for changes to take effect.'],
  ])('changes nothing in a dry run %s', async (flags, last) => {
    const before = fingerprint(cluster.host);
    const text = await cluster.ok(`ApplyKeyspaceRoutingRules -r '${KEYSPACE_RULES}' --dry-run ${flags}`);
    expect(text.startsWith('[DRY RUN] Would have saved new KeyspaceRoutingRules object:\n{\n  "rules": [\n')).toBe(true);
    expect(text.endsWith(`}\n[DRY RUN] ${last}\n`)).toBe(true);
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('is not there before v20', async () => {
    cluster = await twoByTwo('19.0.10');
    expect(await refused(`ApplyKeyspaceRoutingRules -r '${KEYSPACE_RULES}'`)).toContain('unknown command "ApplyKeyspaceRoutingRules" for "vtctldclient"');
    await cluster.ok(`ApplyShardRoutingRules -r '${SHARD_RULES}'`);
  });
});

describe('rules that lead nowhere', () => {
  const shard = (from_keyspace: string, name: string, to_keyspace: string): object => ({ from_keyspace, shard: name, to_keyspace });
  const keyspace = (from_keyspace: string, to_keyspace: string): object => ({ from_keyspace, to_keyspace });

  it.each<[command: string, rules: object[], text: string]>([
    ['ApplyShardRoutingRules', [shard('nope', '80-', 'customer2')], "shard routing rule for 'nope.80-': there is no keyspace 'nope'"],
    ['ApplyShardRoutingRules', [shard('customer', '80-', 'nope')], "shard routing rule for 'customer.80-': there is no keyspace 'nope'"],
    ['ApplyShardRoutingRules', [shard('customer', '', 'customer2')], "shard routing rule for 'customer.': a keyspace or shard is missing"],
    ['ApplyShardRoutingRules', [shard('customer', '80-', 'customer2'), shard('customer', '80-', 'customer')], "shard routing rule for 'customer.80-': there is another one, and the last counts"],
    ['ApplyShardRoutingRules', [{ ...shard('customer', '80-', 'customer2'), cell: 'zone1' }], 'the rules hold a field that does not exist: rules[0].cell'],
    ['ApplyKeyspaceRoutingRules', [keyspace('customer', 'nope')], "keyspace routing rule for 'customer': there is no keyspace 'nope'"],
    ['ApplyKeyspaceRoutingRules', [keyspace('customer', '')], "keyspace routing rule for 'customer': a keyspace or shard is missing"],
    ['ApplyKeyspaceRoutingRules', [keyspace('customer', 'customer2'), keyspace('customer', 'customer')], "keyspace routing rule for 'customer': there is another one, and the last counts"],
    [
      'ApplyKeyspaceRoutingRules',
      [keyspace('customer@primary', 'customer2')],
      "keyspace routing rule for 'customer@primary': no query looks for '@primary': only @replica and @rdonly, or nothing for all that have no rule of their own",
    ],
  ])('%s refuses %j, which a release saves', async (command, rules, text) => {
    const line = `${command} -r '${JSON.stringify({ rules })}'`;
    expect(await refused(line)).toBe(`${text}\n`);
    const release = await twoByTwo('24.0.0-SNAPSHOT');
    const { exit, stderr } = await release.run(line);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: `warning: ${text}\n` });
  });

  it('names each keyspace that lacks the shard', async () => {
    const line = `ApplyShardRoutingRules -r '${JSON.stringify({ rules: [shard('customer', 'c0-', 'customer2')] })}'`;
    const { stderr } = await (await twoByTwo('24.0.0-SNAPSHOT')).run(line);
    expect(stderr).toBe(
      "warning: shard routing rule for 'customer.c0-': keyspace customer has no shard 'c0-'\nwarning: shard routing rule for 'customer.c0-': keyspace customer2 has no shard 'c0-'\n",
    );
  });

  it.each(['ApplyShardRoutingRules', 'ApplyKeyspaceRoutingRules'])('%s needs rules, from one place', async (command) => {
    const texts =
      command === 'ApplyShardRoutingRules'
        ? ['must pass exactly one of --rules or --rules-file\n', 'cannot pass both --rules (=a) and --rules-file (=b)\n']
        : ['must pass exactly one of --rules or --rules-file\n', 'must pass exactly one of --rules or --rules-file\n'];
    expect(await refused(command)).toBe(texts[0]);
    expect(await refused(`${command} -r a -f b`)).toBe(texts[1]);
    expect(await refused(`${command} -r '{'`)).toMatch(/^proto: syntax error: /);
    expect(await refused(`${command} -r '{}' --cells zone9`)).toBe("there is no cell 'zone9'; the cells are: zone1\n");
  });

  it('brings rules back that a switch had made', async () => {
    cluster = await partialCluster();
    const saved = await cluster.ok('GetShardRoutingRules');
    await cluster.ok(`ApplyShardRoutingRules -r '{}'`);
    await cluster.ok(`ApplyShardRoutingRules -r '${saved}'`);
    expect(await cluster.ok('GetShardRoutingRules')).toBe(saved);
  });
});
