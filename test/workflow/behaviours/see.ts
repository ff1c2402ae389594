import type { BehaviourName, Behaviours, BuiltName } from '../../../src/lib/behaviours.ts';
import { readStreams, type StreamRow } from '../../../src/tablet/vreplication/streams.ts';
import type { MirrorRules, RoutingRules, Shard, SrvVSchema } from '../../../src/topo/proto/types.ts';
import { movingCluster, switchLine, type TestCluster } from '../../helpers/shell.ts';

/** Finds out by command lines what a release does: the value that the table has to have for it. */
export type See<K extends BehaviourName> = (version: string) => Promise<Behaviours[K]>;

/** A run for a row of the table, and where it cannot be made. */
export interface Run<K extends BehaviourName> {
  see: See<K>;
  /** Releases to look at, where not every release of a value shows it. */
  at?: readonly string[];
  /** Why it cannot be seen on `hardened`: there another row makes it idle. */
  idleOnHardened?: string;
}

/** A run for each row that is not waiting for its feature: a new row without one does not compile. */
export type Runs = { readonly [K in BuiltName]: See<K> | Run<K> };

/** Some of them: the part of one file. */
export type RunsOf<K extends BuiltName> = Pick<Runs, K>;

const STEP = 'switchTraffic/writes';
export const STOP = `${STEP}/stopSourceWrites`;
export const LOCK_TABLES = `${STEP}/lockTables`;
export const POSITIONS = `${STEP}/gatherSourcePositions`;
export const CATCH_UP = `${STEP}/waitForCatchup`;
export const REVERSE = `${STEP}/createReverseVReplication`;

/** A cluster after a switch with faults, and what the switch answered. */
export interface Switched {
  cluster: TestCluster;
  exit: number;
  stderr: string;
}

/** Makes the usual cluster on a release and switches with these faults and flags. */
export async function switchWith(version: string, faults: readonly string[], flags = ''): Promise<Switched> {
  const cluster = await movingCluster(version);
  return { cluster, ...(await switchOn(cluster, faults, flags)) };
}

/** The same on a cluster that is there. */
export async function switchOn(cluster: TestCluster, faults: readonly string[], flags = ''): Promise<{ exit: number; stderr: string }> {
  return cluster.run(switchLine([...faults.map((fault) => `--fault '${fault}'`), flags].join(' ')));
}

const made = new Map<string, Promise<unknown>>();

/** Something that several runs look at, and that none may change for the others. */
export function shared<T>(key: string, make: () => Promise<T>): Promise<T> {
  const there = made.get(key) as Promise<T> | undefined;
  if (there !== undefined) return there;
  const now = make();
  made.set(key, now);
  return now;
}

/** The usual cluster, for command lines that leave it as it was; they name their release with `--vitess-version`. */
export function idle(): Promise<TestCluster> {
  return shared('idle', () => movingCluster());
}

/** A switch of everything that fails at catch-up. */
export function failedCatchUp(version: string): Promise<Switched> {
  return shared(`failed catch-up ${version}`, () => switchWith(version, [`${CATCH_UP}=return`]));
}

/** A switch whose recording of source positions fails, where the release has that as a step. */
export function failedPositions(version: string): Promise<Switched> {
  return shared(`failed positions ${version}`, () => switchWith(version, [`${POSITIONS}=return`]));
}

/**
 * A switch of the writes whose process dies once they are stopped. Before it the target was denied, on releases that do not do
 * so at create too, and a rule `news` was saved that is not published.
 */
export function diedWithWritesStopped(version: string): Promise<Switched> {
  return shared(`died ${version}`, async () => {
    const cluster = await movingCluster(version);
    if (denied(cluster, 'customer').length === 0) await cluster.ok('SetShardTabletControl --denied-tables=corder,customer customer/0 primary');
    saveRule(cluster, 'news', 'commerce.product');
    return { cluster, ...(await switchOn(cluster, [`${LOCK_TABLES}=panic`], '--tablet-types primary --timeout 20s')) };
  });
}

/** A record of the topology. */
export function record<T>({ host }: TestCluster, cell: string, path: string): T | undefined {
  const node = host.store.cell(cell).get(path);
  return node === undefined ? undefined : (JSON.parse(node.contents) as T);
}

/** Tables denied on a keyspace's only shard. */
export function denied(cluster: TestCluster, keyspace: string): string[] {
  const shard = record<Shard>(cluster, 'global', `keyspaces/${keyspace}/shards/0/Shard`);
  return (shard?.tablet_controls ?? []).flatMap((control) => control.denied_tables ?? []);
}

/** Where a rule points, as saved or as a cell's gates see it. */
export function ruleOf(cluster: TestCluster, from: string, where: 'saved' | 'served' = 'saved'): string | undefined {
  const rules = where === 'saved' ? record<RoutingRules>(cluster, 'global', 'RoutingRules') : record<SrvVSchema>(cluster, 'zone1', 'SrvVSchema')?.routing_rules;
  return rules?.rules?.find((rule) => rule.from_table === from)?.to_tables?.[0];
}

/** Saves a rule behind everybody's back, without publishing it. */
export function saveRule(cluster: TestCluster, from: string, to: string): void {
  const rules = (record<RoutingRules>(cluster, 'global', 'RoutingRules')?.rules ?? []).filter((rule) => rule.from_table !== from);
  cluster.host.store.put('global', 'RoutingRules', JSON.stringify({ rules: [...rules, { from_table: from, to_tables: [to] }] }));
}

/** Mirrors the workflow's tables to its target, and one of them to another keyspace too. */
export function saveMirrors(cluster: TestCluster): void {
  const own = ['corder', 'customer'].flatMap((table) =>
    ['', '@replica', '@rdonly'].map((suffix) => ({ from_table: `commerce.${table}${suffix}`, to_table: `customer.${table}`, percent: 5 })),
  );
  const rules = [...own, { from_table: 'commerce.customer', to_table: 'elsewhere.customer', percent: 5 }];
  cluster.host.store.put('global', 'MirrorRules', JSON.stringify({ rules }));
}

/** The keyspaces that traffic is still mirrored to. */
export function mirrored(cluster: TestCluster): string[] {
  const rules = record<MirrorRules>(cluster, 'global', 'MirrorRules')?.rules ?? [];
  return [...new Set(rules.map((rule) => (rule.to_table ?? '').split('.')[0]!))].toSorted();
}

/** The streams of a workflow on a shard. */
export function streams({ host }: TestCluster, workflow: string, keyspace = 'customer', shard = '0'): readonly StreamRow[] {
  return readStreams(host.shards.open(keyspace, shard), workflow);
}

/** Seconds left of a keyspace lock that a dead process holds. */
export async function leaseSeconds(cluster: TestCluster, keyspace: string): Promise<number> {
  const { locks } = JSON.parse(await cluster.ok('show locks --format json')) as {
    locks: { kind: string; name: string; holder?: { expiresMs: number } }[];
  };
  return Math.round((locks.find((lock) => lock.kind === 'keyspace' && lock.name === keyspace)?.holder?.expiresMs ?? 0) / 1000);
}
