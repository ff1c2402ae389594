import { describe, expect, it } from 'vitest';
import type { StepList } from '../../../src/report/steps.ts';
import { movingCluster, switchLine, testCluster, type TestCluster } from '../../helpers/shell.ts';

async function list(cluster: TestCluster, words: string): Promise<StepList> {
  return JSON.parse(await cluster.ok(`steps ${words} --format json`)) as StepList;
}

/** `name -> what its failure leads to`, the point of no return marked. */
async function golden(version: string): Promise<string> {
  const { steps, rollback } = await list(testCluster(), `switchtraffic --vitess-version ${version}`);
  const short = (name: string): string => name.replace('switchTraffic/', '');
  return [
    ...steps.map((step) => `${short(step.name)}${step.occurrences > 1 ? `#${step.occurrence}` : ''} -> ${step.leadsTo ?? ''}${step.pointOfNoReturn ? ' ***' : ''}`),
    ...rollback.map((step) => short(step.name)),
  ].join('\n');
}

describe('steps', () => {
  it('of hardened', async () => {
    expect(await golden('hardened')).toMatchInlineSnapshot(`
      "prepare/lockWorkflow -> nothing changed
      prepare/canSwitch -> nothing changed
      reads/validate -> nothing changed
      reads/lockSource -> nothing changed
      reads/lockTarget -> nothing changed
      reads/switchTableReads -> rolls back
      reads/unlockTarget -> rolls back
      reads/unlockSource -> rolls back
      writes/validate -> rolls back
      writes/validateReverse -> rolls back
      writes/tabletsAvailable -> rolls back
      writes/lockSource -> rolls back
      writes/lockTarget -> rolls back
      writes/checkJournals -> rolls back
      writes/stopSourceWrites -> rolls back
      writes/lockTables#1 -> rolls back
      writes/lockTables#2 -> rolls back
      writes/gatherSourcePositions -> rolls back
      writes/checkLocks#1 -> rolls back
      writes/waitForCatchup -> rolls back
      writes/checkLocks#2 -> rolls back
      writes/checkLocks#3 -> rolls back
      writes/resetSequences -> rolls back
      writes/checkLocks#4 -> rolls back
      writes/createReverseVReplication -> rolls back
      writes/checkLocks#5 -> rolls back
      writes/checkLocks#6 -> rolls back
      writes/createJournals -> decided by looking ***
      writes/allowTargetWrites -> forward only
      writes/changeRouting -> forward only
      writes/startReverseVReplication -> forward only
      writes/freezeTargetVReplication -> forward only
      writes/unlockTarget -> forward only
      writes/unlockSource -> forward only
      prepare/unlockWorkflow -> forward only
      rollback/relock
      rollback/revertDeniedTables
      rollback/restartTargetStreams
      rollback/deleteReverseVReplication
      rollback/restoreSequences"
    `);
  });

  it('of v18', async () => {
    expect(await golden('18')).toMatchInlineSnapshot(`
      "prepare/canSwitch -> nothing changed
      reads/validate -> nothing changed
      reads/lockSource -> nothing changed
      reads/switchTableReads -> left as is
      reads/rebuildSrvVSchema -> left as is
      reads/unlockSource -> left as is
      writes/validate -> left as is
      writes/tabletsAvailable -> left as is
      writes/lockSource -> left as is
      writes/lockTarget -> left as is
      writes/checkJournals -> left as is
      writes/stopSourceWrites -> rolls back
      writes/lockTables#1 -> rolls back
      writes/lockTables#2 -> rolls back
      writes/waitForCatchup -> rolls back
      writes/resetSequences -> rolls back
      writes/createReverseVReplication -> rolls back
      writes/createJournals -> forward only ***
      writes/allowTargetWrites -> forward only
      writes/changeRouting -> forward only
      writes/startReverseVReplication -> forward only
      writes/freezeTargetVReplication -> forward only
      writes/unlockTarget -> forward only
      writes/unlockSource -> forward only
      rollback/revertDeniedTables
      rollback/restartTargetStreams
      rollback/deleteReverseVReplication"
    `);
  });

  it('are the steps that a switch really takes', async () => {
    const cluster = await movingCluster();
    const planned = (await list(cluster, 'SwitchTraffic')).steps.map((step) => step.name);
    const { stderr } = await cluster.run(switchLine('--verbose'));
    const taken = [...stderr.matchAll(/^ok +(switchTraffic\/\S+)$/gm)].map(([, name]) => name);
    expect(taken).toEqual(planned);
  });

  it('draws the point of no return right after the journal, once', async () => {
    const lines = (await testCluster().ok('steps')).split('\n');
    const at = lines.findIndex((line) => line.includes('= point of no return ='));
    expect(lines[at - 2]).toMatch(/^28 {2}switchTraffic\/writes\/createJournals +decided by looking$/);
    expect(lines[at + 1]).toMatch(/^29 {2}switchTraffic\/writes\/allowTargetWrites/);
    expect(lines.filter((line) => line.includes('= point of no return ='))).toHaveLength(1);
  });

  it.each(['hardened', '18', '21.0.2', '23.0.7'])('fits into 100 columns on %s, without colours', async (version) => {
    const text = await testCluster().ok(`steps --vitess-version ${version}`);
    expect(text.split('\n').filter((line) => line.length > 100)).toEqual([]);
    expect(text).not.toContain('\u001b');
  });

  it('names every step under which a fault is accepted, and no other', async () => {
    const cluster = await movingCluster('21.0.2');
    const { steps, elsewhere, rollback } = await list(cluster, '');
    for (const { name } of [...steps, ...elsewhere, ...rollback]) {
      const { stderr } = await cluster.run(`show locks --fault '${name}=off'`);
      expect(stderr, name).toContain('never fired');
    }
    expect((await cluster.run("show locks --fault 'switchTraffic/writes/noSuchStep=off'")).exit).not.toBe(0);
  });

  it("takes the cluster's version, hardened without a cluster, and the flag before both", async () => {
    expect((await list(testCluster(), '')).vitessVersion).toBe('hardened');
    const cluster = await movingCluster('20.0.5');
    expect((await list(cluster, '')).vitessVersion).toBe('20.0.5');
    expect((await list(cluster, '--vitess-version v23')).vitessVersion).toBe('23.0.7');
  });

  it('never claims that a release restores reads', async () => {
    const undone = async (version: string): Promise<string | undefined> =>
      (await list(testCluster(), `--vitess-version ${version}`)).steps.find((step) => step.name.endsWith('switchTableReads'))?.undoneBy;
    expect(await undone('21')).toBe('never');
    expect(await undone('hardened')).toBe('restoring the routing rules');
  });

  it('knows the commands by any spelling, and offers the nearest for another', async () => {
    const cluster = testCluster();
    const text = await cluster.ok('steps');
    for (const name of ['switchtraffic', 'SwitchTraffic', 'switch-traffic', "'MoveTables SwitchTraffic'"]) expect(await cluster.ok(`steps ${name}`)).toBe(text);
    expect(await cluster.ok('steps reversetraffic')).toContain('source and target changing places');
    const rollback = await list(cluster, 'rollback');
    expect([rollback.steps.length, rollback.rollback.length]).toEqual([0, 5]);
    const { exit, stderr } = await cluster.run('steps revresetraffic');
    expect(exit).toBe(2);
    expect(stderr).toContain('(did you mean "reversetraffic"?)');
  });
});
