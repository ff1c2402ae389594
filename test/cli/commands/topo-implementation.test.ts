import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fileHost } from '../../../src/cli/host.ts';
import { makeShell, type ShellResult } from '../../../src/cli/shell.ts';
import { readCluster } from '../../../src/topo/cluster-record.ts';
import { background } from '../../../src/runtime/context.ts';
import { openCluster } from '../../helpers/open-cluster.ts';
import { testCluster, words } from '../../helpers/shell.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchtraffic-topo-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A command line in a folder of files. */
function type(line: string): Promise<ShellResult> {
  return makeShell(fileHost('.switchtraffic', folder), { cwd: folder })(words(line));
}

const recorded = async (cluster: ReturnType<typeof testCluster>): Promise<string | undefined> =>
  (await readCluster(background(), openCluster(cluster.host).topo.conn))?.topo_implementation;

const shown = async (cluster: ReturnType<typeof testCluster>, more = ''): Promise<unknown> =>
  (JSON.parse(await cluster.ok(`show keyspace --format json ${more}`)) as { topoImplementation?: string }).topoImplementation;

describe('init --topo-implementation', () => {
  it.each(['etcd2', 'zk2', 'consul'])('%s is kept, shown and printed', async (name) => {
    const cluster = testCluster();
    const said = await cluster.ok(`init commerce --vitess-version v22 --topo-implementation ${name}`);
    expect(said.split('\n')[0]).toBe(`Cluster made in memory, behaving like Vitess 22.0.4${name === 'etcd2' ? '' : ` on ${name}`}`);
    expect(await recorded(cluster)).toBe(name);
    expect(await shown(cluster)).toBe(name);
    expect(await cluster.ok('init --like .')).toMatch(new RegExp(`^topo_implementation: ${name}$`, 'm'));
  });

  it('is etcd2 on a release that names none, and nothing on hardened', async () => {
    const release = testCluster();
    await release.ok('init commerce --vitess-version v22');
    expect(await recorded(release)).toBe('etcd2');
    const own = testCluster();
    await own.ok('init commerce');
    expect(await recorded(own)).toBeUndefined();
    expect(await shown(own)).toBeUndefined();
    expect(await own.ok('init --like .')).not.toMatch(/^topo_implementation/m);
    // One command as a release: its locks are those of etcd.
    expect(await shown(own, '--vitess-version v22')).toBe('etcd2');
  });

  it.each(['', '--vitess-version hardened'])('is refused on hardened, which says why, and makes nothing (%s)', async (version) => {
    const cluster = testCluster();
    expect(await cluster.run(`init commerce --topo-implementation zk2 ${version}`)).toEqual({
      exit: 2,
      stdout: '',
      stderr:
        'switchtraffic: --topo-implementation zk2 chooses whose locks a release of Vitess has, and hardened has none of them: its own are fenced and renewed, and none is left behind\n' +
        'next: leave it out, or name a release: --vitess-version v22\n',
    });
    expect(cluster.host.exists()).toBe(false);
  });

  it('knows no others', async () => {
    for (const version of ['', ' --vitess-version v22']) {
      const { exit, stderr } = await testCluster().run(`init commerce --topo-implementation zk${version}`);
      expect({ exit, stderr }).toEqual({ exit: 2, stderr: 'switchtraffic: no such topology implementation zk\nnext: one of etcd2, zk2, consul\n' });
    }
  });

  it('does not matter to other commands, as runbooks have it in every line', async () => {
    const cluster = testCluster();
    await cluster.ok('init commerce');
    await cluster.ok('GetKeyspaces --topo-implementation consul --topo-global-root vitess/global');
  });

  it('is printed by init --like EXAMPLE where it is asked for', async () => {
    const cluster = testCluster();
    expect(await cluster.ok('init --like commerce --vitess-version v22 --topo-implementation consul')).toMatch(/^topo_implementation: consul$/m);
    expect(await cluster.ok('init --like commerce --vitess-version v22')).not.toMatch(/^topo_implementation:/m);
    expect((await cluster.run('init --like commerce --topo-implementation consul')).exit).toBe(2);
  });

  it('names cells and nodes as its server does', async () => {
    const roots: Record<string, string> = {};
    for (const name of ['etcd2', 'zk2', 'consul']) {
      const cluster = testCluster();
      await cluster.ok(`init commerce --vitess-version v22 --topo-implementation ${name}`);
      roots[name] = JSON.parse(cluster.host.store.cell('global').get('cells/zone1/CellInfo')!.contents).root as string;
      const { stderr } = await cluster.run('GetKeyspace nope');
      expect(stderr.split('\n')[0]).toBe(`node doesn't exist: ${name === 'consul' ? '' : '/'}vitess/global/keyspaces/nope/Keyspace`);
    }
    expect(roots).toEqual({ etcd2: '/vitess/zone1', zk2: '/vitess/zone1', consul: 'vitess/zone1' });
  });
});

describe('a cluster file', () => {
  const file = (text: string): void => writeFileSync(join(folder, 'my.yaml'), `${text}\nkeyspaces: {ks: {}}\n`);

  it('names the topology server, and the flag wins over it', async () => {
    file('vitess: v22\ntopo_implementation: zk2');
    expect((await type('init my.yaml --force')).stdout).toContain('behaving like Vitess 22.0.4 on zk2');
    expect((await type('init my.yaml --force --topo-implementation consul')).stdout).toContain('behaving like Vitess 22.0.4 on consul');
  });

  it('that names one is refused on hardened, as the flag is', async () => {
    file('topo_implementation: zk2');
    const { exit, stderr } = await type('init my.yaml --force');
    expect(exit).toBe(2);
    expect(stderr).toContain('topo_implementation zk2 of my.yaml chooses whose locks a release of Vitess has, and hardened has none of them');
    expect((await type('init my.yaml --force --vitess-version v21')).exit).toBe(0);
  });

  it('that names another has it told with its place', async () => {
    file('vitess: v22\ntopo_implementation: etcd');
    const { exit, stderr } = await type('init my.yaml --force');
    expect(exit).toBe(2);
    expect(stderr).toMatch(/^switchtraffic: my\.yaml:2:\d+: "topo_implementation" has to be one of etcd2, zk2, consul/);
  });
});

describe('a scenario', () => {
  const run = (given: string): Promise<ShellResult> => {
    writeFileSync(join(folder, 'a.swt.yaml'), `scenario: a\ngiven: {cluster: commerce, ${given}}\nsteps:\n  - run: show keyspace --format json\n    expect: { json: { topoImplementation: zk2 } }\n`);
    return type('run a.swt.yaml');
  };

  it('has its own', async () => {
    expect(await run('vitess: v22, topo-implementation: zk2')).toMatchObject({ exit: 0 });
    expect(await run('vitess: v22, topo-implementation: consul')).toMatchObject({ exit: 1 });
  });

  it('is checked before it runs', async () => {
    expect((await run('topo-implementation: zk2')).stderr).toMatch(/a\.swt\.yaml:2:\d+: topo-implementation zk2 chooses whose locks/);
    expect((await run('vitess: v22, topo-implementation: zk')).stderr).toMatch(/a\.swt\.yaml:2:\d+: .*has to be one of etcd2, zk2, consul/);
  });
});
