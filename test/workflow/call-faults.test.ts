import { describe, expect, it } from 'vitest';
import { rpcPoint, RPCS } from '../../src/tablet/rpc-names.ts';
import { createSubjects } from '../helpers/create-subjects.ts';
import { END_SUBJECTS, endStart } from '../helpers/end-subjects.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { sample } from '../helpers/sample.ts';
import { movingCluster, switchLine, testCluster, type TestCluster } from '../helpers/shell.ts';
import { reshardSubject } from '../helpers/subjects.ts';

/*
 * Faults at the calls that steps make: of tablets and of the topology server.
 */
const faulty = (cluster: TestCluster, ...faults: string[]): ReturnType<TestCluster['run']> => cluster.run(switchLine(faults.map((fault) => `--fault '${fault}'`).join(' ')));
const streams = (cluster: TestCluster, keyspace = 'customer', shard = '0'): unknown[] =>
  cluster.host.shards.open(keyspace, shard).db.all('SELECT workflow, state, message FROM "_vt.vreplication" ORDER BY id');

describe('a call to a tablet', () => {
  it('fails before it is made, or after', async () => {
    for (const edge of ['before', 'after'] as const) {
      const cluster = await movingCluster('22');
      const { exit, stderr } = await faulty(cluster, `tablet/vReplicationExec:${edge}@zone1-200=return(INTERNAL,no)`);
      expect([exit, stderr]).toEqual([1, expect.stringContaining('rpc error: code = Internal desc = no')]);
      expect(stderr).not.toContain('TabletManager');
    }
  });

  it.each([
    ['#1', 'executeFetchAsDba', 'attempt 1 of 2'],
    ['#2', 'executeFetchAsDba', 'attempt 2 of 2'],
    ['#2@zone1-100', 'executeFetchAsDba', 'attempt 2 of 2'],
    ['@zone1-0000000100', 'executeFetchAsDba', 'attempt 1 of 2'],
    ['@zone1-10?', 'executeFetchAsDba', 'attempt 1 of 2'],
  ])('the one that %s means of %s', async (which, rpc, told) => {
    const [number = '', target = ''] = /^(#\d+)?(@.*)?$/.exec(which)!.slice(1);
    const { stderr } = await faulty(await movingCluster(), `tablet/${rpc}:before${number}${target}=return`);
    expect(stderr).toContain(told);
  });

  it('is no step: a pattern means it only where it begins as it does', async () => {
    const { exit, stderr } = await faulty(await movingCluster(), '**=off', '**/refreshState=return');
    expect([exit, stderr]).toEqual([1, expect.stringContaining('no step is like "**/refreshState"')]);
    const fired = await faulty(await movingCluster(), 'tablet/*=1*return(INTERNAL,first)');
    expect(fired.stderr).toContain('first');
  });

  it.each(['tablet/refreshState@zone1-777', 'tablet/refreshState@zone2-*', 'tablet/nothing', 'topo/update@nowhere/**', 'topo/write'])('%s is refused', async (point) => {
    const cluster = await movingCluster();
    const before = fingerprint(cluster.host);
    const { exit, stderr } = await faulty(cluster, `${point}=return`);
    expect([exit, stderr]).toEqual([1, expect.stringMatching(/^bad fault .*(there is no (?:tablet|step)|no path begins with)/)]);
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it.each(['drop', 'dup', 'reorder'])('%s is for these calls alone', async (action) => {
    for (const point of ['switchTraffic/writes/createJournals', 'topo/update']) {
      expect((await faulty(await movingCluster(), `${point}=${action}`)).stderr).toContain(`${action} is what becomes of a call to a tablet`);
    }
    const after = await faulty(await movingCluster(), `tablet/refreshState:after=${action}`);
    if (action === 'drop') expect(after.stderr).not.toContain('bad fault');
    else expect(after.stderr).toContain(`${action} is what becomes of a request, at :before`);
  });
});

describe('what becomes of a call', () => {
  /** Which call of its kind is the first of a step. */
  async function execOf(step: string, version: string, ...more: string[]): Promise<number> {
    const cluster = await movingCluster(version);
    const { stderr } = await faulty(cluster, 'tablet/vReplicationExec@zone1-200=print(exec)', `switchTraffic/writes/${step}=print(here)`.replace('writes/../', ''), ...more);
    return (stderr.split('here')[0]!.match(/: exec$/gm) ?? []).length + 1;
  }
  const lastExec = (version: string): Promise<number> => execOf('freezeTargetVReplication', version);

  it('drop: the request is lost, and nothing is done', async () => {
    const n = await lastExec('22');
    const cluster = await movingCluster('22');
    const { exit, stderr } = await faulty(cluster, `tablet/vReplicationExec:before#${n}@zone1-200=drop`);
    expect([exit, stderr]).toEqual([1, expect.stringContaining('failed to freeze the workflow in the customer keyspace: rpc error: code = Unavailable desc = error reading from server: EOF')]);
    expect(streams(cluster)).toMatchObject([{ message: 'stopped for cutover' }]);
  });

  it('drop after it: all is done, and the caller cannot know', async () => {
    const n = await lastExec('22');
    const cluster = await movingCluster('22');
    const { exit } = await faulty(cluster, `tablet/vReplicationExec:after#${n}@zone1-200=drop`);
    expect([exit, streams(cluster)]).toMatchObject([1, [{ message: 'FROZEN' }]]);
  });

  it('dup: it is served twice, and the caller hears once', async () => {
    const cluster = await movingCluster();
    const before = await faulty(await movingCluster());
    const { exit, stdout } = await faulty(cluster, 'tablet/*=dup');
    expect([exit, stdout]).toEqual([before.exit, before.stdout]);
  });

  it.each([
    ['drop', 'Stopped'],
    ['reorder', 'Running'],
  ])('%s of what starts the streams again leaves them %s: it is served after the next one, or when the command has ended', async (how, state) => {
    const failing = 'switchTraffic/writes/waitForCatchup:after=return';
    const n = await execOf('../rollback/restartTargetStreams', '22', failing);
    const cluster = await movingCluster('22');
    const { stderr } = await faulty(cluster, failing, `tablet/vReplicationExec:before#${n}@zone1-200=${how}`);
    expect(stderr).toContain('could not restart vreplication: Code: UNAVAILABLE\nrpc error: code = Unavailable desc = error reading from server: EOF');
    expect(streams(cluster)).toMatchObject([{ state }]);
  });

  it('reorder on hardened: what comes when the locks are gone is refused where it commits', async () => {
    const cluster = await movingCluster();
    const n = await lastExec('hardened');
    const { exit } = await faulty(cluster, `tablet/vReplicationExec:before#${n}@zone1-200=reorder`);
    expect(exit).toBe(1);
    expect(streams(cluster)).toMatchObject([{ state: 'Stopped', message: 'stopped for cutover' }]);
    await cluster.ok(switchLine());
    expect(streams(cluster)).toMatchObject([{ message: 'FROZEN' }]);
  });

  /** Every call that the switch of a Reshard makes, by any of these: on `hardened` it is taken back, or the next run completes it. */
  const subject = reshardSubject('2 to 4', { streams: true });
  const CASES = RPCS.flatMap((rpc) => ['before=1*drop', 'after=1*drop', 'before=1*dup', 'before=1*reorder', 'after=1*return', 'before=1*off->1*reorder'].map((fault) => `${rpcPoint(rpc)}:${fault}`));
  it.each(sample(CASES, 11))('a Reshard on hardened under %s', async (fault) => {
    const cluster = await subject.make();
    const before = fingerprint(cluster.host);
    const { exit, stderr } = await cluster.run(subject.line(`--fault '${fault}'`));
    if (stderr.includes('never fired')) return;
    const left = fingerprint(cluster.host);
    if (exit !== 0 && JSON.stringify(left) !== JSON.stringify(before)) await cluster.ok(subject.line());
    if (exit !== 0 && JSON.stringify(left) === JSON.stringify(before)) return;
    const undisturbed = await subject.make();
    await undisturbed.ok(subject.line());
    expect(fingerprint(cluster.host), stderr).toEqual(fingerprint(undisturbed.host));
  });
});

describe('a call to the topology server', () => {
  it.each([
    ['topo/update:before@RoutingRules', false],
    ['topo/update:after@RoutingRules', true],
    ['topo/update:before@R*', false],
  ])('%s on a release: the rules are written: %s', async (point, written) => {
    const cluster = await movingCluster('22');
    const rules = (): unknown => cluster.host.store.cell('global').get('RoutingRules');
    const before = rules();
    const { exit, stderr } = await cluster.run(switchLine(`--tablet-types primary --fault '${point}=return(INTERNAL,no)'`));
    expect([exit, stderr]).toEqual([1, expect.stringContaining('code = Internal desc = no')]);
    expect(rules() !== before).toBe(written);
  });

  it.each([
    ['DEADLINE_EXCEEDED', 'deadline exceeded: /vitess/global/RoutingRules'],
    ['CANCELED', 'interrupted: /vitess/global/RoutingRules'],
    ['UNAVAILABLE', 'rpc error: code = Unavailable desc = injected at topo/update:before@RoutingRules'],
  ])('fails with %s as its client does', async (code, text) => {
    const { stderr } = await faulty(await movingCluster('22'), `topo/update@RoutingRules=return(${code})`);
    expect(stderr).toContain(text);
  });

  it('in a cell has its name before the path', async () => {
    const { stderr } = await faulty(await movingCluster(), 'topo/update:before@zone1/SrvVSchema=print(one)', 'topo/update:before@zone1=print(any)');
    expect(stderr).toContain('fault at topo/update:before@zone1/SrvVSchema: one');
    expect(stderr).toContain('fault at topo/update:before@zone1/SrvVSchema: any');
  });

  it('to lock can fail, and waits are served there', async () => {
    const cluster = await movingCluster();
    const started = cluster.machine.clock.now();
    const { exit, stderr } = await faulty(cluster, 'topo/lock@keyspaces/customer=sleep(3s)->return', 'topo/get#3=sleep(2s)');
    expect([exit, stderr]).toEqual([0, expect.not.stringContaining('never fired')]);
    expect(cluster.machine.clock.now() - started).toBeGreaterThan(5000);
  });

  /** Any call of each kind, on `hardened`. */
  const OPS = ['get', 'list', 'listDir', 'create', 'update', 'delete', 'lock'];
  const CASES = OPS.flatMap((op) => [1, 2, 3, 5, 8, 13].flatMap((n) => ['before', 'after'].map((edge) => `topo/${op}:${edge}#${n}=return`)));
  it.each(sample(CASES, 11))('a switch on hardened under %s', async (fault) => {
    const cluster = await movingCluster();
    const before = fingerprint(cluster.host);
    const { exit, stderr } = await faulty(cluster, fault);
    if (stderr.includes('never fired')) return;
    if (exit !== 0 && JSON.stringify(fingerprint(cluster.host)) === JSON.stringify(before)) return;
    if (exit !== 0) await cluster.ok(switchLine());
    const undisturbed = await movingCluster();
    await undisturbed.ok(switchLine());
    expect(fingerprint(cluster.host), stderr).toEqual(fingerprint(undisturbed.host));
  });
});

describe('exit at a call', () => {
  const moved = reshardSubject('2 to 4', { streams: true });
  const created = createSubjects().find(({ name }) => name === 'a Reshard')!;
  const RUNS = [
    { name: 'a switch', make: moved.make, line: moved.line },
    { name: 'a complete', make: () => endStart('a Reshard', 'complete', 'hardened'), line: (flags = '') => END_SUBJECTS['a Reshard']!.line(`complete ${flags}`) },
    { name: 'a create', make: created.make, line: created.line },
  ];
  const points = [...RPCS.map(rpcPoint), ...['get', 'list', 'listDir', 'create', 'update', 'delete', 'lock'].map((op) => `topo/${op}`)];
  const CASES = RUNS.flatMap((run) => points.flatMap((point) => ['before', 'after'].map((edge) => ({ ...run, point: `${point}:${edge}` }))));

  it.each(sample(CASES, 17))('$point ends $name with its status, whatever is made of errors there', async ({ make, line, point }) => {
    const cluster = await make();
    const { exit, stderr } = await cluster.run(line(`--fault '${point}=1*off->1*exit(9)'`));
    if (!stderr.includes('never fired') && !(exit === 0 && stderr === '')) expect([exit, stderr]).toEqual([9, expect.stringContaining('ended with status 9')]);
  });
});

it('commands that make a cluster have calls too', async () => {
  const cluster = testCluster();
  const { exit, stderr } = await cluster.run("init commerce --fault 'topo/create#3=return(INTERNAL,no)'");
  expect([exit !== 0, stderr]).toEqual([true, expect.stringContaining('no')]);
});
