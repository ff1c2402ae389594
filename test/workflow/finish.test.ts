import { describe, expect, it } from 'vitest';
import { findRelease } from '../../src/lib/releases.ts';
import { background, type Context } from '../../src/runtime/context.ts';
import type { Cluster } from '../../src/tablet/cluster.ts';
import { ETCD_NAMES } from '../../src/topo/conn/directory.ts';
import { heldLocks, lockKeyspace, lockName } from '../../src/topo/locks.ts';
import { planTakeBack } from '../../src/workflow/create/steps.ts';
import { finishIntent } from '../../src/workflow/finish-intent.ts';
import { allIntents } from '../../src/workflow/intent/record.ts';
import { planRollback, planSteps } from '../../src/workflow/switch/plan.ts';
import { createSubjects } from '../helpers/create-subjects.ts';
import { END_SUBJECTS, endStart } from '../helpers/end-subjects.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { reshardLine } from '../helpers/reshard.ts';
import { movingCluster, switchLine, type TestCluster } from '../helpers/shell.ts';
import { PARTIAL, PARTIAL_REVERSED, reshardReversed, reshardSubject, TABLES, TABLES_REVERSED, TABLES_TO_SHARDS, tenantSubject } from '../helpers/subjects.ts';

const { behaviours } = findRelease('hardened');
const MOVED = reshardSubject('2 to 4', { streams: true });
const EDGES = ['before', 'after'] as const;

/** A dead process's tickets stay until somebody wants what they hold. */
function state(cluster: TestCluster): Record<string, unknown> {
  const { locks: _locks, ...rest } = fingerprint(cluster.host);
  return rest;
}

describe('a roll-back that is killed again and again still ends', () => {
  const subjects = [TABLES, TABLES_REVERSED, TABLES_TO_SHARDS, PARTIAL, PARTIAL_REVERSED, tenantSubject('sharded'), MOVED, reshardReversed(MOVED)];

  it.each(subjects)('$name', async (subject) => {
    const cluster = await subject.make();
    const before = state(cluster);
    const steps = planSteps(subject.path, behaviours);
    // The last step after which there is a way back has the most behind it.
    const last = steps[steps.findIndex((step) => step.pointOfNoReturn) - 1]!;
    const killed = async (point: string): Promise<void> => expect(await cluster.run(subject.line(`--fault '${point}=panic'`))).toMatchObject({ exit: 137 });
    await killed(`${last.name}:after#${last.occurrence}`);
    for (const step of planRollback(subject.path.kind, behaviours)) for (const edge of EDGES) await killed(`${step}:${edge}`);
    const shown = await cluster.ok('show workflow');
    expect(shown.replace(/\s+/g, ' ')).toMatch(/what was left of it has been taken up \d+ times and is not finished/);
    // What goes back first and then fails by itself has not changed anything.
    const failed = await cluster.run(subject.line("--fault 'switchTraffic/prepare/lockWorkflow=return'"));
    expect(failed.stderr).toContain('going back to the state before it first');
    expect(state(cluster)).toEqual(before);
    await subject.write(cluster);
    await cluster.ok(subject.line());
    await subject.whole(cluster, true);
  });

  it.each(createSubjects())('create of $name', async ({ make, line, path }) => {
    const cluster = await make();
    const before = state(cluster);
    const killed = async (point: string): Promise<void> => expect(await cluster.run(line(`--fault '${point}=panic'`))).toMatchObject({ exit: 137 });
    await killed('create/createStreams:after');
    for (const step of planTakeBack(path.type)) for (const edge of EDGES) await killed(`${step}:${edge}`);
    const first = path.type === 'MoveTables' ? 'create/extendVSchema' : 'create/copySchema';
    const failed = await cluster.run(line(`--fault '${first}=return'`));
    expect(failed.exit).toBe(1);
    expect(failed.stderr).toContain('was interrupted; going back to the state before it first');
    expect(state(cluster)).toEqual(before);
    await cluster.ok(line());
  });
});

/** The cluster as a process of its own sees it, with the locks it takes until it leaves. */
async function asProcess<T>(cluster: TestCluster, body: (ctx: Context, own: Cluster) => Promise<T>): Promise<T> {
  const world = cluster.machine.world();
  const release = findRelease('hardened');
  const conn = cluster.host.openTopology(world, { names: ETCD_NAMES, renewed: true, reapDead: true }, false);
  const own: Cluster = { world, release, topo: { conn, release, world, lockTimeoutMs: 45_000, held: new Set() }, shards: cluster.host.openShards(world) };
  try {
    return await body(background(), own);
  } finally {
    world.processes.ended();
  }
}

