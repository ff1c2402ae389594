import { describe, expect, it } from 'vitest';
import { allRows, beforeReshard, misplacedRows, RESHARDS, reshardCreate, reshardingCluster, reshardLine, type ReshardShape } from '../../helpers/reshard.ts';

const SHAPES = Object.keys(RESHARDS) as ReshardShape[];

describe.each(SHAPES)('Reshard %s', (shape) => {
  const { from, to } = RESHARDS[shape];

  it('copies every row once, to the shard of its keyspace id', async () => {
    const cluster = await reshardingCluster(shape);
    for (const table of ['customer', 'corder']) {
      expect(allRows(cluster, table, to)).toEqual(allRows(cluster, table, from));
      expect(misplacedRows(cluster, table, to)).toEqual([]);
    }
    expect(allRows(cluster, 'customer', to)).toHaveLength(40);
  });

  it('follows what changes', async () => {
    const cluster = await reshardingCluster(shape);
    for (let id = 1; id <= 12; id++) {
      await cluster.ok(`query "insert into customer values (${100 + id}, 'new')"`);
      await cluster.ok(`query "update corder set price = ${1000 + id} where customer_id = ${id}"`);
    }
    await cluster.ok(`query "delete from corder where customer_id = 20"`);
    await cluster.ok(reshardLine('status'));
    for (const table of ['customer', 'corder']) {
      expect(allRows(cluster, table, to)).toEqual(allRows(cluster, table, from));
      expect(misplacedRows(cluster, table, to)).toEqual([]);
    }
    expect(allRows(cluster, 'corder', to)).toHaveLength(78);
  });
});

describe('Reshard create', () => {
  it('prints the status of its streams', async () => {
    const cluster = await beforeReshard('1 to 2');
    expect(await cluster.ok(reshardCreate('1 to 2'))).toBe(
      [
        'The following vreplication streams exist for workflow customer.cust2cust:',
        '',
        'id=1 on customer/zone1-1000: Status: Running. VStream has not started.',
        'id=1 on customer/zone1-1100: Status: Running. VStream has not started.',
        '',
        'Traffic State: Reads Not Switched. Writes Not Switched',
        '',
      ].join('\n'),
    );
  });
});
