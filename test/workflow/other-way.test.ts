import { describe, expect, it } from 'vitest';
import { reshardingCluster, reshardLine } from '../helpers/reshard.ts';
import { movingCluster, type TestCluster } from '../helpers/shell.ts';

const moveLine = (more: string): string => `MoveTables --workflow c2c --target-keyspace customer ${more}`;
const KINDS: readonly [string, () => Promise<TestCluster>, (more: string) => string][] = [
  ['MoveTables', () => movingCluster(), moveLine],
  ['Reshard', () => reshardingCluster('1 to 2'), reshardLine],
];
const INSERT = "query \"insert into customer values (901, 'x@example.com')\"";

/** A switch that died, and then the command for the other direction: it found nothing of its own, said that all was well, and left writes refused. */
describe.each(KINDS)('%s on hardened', (_, make, line) => {
  it.each([
    ['reversetraffic', 'switchtraffic'],
    ['switchtraffic', 'reversetraffic'],
  ])('after a %s that died before its journal, %s takes it back first', async (verb, other) => {
    const cluster = await make();
    if (verb === 'reversetraffic') await cluster.ok(line('switchtraffic'));
    const died = await cluster.run(line(`${verb} --fault 'switchTraffic/writes/waitForCatchup:before=panic'`));
    expect(died.exit).toBe(137);
    expect((await cluster.run(INSERT)).exit).toBe(1);
    const next = await cluster.run(line(other));
    expect(next.stderr).toContain('was interrupted before its journal; going back to the state before it first');
    await cluster.ok(INSERT);
    expect(await cluster.ok('show keyspace customer')).not.toContain('REFUSED');
  });

  it.each(['', '--tablet-types primary'])('a completing run whose reads fail does not go back, after switchtraffic %s', async (first) => {
    const cluster = await make();
    const step = first === '' ? 'freezeTargetVReplication' : 'startReverseVReplication';
    await cluster.run(line(`switchtraffic ${first} --fault 'switchTraffic/writes/${step}:before=return'`));
    await cluster.ok(INSERT);
    for (const reads of ['lockSource', 'switchTableReads', 'switchShardReads', 'unlockSource']) {
      await cluster.run(line(`switchtraffic --fault 'switchTraffic/reads/${reads}:before=1*return'`));
      const rows = await cluster.ok('query "select email from customer where customer_id = 901"');
      expect(rows).toContain('x@example.com');
    }
    await cluster.ok(line('switchtraffic'));
    expect(await cluster.ok('query "select email from customer where customer_id = 901"')).toContain('x@example.com');
  });

  it('after a reversal that died past its journal, only the reversal leads out', async () => {
    const cluster = await make();
    await cluster.ok(line('switchtraffic'));
    await cluster.run(line("reversetraffic --fault 'switchTraffic/writes/createJournals:after=panic'"));
    const refused = await cluster.run(line('switchtraffic'));
    expect(refused.exit).toBe(1);
    expect(refused.stderr).toMatch(/was interrupted, and what it had begun is not finished\nnext: .* reversetraffic/);
    await cluster.ok(line('reversetraffic'));
    await cluster.ok(INSERT);
  });
});