describe('finishIntent, without a command line', () => {
  const kill = async (cluster: TestCluster, line: string, point: string): Promise<void> => expect(await cluster.run(`${line} --fault '${point}=panic'`)).toMatchObject({ exit: 137 });
  const finish = (cluster: TestCluster): Promise<string[]> =>
    asProcess(cluster, async (ctx, own) => {
      const how: string[] = [];
      for (const intent of await allIntents(ctx, own)) how.push(await finishIntent(ctx, own, intent));
      expect([...own.topo.held]).toEqual([]);
      return how;
    });

  it('takes a switch back', async () => {
    const cluster = await movingCluster();
    const before = state(cluster);
    await kill(cluster, switchLine(), 'switchTraffic/writes/createReverseVReplication:after');
    expect(await finish(cluster)).toEqual(['back']);
    expect(state(cluster)).toEqual(before);
    expect(await finish(cluster)).toEqual([]);
  });

  it.each([
    ['MoveTables', () => movingCluster(), switchLine()],
    ['Reshard', () => MOVED.make(), reshardLine('switchtraffic')],
  ])('completes a switch of %s past its journal', async (_name, make, line) => {
    const undisturbed = await make();
    await undisturbed.ok(line);
    const cluster = await make();
    await kill(cluster, line, 'switchTraffic/writes/createJournals:after');
    expect(await finish(cluster)).toEqual(['forward']);
    expect(state(cluster)).toEqual(state(undisturbed));
  });

  it.each(['complete', 'cancel'] as const)('does the rest of a %s, whose streams may be gone', async (verb) => {
    for (const [name, subject] of Object.entries(END_SUBJECTS)) {
      const undisturbed = await endStart(name, verb, 'hardened');
      await undisturbed.ok(subject.line(verb));
      const cluster = await endStart(name, verb, 'hardened');
      const last = verb === 'complete' ? 'complete/dropTargetVReplicationStreams' : 'cancel/deleteStreams';
      await kill(cluster, subject.line(verb), subject.first === undefined ? `${last}:before` : `${last}:after@${subject.first}`);
      expect(await finish(cluster)).toEqual(['forward']);
      expect(state(cluster), name).toEqual(state(undisturbed));
    }
  });

  it('takes a create back, or starts what is made', async () => {
    for (const { make, line } of createSubjects().slice(0, 1)) {
      const cluster = await make();
      const before = state(cluster);
      await kill(cluster, line(), 'create/denyTargetTables:after');
      expect(await finish(cluster)).toEqual(['back']);
      expect(state(cluster)).toEqual(before);
      await kill(cluster, line(), 'create/startStreams:before');
      expect(await finish(cluster)).toEqual(['forward']);
      await cluster.ok('MoveTables --workflow c2c --target-keyspace customer status');
      await cluster.ok(switchLine());
    }
  });

  it('inherits the locks that its caller holds, and leaves them held', async () => {
    for (const point of ['writes/waitForCatchup', 'writes/allowTargetWrites']) {
      const cluster = await movingCluster();
      await kill(cluster, switchLine(), `switchTraffic/${point}:after`);
      await asProcess(cluster, async (ctx, own) => {
        const named = await lockName(ctx, own.topo, 'customer/c2c', 'Repair');
        const source = await lockKeyspace(named.ctx, own.topo, 'commerce', 'Repair');
        const target = await lockKeyspace(source.ctx, own.topo, 'customer', 'Repair');
        const [intent] = await allIntents(ctx, own);
        const held = heldLocks(target.ctx).map(({ token }) => token);
        expect(await finishIntent(target.ctx, own, intent!)).toBe(point.endsWith('Catchup') ? 'back' : 'forward');
        expect(heldLocks(target.ctx).map(({ token }) => token)).toEqual(held);
        for (const lock of [target, source, named]) await lock.unlock(undefined);
      });
      await cluster.ok(`query "insert into customer (email) values ('served@example.com')"`);
    }
  });

  it('is done once where two are at it', async () => {
    const cluster = await movingCluster();
    const before = state(cluster);
    await kill(cluster, switchLine(), 'switchTraffic/writes/waitForCatchup:after');
    const both = await Promise.all([finish(cluster), finish(cluster)]);
    expect(both.flat().toSorted()).toEqual(['back', 'gone']);
    expect(state(cluster)).toEqual(before);
  });
});

