import { expect } from 'vitest';
import type { BuiltName } from '../../../src/lib/behaviours.ts';
import type { SEQUENCES } from '../../../src/lib/behaviours/sequences.ts';
import type { Tablet } from '../../../src/topo/proto/types.ts';
import { addSequence, bareCluster, c2c, nextId, replacingCluster, sequenceCluster, switchSequences, useSequence, vschemaOf } from '../../helpers/sequences.ts';
import type { TestCluster } from '../../helpers/shell.ts';
import { record, type RunsOf } from './see.ts';

const STEP = 'switchTraffic/writes';
const INITIALIZE = `${STEP}/initializeTargetSequences`;

const journaled = ({ host }: TestCluster): boolean => host.shards.open('commerce', '0').db.get('SELECT 1 FROM "_vt.resharding_journal"') !== undefined;

export const SEQUENCES_RUNS: RunsOf<Extract<BuiltName, keyof typeof SEQUENCES>> = {
  sequenceStep: async (version) => {
    const failed = await sequenceCluster(version);
    expect((await failed.run(switchSequences(`--fault '${INITIALIZE}=return'`))).exit).toBe(1);
    if (journaled(failed)) return 'past-journal';
    const cluster = await sequenceCluster(version);
    await cluster.ok(`query "insert into commerce.customer(customer_id, email) values (5000, 'x')"`);
    expect((await cluster.run(c2c(`switchtraffic --fault '${STEP}/allowTargetWrites=return'`))).exit).toBe(1);
    await cluster.ok(switchSequences());
    return nextId(cluster, 'commerce', 'customer_seq') === 5001 ? 'resumed-too' : 'before-journal';
  },
  sequenceLookup: async (version) => {
    const cluster = await sequenceCluster(version);
    await useSequence(cluster, 'corder', 'order_id', 'customer_seq');
    await cluster.ok('query "insert into commerce.corder(order_id, customer_id) values (9000, 1)"');
    await cluster.ok(switchSequences());
    return nextId(cluster, 'commerce', 'customer_seq') === 9001 ? 'as-the-gate' : 'by-name';
  },
  sequenceNullMaximum: async (version) => {
    const cluster = await sequenceCluster(version);
    await cluster.ok('query "delete from commerce.corder"');
    const { exit, stderr } = await cluster.run(switchSequences());
    if (exit !== 0) expect(stderr).toContain('in order to initialize the backing sequence table: Cannot convert value to desired type');
    return exit === 0;
  },
  sequenceEmptyTables: {
    // Before 18.0.3 the switch fails for NULL.
    at: ['18.0.3', '21.0.6', '22.0.0', '22.0.2', '22.0.3'],
    see: async (version) => {
      const cluster = await sequenceCluster(version);
      await cluster.ok('query "delete from commerce.corder"');
      await cluster.ok('query "delete from commerce.order_seq"');
      await cluster.ok(switchSequences());
      const { exit, stderr } = await cluster.run('query "insert into corder(customer_id) values (1)"');
      if (exit !== 0) expect(stderr).toContain('unexpected rows from reading sequence order_seq (possible mis-route): 0');
      return exit === 0;
    },
  },
  sequenceNames: {
    at: ['19.0.10', '20.0.0', '21.0.6', '22.0.0', '22.0.1', '22.0.2'],
    see: async (version) => {
      const cluster = await sequenceCluster(version);
      await addSequence(cluster, 'commerce', 'customer-seq', 1);
      await useSequence(cluster, 'customer', 'customer_id', '`customer-seq`');
      const { exit, stderr } = await cluster.run(switchSequences());
      if (exit === 0) {
        expect(nextId(cluster, 'commerce', 'customer-seq')).toBe(6);
        return 'escaped';
      }
      if (stderr.includes('failed to locate all of the backing sequence tables being used')) return 'plain';
      expect(stderr).toContain("for the right syntax to use near '-seq (id, next_id, cache) values (0, 6, 1000)");
      return 'unquoted';
    },
  },
  sequenceAutoReplace: async (version) => {
    const create = c2c('create --source-keyspace commerce --tables customer,corder');
    const strips = ({ host }: TestCluster): boolean => host.shards.open('customer', '-80').table('customer').columns.every((column) => !column.autoIncrement);
    const cluster = await bareCluster(version);
    const replaced = await cluster.run(`${create} --sharded-auto-increment-handling replace --global-keyspace seqs`);
    if (replaced.exit === 0) {
      expect(strips(cluster)).toBe(true);
      return vschemaOf(cluster, 'customer').tables?.['customer']?.auto_increment?.sequence === '`seqs`.`customer_seq`' ? 'qualified' : 'bare';
    }
    expect(replaced.stderr).toContain('has no --global-keyspace');
    const removed = await cluster.run(`${create} --sharded-auto-increment-handling remove`);
    if (removed.exit !== 0) await cluster.ok(create);
    expect(strips(cluster)).toBe(removed.exit === 0);
    return removed.exit === 0 ? 'removed' : 'left';
  },
  sequenceCacheReset: {
    at: ['21.0.5', '21.0.6', '22.0.0', '22.0.1', '22.0.2'],
    see: async (version) => {
      // Ids out of the block that the tablet has cached come from elsewhere meanwhile; with a larger one the table is changed too.
      const collides = async (ids: readonly number[]): Promise<boolean> => {
        const cluster = await sequenceCluster(version);
        await cluster.ok(switchSequences());
        expect(await cluster.ok(`query "insert into customer(email) values ('a')"`)).toContain('insert id 1000');
        await cluster.ok(c2c('reversetraffic'));
        for (const id of ids) await cluster.ok(`query "insert into commerce.customer(customer_id, email) values (${id}, 'b')"`);
        await cluster.ok(switchSequences());
        const { exit, stderr } = await cluster.run(`query "insert into customer(email) values ('c')"`);
        if (exit !== 0) expect(stderr).toContain("Duplicate entry '1001'");
        return exit !== 0;
      };
      if (!(await collides([1001]))) return 'always';
      return (await collides([1001, 2000])) ? 'never' : 'raised';
    },
  },
  sequenceDryRun: {
    at: ['21.0.6', '22.0.0', '23.0.6', '23.0.7'],
    see: async (version) => {
      const cluster = await sequenceCluster(version);
      const path = 'tablets/zone1-0000000100/Tablet';
      cluster.host.store.put('zone1', path, JSON.stringify({ ...record<Tablet>(cluster, 'zone1', path), db_name_override: 'shop' }));
      const { exit, stdout, stderr } = await cluster.run(switchSequences('--dry-run'));
      if (stdout.includes('will be initialized: customer_seq,order_seq')) return 'named';
      if (exit === 0) {
        expect(stdout).toContain('\tBacking table: customer_seq, current value 1000, new value 6\n\tBacking table: order_seq');
        return 'right';
      }
      expect(stderr).toContain("Unknown database 'vt_commerce' (errno 1049)");
      // The switch itself works.
      await cluster.ok(switchSequences());
      return 'reported';
    },
  },
  sequenceDryRunMissing: async (version) => {
    const known = Number(version.split('.')[0]) < 21 ? '' : '--global-keyspace seqs';
    const cluster = await replacingCluster(version, known);
    await useSequence(cluster, 'customer', 'customer_id', 'customer_seq');
    const { exit, stderr } = await cluster.run(switchSequences('--dry-run'));
    if (stderr.includes('failed to locate all of the backing sequence tables being used: customer_seq') || stderr.includes('sequence table metadata')) return 'fails';
    if (nextId(cluster, 'seqs', 'customer_seq') === null) {
      expect(exit).toBe(0);
      return 'counts';
    }
    expect(vschemaOf(cluster, 'seqs').tables).toEqual({ customer_seq: { type: 'sequence' } });
    return 'makes';
  },
  sequenceRpcs: {
    at: ['22.0.4', '23.0.0'],
    see: async (version) => {
      const cluster = await sequenceCluster(version);
      // Two sequences and two shards: four questions and two answers, or two and one. Half of 30 seconds is there for it.
      const { exit, stderr } = await cluster.run(switchSequences(`--fault '${INITIALIZE}:before@*=sleep(4s)'`));
      if (exit !== 0) expect(stderr).toContain('context deadline exceeded');
      return exit === 0 ? 'batched' : 'one by one';
    },
  },
};
