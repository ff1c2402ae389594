import { describe, expect, it } from 'vitest';
import { reshardingCluster, reshardLine } from '../../helpers/reshard.ts';

describe('show, while a Reshard is half switched', () => {
  it('says which shards serve which reads', async () => {
    const cluster = await reshardingCluster('1 to 2');
    await cluster.ok(reshardLine('switchtraffic --tablet-types replica'));
    const { stdout } = await cluster.run('show shard');
    expect(stdout).toContain('customer/0  serving writes, rdonly reads, primary');
    expect(stdout).toContain('customer/-80  serving replica reads, primary');
    expect((await cluster.run('show keyspace customer')).stdout).toContain('customer/80-  serving replica reads  primary');
  });

  it('does not say that reads are refused which the new shards answer', async () => {
    const cluster = await reshardingCluster('1 to 2');
    await cluster.run(reshardLine("switchtraffic --fault 'switchTraffic/writes/changeRouting=return'"));
    expect((await cluster.run("query --target customer@replica 'select count(*) from customer'")).exit).toBe(0);
    const { stdout } = await cluster.run('show keyspace customer');
    expect(stdout).toMatch(/ customer, REFUSED +customer +customer\n/);
    expect(stdout).toContain('WRITES REFUSED');
    expect(stdout).not.toContain('READS REFUSED');
  });
});
