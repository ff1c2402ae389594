import { expect, it } from 'vitest';
import { diagnosisOf, inShort } from '../helpers/doctor.ts';
import { reshardingWithStreams } from '../helpers/other-streams.ts';
import { createPartial, partialLine, twoByTwo } from '../helpers/partial.ts';
import { beforeReshard, reshardCreate, reshardingCluster, reshardLine } from '../helpers/reshard.ts';
import { sample } from '../helpers/sample.ts';
import { sequenceCluster } from '../helpers/sequences.ts';
import { shardedCluster } from '../helpers/sharded.ts';
import { movingCluster, switchLine, type TestCluster, testCluster } from '../helpers/shell.ts';
import { createTenant, tenantKeyspaces, tenantLine } from '../helpers/tenants.ts';

/** A cluster, and the commands of an ordinary life, one after another. A line with a question mark may be refused by the release. */
interface Life {
  name: string;
  make(version: string): Promise<TestCluster>;
  lines: readonly string[];
}

const READS = '--tablet-types replica,rdonly';
const WRITES = '--tablet-types primary';
const c2c = (more: string): string => `MoveTables --workflow c2c --target-keyspace customer ${more}`;
const CREATE = c2c('create --source-keyspace commerce --tables customer,corder');

const bare = async (version: string): Promise<TestCluster> => {
  const cluster = testCluster();
  await cluster.ok(`init commerce --vitess-version ${version}`);
  return cluster;
};

const LIVES: readonly Life[] = [
  { name: 'tables, created and cancelled', make: bare, lines: ['GetKeyspaces', CREATE, c2c('status'), c2c('stop'), c2c('start'), c2c('cancel')] },
  {
    name: 'tables, step by step to the end',
    make: movingCluster,
    lines: [switchLine(READS), switchLine(WRITES), c2c('reversetraffic'), switchLine(), "query 'insert into customer (customer_id, email) values (9, 9)'", c2c('complete')],
  },
  { name: 'tables, reads there and back', make: movingCluster, lines: [switchLine('--tablet-types replica'), switchLine('--tablet-types rdonly'), `?${c2c(`reversetraffic ${READS}`)}`, `?${c2c('cancel')}`] },
  { name: 'tables, writes first', make: movingCluster, lines: [switchLine(WRITES), c2c(`reversetraffic ${WRITES}`), switchLine(WRITES), switchLine(READS), c2c('complete --keep-routing-rules')] },
  { name: 'tables, mirrored', make: movingCluster, lines: [`?${c2c('mirrortraffic --percent 10')}`, switchLine(READS), switchLine(WRITES), c2c('complete')] },
  { name: 'tables, not started', make: bare, lines: [`${CREATE} --auto-start=false`, c2c('start'), c2c('status')] },
  { name: 'tables, stopped after the copy', make: bare, lines: [`${CREATE} --stop-after-copy`, c2c('status'), c2c('start')] },
  { name: 'tables without rules', make: bare, lines: [`${CREATE} --no-routing-rules`, c2c('status'), c2c('cancel')] },
  { name: 'tables, compared', make: movingCluster, lines: ['VDiff --workflow c2c --target-keyspace customer create --wait', switchLine(), 'VDiff --workflow c2c_reverse --target-keyspace commerce create --wait'] },
  { name: 'tables, renamed at the end', make: movingCluster, lines: [switchLine(), c2c('complete --rename-tables')] },
  { name: 'sequences', make: (version) => sequenceCluster(version), lines: [c2c('switchtraffic --initialize-target-sequences'), "query \"insert into customer (email) values ('new')\"", c2c('reversetraffic'), c2c('switchtraffic'), c2c('complete')] },
  { name: 'tables, dry runs', make: movingCluster, lines: [switchLine('--dry-run'), switchLine(), c2c('complete --dry-run')] },
  { name: 'tables to two shards', make: (version) => shardedCluster({ version, rows: 5 }), lines: [switchLine(READS), switchLine(WRITES), c2c('reversetraffic'), switchLine(), c2c('complete')] },
  {
    name: 'one shard after the other',
    make: twoByTwo,
    lines: [
      createPartial('p80d'),
      partialLine('p80d', 'switchtraffic'),
      createPartial('pd80'),
      partialLine('p80d', 'reversetraffic'),
      partialLine('p80d', 'switchtraffic'),
      partialLine('pd80', 'switchtraffic'),
    ],
  },
  ...(['unsharded', 'sharded'] as const).map((shape): Life => ({
    name: `tenants, ${shape}`,
    make: (version) => tenantKeyspaces(version, shape),
    lines: [createTenant(1), createTenant(2), tenantLine(1, `switchtraffic ${READS}`), tenantLine(1, `switchtraffic ${WRITES}`), tenantLine(2, 'switchtraffic'), tenantLine(1, 'complete'), tenantLine(2, 'complete')],
  })),
  {
    name: 'a Reshard',
    make: (version) => beforeReshard('1 to 2', { version, rows: 6, reference: false }),
    lines: [reshardCreate('1 to 2'), reshardLine('status'), reshardLine(`switchtraffic ${READS}`), reshardLine(`switchtraffic ${WRITES}`), reshardLine('reversetraffic'), reshardLine('switchtraffic'), reshardLine('complete')],
  },
  { name: 'a Reshard, given up', make: (version) => reshardingCluster('2 to 4', { version, rows: 6, reference: false }), lines: [reshardLine('cancel')] },
  { name: 'a Reshard beside a Materialize', make: (version) => reshardingCluster('1 to 2', { version, rows: 6, reference: false, materialize: true }), lines: [reshardLine('switchtraffic'), reshardLine('reversetraffic'), reshardLine('switchtraffic'), reshardLine('complete')] },
  { name: 'a Reshard with streams of others', make: (version) => reshardingWithStreams('1 to 2', version), lines: [reshardLine('switchtraffic'), reshardLine('complete')] },
];

const RELEASES = ['v18.0.8', 'v20.0.6', 'v21.0.3', 'v23.0.7', '24.0.0-SNAPSHOT'];

/** Every life on `hardened`, and a sample of them on releases. v18 knows no tenants. */
const CASES = [
  ...LIVES.map((life) => ({ ...life, version: 'hardened' })),
  ...sample(LIVES.flatMap((life) => RELEASES.map((version) => ({ ...life, version }))), 7).filter(({ name, version }) => !(name.startsWith('tenants') && version.startsWith('v18'))),
];

it.each(CASES)('$name: healthy at every stage on $version', async ({ make, lines, version }) => {
  const cluster = await make(version);
  expect(inShort(await diagnosisOf(cluster)), 'at first').toEqual([]);
  for (const line of lines) {
    const { exit, stderr } = await cluster.run(line.replace(/^\?/, ''));
    if (!line.startsWith('?')) expect(exit, `${line}\n${stderr}`).toBe(0);
    expect(inShort(await diagnosisOf(cluster)), line).toEqual([]);
  }
});
