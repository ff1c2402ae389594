import { describe, expect, it } from 'vitest';
import type { Io } from '../../../src/cli/io.ts';
import { main } from '../../../src/cli/main.ts';
import { withoutSignals } from '../../../src/cli/signals.ts';
import { findRelease } from '../../../src/lib/releases.ts';
import type { KeyspaceFacts } from '../../../src/workflow/facts/keyspace.ts';
import type { LockFacts } from '../../../src/workflow/facts/locks.ts';
import { FULL_PATH } from '../../../src/workflow/switch/path.ts';
import { planSteps } from '../../../src/workflow/switch/plan.ts';
import { movingCluster, switchLine, testCluster, type TestCluster } from '../../helpers/shell.ts';

const ESCAPE = '\u001b';
const CATCH_UP = "--fault 'switchTraffic/writes/waitForCatchup=return(DEADLINE_EXCEEDED)'";

/** The one line a keyspace's report begins with. */
function headline(text: string, keyspace: string): string {
  return text.split('\n').find((line) => line.startsWith(`${keyspace}  `)) ?? '';
}

async function keyspaces(cluster: TestCluster): Promise<KeyspaceFacts[]> {
  return (JSON.parse(await cluster.ok('show keyspace --format json')) as { keyspaces: KeyspaceFacts[] }).keyspaces;
}

async function strandedKinds(cluster: TestCluster): Promise<string[]> {
  return [...new Set((await keyspaces(cluster)).flatMap((one) => one.stranded.map((entry) => entry.kind)))].toSorted();
}

/** The commands that the text prints, as typed. */
function printedCommands(text: string): string[] {
  return [...text.matchAll(/^ {8}switchtraffic (.*)$/gm)].map(([, command]) => command!);
}

/** Runs what `show keyspace` prints, literally. */
async function obey(cluster: TestCluster): Promise<void> {
  for (const command of printedCommands(await cluster.ok('show keyspace'))) await cluster.ok(command);
}

/** 21.0.2 after the failed switch of #17620: the roll-back found no locks. */
async function stranded(): Promise<TestCluster> {
  const cluster = await movingCluster('21.0.2');
  const failed = await cluster.run(switchLine(`--tablet-types primary ${CATCH_UP}`));
  expect(failed.exit).toBe(1);
  return cluster;
}

