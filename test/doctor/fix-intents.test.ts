import { describe, expect, it } from 'vitest';
import { findRelease } from '../../src/lib/releases.ts';
import { everyPoint } from '../../src/workflow/points.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { sample } from '../helpers/sample.ts';
import { forkCluster, movingCluster, switchLine, testCluster, type TestCluster } from '../helpers/shell.ts';
import { reshardingCluster, reshardLine } from '../helpers/reshard.ts';

const CREATE = 'MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder';
const c2c = (verb: string): string => switchLine().replace('switchtraffic', verb);

async function bare(): Promise<TestCluster> {
  const cluster = testCluster();
  await cluster.ok('init commerce');
  return cluster;
}

async function switched(): Promise<TestCluster> {
  const cluster = await movingCluster();
  await cluster.ok(switchLine());
  return cluster;
}

const LINES: [what: string, make: () => Promise<TestCluster>, line: string, steps: RegExp][] = [
  ['create', bare, CREATE, /^create\//],
  ['switchtraffic', movingCluster, switchLine(), /^switchTraffic\//],
  ['reversetraffic', switched, c2c('reversetraffic'), /^switchTraffic\//],
  ['complete', switched, c2c('complete'), /^complete\//],
  ['cancel', movingCluster, c2c('cancel'), /^cancel\//],
  ['a Reshard', () => reshardingCluster('2 to 4', { rows: 4 }), reshardLine('switchtraffic'), /^switchTraffic\//],
];

const points = everyPoint(findRelease('hardened').behaviours);

/** What is the same whenever it is looked at: a stream that was started says so once somebody has looked. */
async function settled(cluster: TestCluster): Promise<string> {
  await cluster.ok('doctor');
  return JSON.stringify(withoutTimes(fingerprint(cluster.host)));
}

/** What a command names by chance or by the hour. */
function withoutTimes(state: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(state).filter(([name]) => !name.startsWith('global:switchtraffic/')));
}

describe('doctor --fix after a command of hardened was killed', () => {
  it.each(LINES)('finishes what was begun: %s', async (_what, make, line, steps) => {
    const start = await make();
    const before = await settled(forkCluster(start));
    const whole = forkCluster(start);
    await whole.ok(line);
    const ends = [before, await settled(whole)];
    const came = new Set<number>();
    const places = points.filter(({ name }) => steps.test(name)).flatMap(({ name, occurrences }) => Array.from({ length: occurrences }, (_, index) => [`${name}:before#${index + 1}`, `${name}:after#${index + 1}`]).flat());
    for (const place of sample(places, 11)) {
      const cluster = forkCluster(start);
      if ((await cluster.run(`${line} --fault '${place}=panic'`)).exit !== 137) continue;
      const { exit, stdout, stderr } = await cluster.run('doctor --fix');
      expect(exit, `${place}\n${stdout}${stderr}`).toBe(0);
      expect([cluster.host.store.tickets, cluster.host.store.leases.size], place).toEqual([[], 0]);
      expect([...cluster.host.store.cell('global').keys()].filter((path) => path.startsWith('switchtraffic/intent')), place).toEqual([]);
      const end = ends.indexOf(await settled(cluster));
      expect(end, `${place}\n${stdout}`).toBeGreaterThanOrEqual(0);
      came.add(end);
    }
    expect(came.size).toBeGreaterThan(0);
  });
});
