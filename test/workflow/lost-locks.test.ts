import { describe, expect, it } from 'vitest';
import { movingCluster, switchLine, type TestCluster, words } from '../helpers/shell.ts';

/**
 * vitessio/vitess#17620 as its scenario has it: the target table is locked by somebody, rows are written that cannot be
 * copied, and the switch fails at catch-up for that reason. On every release around the bug.
 */
interface Expected {
  source: 'open' | 'denied';
  target: 'open' | 'denied';
  /** What the log says of the roll-back. */
  log: string | undefined;
}

const NO_LOCKS = (code: string): string =>
  `Cancel migration failed: could not revert denied tables / shard access: Code: ${code}\nkeyspace commerce is not locked (no locksInfo)`;

const EXPECTED: Record<string, Expected> = {
  hardened: { source: 'open', target: 'denied', log: undefined },
  '18.0.8': { source: 'open', target: 'open', log: undefined },
  '19.0.8': { source: 'open', target: 'open', log: undefined },
  '19.0.9': { source: 'denied', target: 'open', log: NO_LOCKS('INVALID_ARGUMENT') },
  '19.0.10': { source: 'open', target: 'open', log: undefined },
  '20.0.4': { source: 'denied', target: 'open', log: undefined },
  '20.0.5': { source: 'denied', target: 'open', log: NO_LOCKS('INVALID_ARGUMENT') },
  '20.0.6': { source: 'open', target: 'denied', log: undefined },
  '21.0.1': { source: 'denied', target: 'open', log: undefined },
  '21.0.2': { source: 'denied', target: 'open', log: NO_LOCKS('INTERNAL') },
  '21.0.3': { source: 'open', target: 'denied', log: undefined },
  '22': { source: 'open', target: 'denied', log: undefined },
  '24.0.0-SNAPSHOT': { source: 'open', target: 'denied', log: undefined },
};

const ERROR =
  'failed to sync up replication between the source and target: rpc error: code = DeadlineExceeded desc = context deadline exceeded';
const REFUSED = 'disallowed due to rule: enforce denied tables';

async function blockedSwitch(version: string): Promise<{ cluster: TestCluster; stderr: string }> {
  const cluster = await movingCluster(version);
  await cluster.ok("query --session blocker --target customer:0 'lock tables customer read'");
  const rows = Array.from({ length: 100 }, (_, i) => `('late${i}@example.com')`).join(', ');
  await cluster.ok(`query "insert into customer (email) values ${rows}"`);
  const failed = await cluster.run(switchLine('--tablet-types primary --timeout 6s'));
  expect(failed.exit).toBe(1);
  return { cluster, stderr: failed.stderr };
}

async function denied(cluster: TestCluster, shard: string): Promise<string[]> {
  const { shard: record } = JSON.parse(await cluster.ok(`GetShard ${shard}`)) as {
    shard: { tablet_controls: { denied_tables: string[] }[] };
  };
  return record.tablet_controls[0]?.denied_tables ?? [];
}

describe.each(Object.entries(EXPECTED))('catch-up fails on %s', (version, expected) => {
  it('says what Vitess says, and leaves what it leaves', async () => {
    const { cluster, stderr } = await blockedSwitch(version);
    expect(stderr.split('\n')[0]).toBe(ERROR);
    if (expected.log === undefined) expect(stderr).not.toContain('Cancel migration failed');
    else expect(stderr).toContain(expected.log);

    expect(await denied(cluster, 'commerce/0')).toEqual(expected.source === 'denied' ? ['corder', 'customer'] : []);
    expect(await denied(cluster, 'customer/0')).toEqual(expected.target === 'denied' ? ['corder', 'customer'] : []);
    const workflows = JSON.parse(await cluster.ok('Workflow --keyspace customer show --workflow c2c')) as {
      workflows: { shard_streams: Record<string, { streams: { state: string; message: string }[] }> }[];
    };
    expect(Object.values(workflows.workflows[0]!.shard_streams)[0]!.streams[0]).toMatchObject({ state: 'Running', message: '' });
    expect(JSON.parse(await cluster.ok('Workflow --keyspace commerce list'))).toEqual([]);
    expect(await cluster.ok('MoveTables --workflow c2c --target-keyspace customer status')).toContain(
      'Traffic State: Reads Not Switched. Writes Not Switched',
    );

    const write = await cluster.run(`query "insert into customer (email) values ('after@example.com')"`);
    if (expected.source === 'open') expect(write.exit, write.stderr).toBe(0);
    else expect(write.stderr).toContain(REFUSED);
  });

  it('is recovered by the commands it printed, run as printed', async () => {
    const { cluster, stderr } = await blockedSwitch(version);
    const lines = stderr.split('\n').filter((line) => line.startsWith('  switchtraffic '));
    expect(lines.length > 0).toBe(expected.source === 'denied');
    for (const line of lines) await cluster.ok(line.trim().replace(/^switchtraffic /, ''));
    await cluster.ok(`query "insert into customer (email) values ('after@example.com')"`);
    await cluster.ok('session kill blocker');
    await cluster.ok(switchLine());
    expect(await cluster.ok("query --target customer:0 'select count(*) from customer'")).toContain('106');
  });
});

it('a second switch on 19.0.9 dies on the denials of the first, and on 21.0.2 heals them', async () => {
  const old = await blockedSwitch('19.0.9');
  await old.cluster.ok('session kill blocker');
  const again = await old.cluster.run(switchLine('--tablet-types primary'));
  expect(again.exit).toBe(1);
  expect(again.stderr).toContain('one or more tables are already present in the denylist');

  const newer = await blockedSwitch('21.0.2');
  await newer.cluster.ok('session kill blocker');
  await newer.cluster.ok(switchLine('--tablet-types primary'));
});

it('words() keeps quoted blanks', () => {
  expect(words(`query --session a "insert into t values ('x y')"`)).toEqual(['query', '--session', 'a', "insert into t values ('x y')"]);
});