describe('an owner on another host, of whom nothing is known', () => {
  /** Kills a switch with its writes stopped, and makes it one of another host whose lease still runs. */
  async function elsewhere(): Promise<TestCluster> {
    const cluster = await movingCluster();
    await cluster.run(switchLine("--fault 'switchTraffic/writes/waitForCatchup=panic'"));
    for (const lease of cluster.host.store.leases.values()) lease.owner = { ...lease.owner, host: 'elsewhere' };
    for (const path of ['intents', 'intent_progress'].map((name) => `switchtraffic/${name}/customer/c2c`)) {
      const text = cluster.host.store.cell('global').get(path)!.contents;
      cluster.host.store.put('global', path, text.replace('"host":"virtual"', '"host":"elsewhere"'));
    }
    return cluster;
  }

  it('is waited for until its lease ends; then what it left is finished', async () => {
    const cluster = await elsewhere();
    const before = state(cluster);
    const impatient = await cluster.run(switchLine('--lock-timeout 1s'));
    expect(impatient.stderr).toContain('failed to lock the customer/c2c workflow: deadline exceeded');
    const guarded = await cluster.run('MoveTables --workflow c2c --target-keyspace customer stop');
    expect(guarded.stderr).toContain('SwitchTraffic c2c is at work on these keyspaces');
    expect(state(cluster)).toEqual(before);
    const from = cluster.machine.clock.now();
    const finished = await cluster.run(switchLine());
    expect([finished.exit, finished.stderr]).toEqual([0, expect.stringContaining('going back to the state before it first')]);
    expect(cluster.machine.clock.now() - from).toBeGreaterThan(5_000);
  });

  it('may have broken off, says show; once its lease has ended other commands are told how to finish it', async () => {
    const cluster = await elsewhere();
    expect((await cluster.ok('show workflow')).replace(/\s+/g, ' ')).toMatch(/SwitchTraffic c2c by vitess@elsewhere pid \d+, begun at \S+, may have broken off at/);
    cluster.machine.clock.advance(11_000);
    expect((await cluster.run('MoveTables --workflow c2c --target-keyspace customer stop')).stderr).toContain('finish it by running it again');
  });
});

describe('what the next run tells of the outage', () => {
  const HOLD = 300_000;
  const refused = async (cluster: TestCluster): Promise<void> => expect((await cluster.run(`query "insert into customer (email) values ('no@example.com')"`)).exit).toBe(1);

  it('is the whole of it, where the switch is completed', async () => {
    const cluster = await movingCluster();
    await cluster.run(switchLine("--fault 'switchTraffic/writes/createJournals:after=panic'"));
    await refused(cluster);
    cluster.machine.clock.advance(HOLD);
    const { exit, stderr } = await cluster.run(switchLine());
    expect(exit, stderr).toBe(0);
    expect(stderr).toMatch(/writes to corder, customer were refused for 5m0[.\d]*s; tablets refused 1 statement/);
  });

  it('ended where they were served again, though the switch did not come to its end', async () => {
    const cluster = await movingCluster();
    await cluster.run(switchLine("--fault 'switchTraffic/writes/startReverseVReplication:before=panic'"));
    cluster.machine.clock.advance(HOLD);
    expect((await cluster.run(switchLine('--max-replication-lag-allowed 1h'))).stderr).toMatch(/writes to corder, customer were refused for [\d.]+ms/);
  });

  it('is told apart from its own, where the switch goes back first', async () => {
    const cluster = await movingCluster();
    await cluster.run(switchLine("--fault 'switchTraffic/writes/waitForCatchup:before=panic'"));
    await refused(cluster);
    cluster.machine.clock.advance(HOLD);
    const { exit, stderr } = await cluster.run(switchLine());
    expect(exit, stderr).toBe(0);
    expect(stderr).toMatch(/warning: writes to corder, customer were refused for 5m0[.\d]*s, until SwitchTraffic c2c was taken back/);
    expect(stderr).toMatch(/^writes to corder, customer were refused for [\d.]+ms/m);
  });

  it('is none where they had not been stopped', async () => {
    const cluster = await movingCluster();
    await cluster.run(switchLine("--fault 'switchTraffic/writes/stopSourceWrites:before=panic'"));
    cluster.machine.clock.advance(HOLD);
    expect((await cluster.run(switchLine())).stderr).not.toContain('was taken back');
  });
});