describe('show keyspace', () => {
  it('says of a clean cluster that it serves, and nothing more than is so', async () => {
    const cluster = testCluster();
    await cluster.ok('init commerce');
    expect(await cluster.ok('show keyspace')).toBe(
      [
        'commerce  serves its tables',
        '  shards',
        '    commerce/0  serving  primary zone1-0000000100, replica zone1-0000000101, rdonly zone1-0000000102',
        '  tables',
        '    TABLE                      WRITES    REPLICA READS  RDONLY READS',
        '    corder, customer, product  commerce  commerce       commerce',
        '  locks',
        '    none is held',
        '',
        'customer  has no tables',
        '  shards',
        '    customer/0  serving  primary zone1-0000000200, replica zone1-0000000201, rdonly zone1-0000000202',
        '  locks',
        '    none is held',
        '',
      ].join('\n'),
    );
  });

  it('says who serves while tables are on the move', async () => {
    const cluster = await movingCluster();
    const text = await cluster.ok('show keyspace');
    expect(headline(text, 'commerce')).toBe('commerce  serves its tables');
    expect(headline(text, 'customer')).toBe('customer  serves none of its tables; corder, customer are served by commerce');
    expect(text).toContain('denied to primary: corder, customer');
    expect(text).not.toContain('stranded');
  });

  it('says first that writes are refused, where the state string says that all is well', async () => {
    const cluster = await stranded();
    const text = await cluster.ok('show keyspace commerce');
    expect(text.split('\n')[0]).toBe('commerce  WRITES REFUSED: corder, customer (routed here, denied on commerce/0)');
    expect(text).toContain('Vitess prints    Reads Not Switched. Writes Not Switched');
    expect(text).toMatch(/the records say {2}writes of corder, customer REFUSED \(routed to commerce, which denies it\)/);
    expect(printedCommands(text)).toEqual([
      'SetShardTabletControl --denied-tables=corder,customer --remove commerce/0 primary',
      'RefreshStateByShard commerce/0',
      'SetShardTabletControl --denied-tables=corder,customer customer/0 primary',
      'RefreshStateByShard customer/0',
      'Workflow --keyspace customer start --workflow c2c',
      'RebuildVSchemaGraph',
    ]);
  });

  it('is right about the cure: the printed commands bring back the state before the switch', async () => {
    const before = await (await movingCluster('21.0.2')).ok('show keyspace');
    const cluster = await stranded();
    await obey(cluster);
    expect(await cluster.ok('show keyspace')).toBe(before);
    expect(headline(before, 'commerce')).toBe('commerce  serves its tables');
  });

  it('has nothing to complain of after a switch that went well', async () => {
    const cluster = await movingCluster();
    await cluster.ok(switchLine());
    const text = await cluster.ok('show keyspace');
    expect(headline(text, 'commerce')).toBe('commerce  serves product; corder, customer are served by customer');
    expect(headline(text, 'customer')).toBe('customer  serves its tables');
    expect(text).toMatch(/streams Stopped \(FROZEN\); reverse workflow Running; journal written; frozen/);
    expect(await strandedKinds(cluster)).toEqual([]);
    await cluster.ok('MoveTables --workflow c2c --target-keyspace customer reversetraffic');
    expect(headline(await cluster.ok('show keyspace'), 'commerce')).toBe('commerce  serves its tables');
    expect(await strandedKinds(cluster)).toEqual([]);
  });

  it('tells reads from writes', async () => {
    const cluster = await movingCluster();
    await cluster.ok(switchLine('--tablet-types replica,rdonly'));
    const text = await cluster.ok('show keyspace');
    expect(headline(text, 'commerce')).toBe('commerce  serves its tables; reads of corder, customer are served by customer');
    expect(headline(text, 'customer')).toBe('customer  serves reads of corder, customer; writes of corder, customer are served by commerce');
  });

  it('gives the same facts as JSON', async () => {
    const cluster = await stranded();
    const [commerce, customer] = await keyspaces(cluster);
    expect(commerce!.verdict.level).toBe('refused');
    expect(commerce!.verdict.refused).toEqual([{ type: 'PRIMARY', tables: ['corder', 'customer'], on: ['commerce/0'], why: 'denied on' }]);
    expect(commerce!.stranded.flatMap((entry) => entry.next)).toEqual(printedCommands(await cluster.ok('show keyspace commerce')));
    expect(commerce!.shards[0]!.denied).toEqual([{ type: 'PRIMARY', tables: ['corder', 'customer'], cells: [], allowReads: false }]);
    expect(commerce!.workflows[0]).toMatchObject({ state: 'Reads Not Switched. Writes Not Switched', frozen: false, reverse: null });
    expect(customer!.verdict.writesElsewhere).toEqual([{ keyspace: 'commerce', tables: ['corder', 'customer'], refused: true }]);
  });

  it('tells of a switch that died before the point of no return, and how to go on', async () => {
    const cluster = await movingCluster();
    expect((await cluster.run(switchLine("--fault 'switchTraffic/writes/waitForCatchup:after=panic'"))).exit).toBe(137);
    const text = await cluster.ok('show keyspace');
    expect(headline(text, 'commerce')).toContain('WRITES REFUSED: corder, customer');
    expect(text.replace(/\s+/g, ' ')).toMatch(
      /SwitchTraffic c2c by vitess@virtual pid \d+, begun at \S+, broke off at switchTraffic\/writes\/waitForCatchup \(step \d+ of \d+\), before the point of no return: .* it stopped the writes at \S+Z next:/,
    );
    expect(printedCommands(text)).toEqual(['MoveTables --workflow c2c --target-keyspace customer switchtraffic']);
    await obey(cluster);
    expect(headline(await cluster.ok('show keyspace'), 'customer')).toBe('customer  serves its tables');
  });

  it('tells of one that died past it, and does not switch more than was asked for', async () => {
    const cluster = await movingCluster();
    expect((await cluster.run(switchLine("--tablet-types primary --fault 'switchTraffic/writes/allowTargetWrites=panic'"))).exit).toBe(137);
    const text = await cluster.ok('show keyspace');
    expect(text.replace(/\s+/g, ' ')).toContain('past the point of no return: it can only be completed');
    expect(printedCommands(text)).toEqual(['MoveTables --workflow c2c --target-keyspace customer switchtraffic --tablet-types primary']);
    await obey(cluster);
    const [commerce] = await keyspaces(cluster);
    expect(commerce!.verdict).toMatchObject({ level: 'ok', servesReadsOf: ['corder', 'customer'] });
  });

  it('finds everything that a switch without a roll-back leaves', async () => {
    const cluster = await movingCluster('22.0.4');
    await cluster.run(switchLine("--tablet-types primary --fault 'switchTraffic/writes/checkLocks#5=return(INTERNAL)'"));
    expect(await strandedKinds(cluster)).toEqual(['refused', 'reverse-left-over', 'stopped-for-cutover']);
    await obey(cluster);
    expect(await strandedKinds(cluster)).toEqual([]);
  });

  it('finds a switch that stopped between its journal and the end', async () => {
    const cluster = await movingCluster('21.0.5');
    await cluster.run(switchLine("--fault 'switchTraffic/writes/changeRouting=return(INTERNAL)'"));
    expect(await strandedKinds(cluster)).toEqual(['journal-without-frozen', 'refused']);
    await obey(cluster);
    expect(await strandedKinds(cluster)).toEqual([]);
    expect(headline(await cluster.ok('show keyspace'), 'customer')).toBe('customer  serves its tables');
  });

  it('finds a tablet that has not noticed, on either side of the change', async () => {
    const cluster = await movingCluster();
    await cluster.ok('SetShardTabletControl --denied-tables=product commerce/0 primary');
    const text = await cluster.ok('show keyspace commerce');
    expect(headline(text, 'commerce')).toBe('commerce  serves its tables; one thing is stranded, see below');
    expect(text).toContain('zone1-0000000100 serves product, which the shard record denies');
    expect(printedCommands(text)).toEqual(['RefreshState zone1-0000000100']);
    await obey(cluster);
    expect(headline(await cluster.ok('show keyspace'), 'commerce')).toContain('WRITES REFUSED: product (routed here, denied on commerce/0)');
    await cluster.ok('SetShardTabletControl --denied-tables=product --remove commerce/0 primary');
    expect(headline(await cluster.ok('show keyspace'), 'commerce')).toContain('WRITES REFUSED: product (routed here, still denied by the tablets of commerce/0)');
    await obey(cluster);
    expect(headline(await cluster.ok('show keyspace'), 'commerce')).toBe('commerce  serves its tables');
  });

  it('frees every shard of a sharded keyspace, and names its streams by shard', async () => {
    const cluster = testCluster();
    await cluster.ok('init commerce --without customer --vitess-version 22.0.4');
    for (const [uid, shard] of [[200, '-80'], [300, '80-']] as const) {
      await cluster.ok(`tablet add zone1-${uid} --keyspace customer --shard ${shard} --type primary`);
    }
    const vindexed = { column_vindexes: [{ column: 'customer_id', name: 'hash' }] };
    const vschema = { sharded: true, vindexes: { hash: { type: 'hash' } }, tables: { customer: vindexed, corder: vindexed } };
    cluster.host.store.put('global', 'keyspaces/customer/VSchema', JSON.stringify(vschema));
    await cluster.ok('RebuildVSchemaGraph');
    await cluster.ok('MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder --sharded-auto-increment-handling leave');
    await cluster.ok('MoveTables --workflow c2c --target-keyspace customer status');
    await cluster.run(switchLine("--tablet-types primary --fault 'switchTraffic/writes/checkLocks#5=return'"));
    const text = await cluster.ok('show keyspace');
    expect(text).toContain('customer.c2c: streams 1 on customer/-80, 1 on customer/80- were stopped for a cutover');
    expect(printedCommands(text).filter((command) => command.includes('customer/'))).toHaveLength(4);
    expect(await cluster.ok('show workflow customer.c2c')).toContain('customer/80- stream 1 message: stopped for cutover');
    await obey(cluster);
    expect(await strandedKinds(cluster)).toEqual([]);
  });

  it('leads back to keyspaces that serve from a failure of any step, on the release that undoes least', async () => {
    const version = '21.0.2';
    const steps = planSteps(FULL_PATH, findRelease(version).behaviours).filter((step) => step.leadsTo !== 'nothing changed' && step.occurrence === 1);
    expect(steps.length).toBeGreaterThan(15);
    for (const { name } of steps) {
      const cluster = await movingCluster(version);
      await cluster.run(switchLine(`--fault '${name}:after=return(INTERNAL)'`));
      for (let round = 0; round < 2; round++) await obey(cluster);
      const left = (await keyspaces(cluster)).map(({ verdict, stranded: rest }) => [
        verdict.refused.length,
        // It cannot be deleted there once reads are switched, and does no harm.
        ...rest.filter((entry) => entry.kind !== 'reverse-left-over').map((entry) => entry.text),
      ]);
      expect(left, name).toEqual([[0], [0]]);
    }
  });
});

