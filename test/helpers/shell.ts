import { type MemoryHost, memoryHost } from '../../src/cli/host.ts';
import { makeShell, type ShellResult } from '../../src/cli/shell.ts';
import { VirtualMachine } from '../../src/runtime/world.ts';

/** A cluster in memory on a virtual clock, and a shell to run command lines against it. */
export interface TestCluster {
  machine: VirtualMachine;
  host: MemoryHost;
  /** Runs a command line, split at blanks outside quotes. */
  run(line: string): Promise<ShellResult>;
  /** Runs the words of a command line. */
  runWords(argv: readonly string[]): Promise<ShellResult>;
  /** Runs it and throws unless it ends with 0. */
  ok(line: string): Promise<string>;
}

/** An empty in-memory cluster; `init` it first. */
export function testCluster(seed = 1): TestCluster {
  const machine = new VirtualMachine(seed);
  let died: () => void = () => {};
  const host = memoryHost(machine, () => died());
  return clusterOf(machine, host, (end) => (died = end));
}

/** A cluster like another, which goes its own way. */
export function forkCluster(from: TestCluster): TestCluster {
  let died: () => void = () => {};
  const { machine, host } = from.host.fork(() => died());
  return clusterOf(machine, host, (end) => (died = end));
}

function clusterOf(machine: VirtualMachine, host: MemoryHost, whenDead: (end: () => void) => void): TestCluster {
  const shell = makeShell(host, { died: () => new Promise((resolve) => whenDead(resolve)) });
  const run = (line: string): Promise<ShellResult> => shell(words(line));
  return {
    machine,
    host,
    run,
    runWords: shell,
    ok: async (line) => {
      const result = await run(line);
      if (result.exit !== 0) throw new Error(`${line}\nexit ${result.exit}\n${result.stdout}${result.stderr}`);
      return result.stdout;
    },
  };
}

/** The words of a line; single and double quotes keep blanks. */
export function words(line: string): string[] {
  // Printed lines name the program.
  const bare = line.replace(/^(?:vtctldclient|switchtraffic) /, '');
  return [...bare.matchAll(/(?:'([^']*)'|"([^"]*)"|[^\s'"]+)+/g)].map(([word]) => word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'));
}

const CREATE = 'MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder';

/** The example with its usual workflow, copied and running. */
export function movingCluster(version = 'hardened', seed = 1): Promise<TestCluster> {
  return forked(`${version} ${seed}`, () => makeMoving(version, seed));
}

/** A cluster that is made once for a key; each caller has one of its own. */
export async function forked(key: string, make: () => Promise<TestCluster>): Promise<TestCluster> {
  const first = made.get(key) ?? make();
  made.set(key, first);
  return forkCluster(await first);
}

/** Most tests begin with one of a few, and a fork takes a tenth of the time. */
const made = new Map<string, Promise<TestCluster>>();

async function makeMoving(version: string, seed: number): Promise<TestCluster> {
  const cluster = testCluster(seed);
  await cluster.ok(`init commerce --vitess-version ${version}`);
  await cluster.ok(CREATE);
  await cluster.ok('MoveTables --workflow c2c --target-keyspace customer status');
  return cluster;
}

/** The switch of the usual workflow, with more flags. */
export function switchLine(more = ''): string {
  return `MoveTables --workflow c2c --target-keyspace customer switchtraffic ${more}`.trim();
}