describe('the same command with other flags', () => {
  const MT = 'MoveTables --workflow c2c --target-keyspace customer';

  it.each([
    ['complete --rename-tables', 'complete', 'complete/dropSourceDeniedTables', ['complete', 'complete --keep-data', 'complete --keep-routing-rules --rename-tables', 'complete --rename-tables --dry-run', 'cancel']],
    ['complete --keep-data --keep-routing-rules', 'complete', 'complete/dropTargetDeniedTables', ['complete', 'complete --keep-data']],
    ['cancel --keep-data', 'cancel', 'cancel/rebuildSrvVSchema', ['cancel', 'cancel --keep-data --keep-routing-rules', 'complete', 'switchtraffic']],
  ] as const)('than "%s" is refused with the line as it was', async (asked, verb, step, others) => {
    const cluster = await movingCluster();
    if (verb === 'complete') await cluster.ok(switchLine());
    await cluster.run(`${MT} ${asked} --fault '${step}=panic'`);
    const before = state(cluster);
    for (const other of others) {
      const { exit, stderr } = await cluster.run(`${MT} ${other}`);
      expect([exit, stderr], other).toEqual([1, expect.stringMatching(new RegExp(`^\\w+ c2c was interrupted, and what it had begun is not finished\nnext: finish it by running it again: switchtraffic ${MT} ${asked}\n$`))]);
    }
    expect(state(cluster)).toEqual(before);
    const { exit, stderr } = await cluster.run(`${MT} ${asked}`);
    expect([exit, stderr]).toEqual([0, expect.stringMatching(new RegExp(`warning: \\w+ c2c was interrupted at ${step}; what is left of it is done first`))]);
  });

  it.each(['complete', 'cancel'])('a %s without the source keyspace does not look for it', async (verb) => {
    const cluster = await movingCluster();
    if (verb === 'complete') await cluster.ok(switchLine());
    const nodes = cluster.host.store.cell('global');
    for (const path of nodes.keys()) if (path.startsWith('keyspaces/commerce/')) cluster.host.store.remove('global', path);
    const line = `${MT} ${verb} --ignore-source-keyspace`;
    const last = verb === 'complete' ? 'complete/dropTargetVReplicationStreams' : 'cancel/deleteStreams';
    for (const point of [`${verb}/rebuildSrvVSchema:before`, `${last}:before`, `${last}:before`]) {
      expect(await cluster.run(`${line} --fault '${point}=panic'`)).toMatchObject({ exit: 137 });
      expect((await cluster.run(`${MT} ${verb}`)).stderr).toContain(`running it again: switchtraffic ${line}\n`);
    }
    await cluster.ok(line);
    expect(JSON.parse(await cluster.ok('Workflow --keyspace customer list'))).toEqual([]);
    expect((await cluster.run(line)).stderr).toContain('no streams found');
  });

  it('a cancel of a Materialize is finished too', async () => {
    const { make, line } = createSubjects().find(({ path }) => path.type === 'Materialize')!;
    const cluster = await make();
    const before = state(cluster);
    await cluster.ok(line());
    const cancel = 'Materialize --workflow sums --target-keyspace customer cancel';
    for (const step of ['removeTargetTables:after', 'rebuildSrvVSchema:before', 'deleteStreams:before']) {
      expect(await cluster.run(`${cancel} --fault 'cancel/${step}=panic'`)).toMatchObject({ exit: 137 });
      expect((await cluster.run('Workflow --keyspace customer stop --workflow sums')).stderr).toContain(`running it again: switchtraffic ${cancel}\n`);
    }
    await cluster.ok(cancel);
    expect(state(cluster)).toEqual(before);
  });

  it('Workflow delete finishes a cancel', async () => {
    const cluster = await movingCluster();
    await cluster.run(`${MT} cancel --keep-data --fault 'cancel/rebuildSrvVSchema=panic'`);
    await cluster.ok('Workflow --keyspace customer delete --workflow c2c --keep-data');
    expect((await cluster.run(`${MT} cancel`)).stderr).toContain('no streams found');
  });

  it('a switch past its journal is completed as it was asked for', async () => {
    const cluster = await movingCluster();
    await cluster.run(switchLine("--enable-reverse-replication=false --fault 'switchTraffic/writes/createJournals:after=panic'"));
    const line = switchLine('--enable-reverse-replication=false');
    for (const other of [switchLine(), switchLine('--tablet-types replica'), `${MT} reversetraffic`]) {
      expect(await cluster.run(other), other).toMatchObject({ exit: 1, stderr: expect.stringContaining(`running it again: switchtraffic ${line}\n`) as string });
    }
    await cluster.ok(line);
  });
});

it('an intent that an older program wrote is read, and finished', async () => {
  const cluster = await movingCluster();
  const before = state(cluster);
  await cluster.run(switchLine("--tablet-types primary --fault 'switchTraffic/writes/waitForCatchup:after=panic'"));
  const { store } = cluster.host;
  const path = 'switchtraffic/intents/customer/c2c';
  const { verb: _verb, line: _line, plan: _plan, request: _request, goal: _goal, ...old } = JSON.parse(store.cell('global').get(path)!.contents) as Record<string, unknown>;
  store.put('global', path, JSON.stringify(old));
  store.remove('global', 'switchtraffic/intent_progress/customer/c2c');
  const shown = (await cluster.ok('show workflow')).replace(/\s+/g, ' ');
  expect(shown).toMatch(/SwitchTraffic c2c by vitess@virtual pid \d+, begun at \S+, broke off at switchTraffic\/writes\/waitForCatchup, before the point of no return/);
  expect(shown).toContain('next: switchtraffic MoveTables --workflow c2c --target-keyspace customer switchtraffic --tablet-types primary');
  const failed = await cluster.run(switchLine("--fault 'switchTraffic/prepare/lockWorkflow=return'"));
  expect(failed.stderr).toContain('going back to the state before it first');
  expect(state(cluster)).toEqual(before);
});