describe('the other kinds', () => {
  it('show routing marks what is saved and not published', async () => {
    const cluster = await movingCluster('21.0.5');
    expect(await cluster.ok('show routing product')).toBe(
      [
        'A QUERY FOR       PRIMARY           REPLICA           RDONLY',
        'product           commerce.product  commerce.product  commerce.product',
        'commerce.product  commerce.product  commerce.product  commerce.product',
        'the copies of zone1 say the same',
        '',
      ].join('\n'),
    );
    await cluster.run(switchLine("--fault 'switchTraffic/writes/validate=return(INTERNAL)'"));
    const text = await cluster.ok('show routing commerce.customer');
    expect(text).toContain('commerce.customer  commerce.customer  customer.customer *  customer.customer *');
    expect(text).toContain('commerce.customer for replica goes to commerce.customer in zone1');
    expect(await strandedKinds(cluster)).toEqual(['rules-not-published']);
    await obey(cluster);
    expect(await cluster.ok('show routing customer')).not.toContain('*');
  });

  it('show shard and show tablet set records beside beliefs', async () => {
    const cluster = await stranded();
    const shard = await cluster.ok('show shard commerce/0');
    expect(shard).toContain('denied    primary: corder, customer');
    expect(shard).toContain('zone1-0000000100  PRIMARY  serving, refuses corder, customer');
    expect(await cluster.ok('show tablet 100')).toBe(await cluster.ok('show tablet zone1-0000000100'));
    expect(await cluster.ok('show tablet 101')).toContain('records   deny it nothing');
  });

  it('show workflow tells of the copy while it goes on, and of the streams after it', async () => {
    const cluster = testCluster();
    await cluster.ok('init commerce --rows 500');
    await cluster.ok('MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder --auto-start=false');
    const early = await cluster.ok('show workflow customer.c2c');
    expect(early).toContain('Stopped');
    await cluster.ok('Workflow --keyspace customer start --workflow c2c');
    await cluster.ok('MoveTables --workflow c2c --target-keyspace customer status');
    const late = await cluster.ok('show workflow c2c');
    expect(late).toMatch(/1 {2}commerce\/0 {2}customer\/0 {2}Running/);
    expect(late).toContain('reverse  none');
    expect(late).toContain('frozen   no');
  });

  it('show locks names holders that have died, and the queue', async () => {
    const cluster = await movingCluster('21.0.5');
    expect(await cluster.ok('show locks')).toBe('nobody holds a lock\n');
    await cluster.run(switchLine("--fault 'switchTraffic/writes/lockTables=panic'"));
    const text = await cluster.ok('show locks');
    expect(text).toMatch(/^RESOURCE +HOLDER +LIVENESS +HELD +EXPIRES +TOKEN +STEP +WAITING\n/);
    expect(text).toMatch(/^keyspace commerce +vitess@virtual pid \d+ +DEAD +\S+ +\S+ +\d+ +switchTraffic\/writes\/lockTables +0$/m);
    expect(await cluster.ok('lock show')).toBe(text);
    const { locks } = JSON.parse(await cluster.ok('show locks --format json')) as { locks: LockFacts[] };
    expect(locks.map((lock) => [lock.name, lock.kind, lock.holder?.action, lock.holder?.alive])).toEqual([
      ['customer/c2c', 'workflow', 'WorkflowSwitchTraffic', 'dead'],
      ['commerce', 'keyspace', 'SwitchWrites', 'dead'],
      ['customer', 'keyspace', 'SwitchWrites', 'dead'],
    ]);
    expect(await strandedKinds(cluster)).toContain('dead-lock-holder');
  });

  it('show sessions tells what a session has done and what it holds', async () => {
    const cluster = await movingCluster();
    expect(await cluster.ok('show sessions')).toBe('no session is open\n');
    await cluster.ok("query --session s1 'begin'");
    await cluster.ok(`query --session s1 "update customer set email = 'x@y.z' where customer_id = 1"`);
    const text = await cluster.ok('show sessions s1');
    expect(text).toContain('commerce/0  in a transaction, open for');
    expect(text).toContain('holds customer (shared-write)');
    expect(text).toMatch(/row locks: customer \[/);
    expect(await cluster.ok('show tablet 100')).toContain('customer shared-write by session s1');
  });

  it('show history tells how commands ended', async () => {
    const cluster = await stranded();
    const text = await cluster.ok('show history');
    expect(text).toContain('exit 1');
    expect(text).toContain('failed at switchTraffic/writes/waitForCatchup');
    expect(text).toContain('fault: switchTraffic/writes/waitForCatchup:before return(DEADLINE_EXCEEDED)');
    const { history } = JSON.parse(await cluster.ok('show history 1 --format json')) as { history: { exit: number }[] };
    expect(history.map((entry) => entry.exit)).toEqual([1]);
    expect((await cluster.run('show history none')).exit).toBe(2);
  });
});

describe('names that are not there', () => {
  it.each([
    ['keyspace custmer', 'there is no keyspace "custmer" (did you mean "customer"?)'],
    ['shard commerce/1', 'there is no shard "commerce/1" (did you mean "commerce/0"?)'],
    ['tablet zone1-0000000109', 'there is no tablet "zone1-0000000109" (did you mean "zone1-0000000100"?)'],
    ['workflow customer.c2d', 'there is no workflow "customer.c2d" (did you mean "customer.c2c"?)'],
    ['routing prodct', 'there is no table "prodct" (did you mean "product"?)'],
    ['sessions s1', 'there is no session "s1"'],
  ])('show %s', async (words, message) => {
    const cluster = await movingCluster();
    const { exit, stdout, stderr } = await cluster.run(`show ${words}`);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
    expect(stderr.split('\n')[0]).toBe(`switchtraffic: ${message}`);
  });
});

describe('colour', () => {
  async function onTerminal(cluster: TestCluster, line: string, env: Record<string, string> = {}): Promise<string> {
    let text = '';
    const io: Io = {
      stdout: { write: (part) => void (text += part), isTTY: true, columns: 100 },
      stderr: { write: () => {}, isTTY: true, columns: 100 },
      env: { TERM: 'xterm', ...env },
      cwd: '.',
      now: () => 0,
    };
    expect(await main(line.split(' '), io, { host: cluster.host, withSignals: withoutSignals })).toBe(0);
    return text;
  }

  it.each(['keyspace', 'shard', 'tablet', 'workflow', 'routing', 'locks', 'sessions', 'history'])('show %s has some only on a terminal', async (kind) => {
    const cluster = await stranded();
    const plain = await cluster.ok(`show ${kind}`);
    expect(plain).not.toContain(ESCAPE);
    const painted = await onTerminal(cluster, `show ${kind}`);
    // oxlint-disable-next-line no-control-regex -- a colour code starts with the escape character
    expect(painted.replace(/\u001b\[\d+m/g, '')).toBe(plain);
    expect(await onTerminal(cluster, `show ${kind}`, { NO_COLOR: '1' })).toBe(plain);
  });

  it('paints a refusal red', async () => {
    expect(await onTerminal(await stranded(), 'show keyspace commerce')).toContain(`${ESCAPE}[31mWRITES REFUSED`);
  });

  it('keeps to 100 columns but for commands', async () => {
    const cluster = await stranded();
    for (const kind of ['keyspace', 'shard', 'tablet', 'workflow', 'routing', 'history']) {
      const wide = (await cluster.ok(`show ${kind}`)).split('\n').filter((line) => line.length > 100 && !/^ {8}switchtraffic/.test(line));
      expect(wide).toEqual([]);
    }
  });
});
