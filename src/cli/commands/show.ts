import { InvariantError, UserError } from '../../lib/errors.ts';
import type { ShowOptions } from '../../report/show/options.ts';
import { withCluster } from '../cluster.ts';
import type { CommandScope } from '../scope.ts';
import { printFacts } from '../facts-output.ts';
import { colorLevel, createPaint } from '../paint.ts';
import { programOf } from '../program-words.ts';
import type { Invocation } from '../spec.ts';
import { unknownName } from '../unknown-name.ts';
import { loading } from '../../lib/loading.ts';
import { shortTabletAlias } from '../../lib/names.ts';

/** What there is to show: one document of facts, and how to print it for people. */
interface Shown {
  facts: object;
  render(options: ShowOptions): string[];
}

type Show = (scope: CommandScope, name: string | undefined) => Promise<Shown>;

/** Shows the cluster as it is. Takes no lock, so that it answers while somebody holds one. */
export function run(inv: Invocation): Promise<number> {
  const show = KINDS[inv.path[1] ?? ''];
  if (show === undefined) throw new InvariantError(`nothing shows ${inv.path.join(' ')}`);
  return withCluster(inv, {}, async (scope) => {
    const shown = await show(scope, inv.args[0]);
    if (inv.flags.str('format') === 'json') {
      printFacts(inv, shown.facts);
      return 0;
    }
    const paint = await createPaint(colorLevel(inv.io.stdout, inv.flags, inv.io.env));
    const lines = shown.render({ paint, program: programOf(inv.flags), now: scope.cluster.world.clock.now() });
    inv.io.stdout.write(lines.map((line) => `${line.trimEnd()}\n`).join(''));
    return 0;
  });
}

/** Each loads what it needs and no more: `show` is what people type most. */
const KINDS: Readonly<Record<string, Show>> = { keyspace, shard, tablet, workflow, routing, locks, sessions, history };

/** The things of one name; all of them without one. */
function pick<T>(kind: string, name: string | undefined, all: readonly T[], namesOf: (one: T) => readonly string[]): T[] {
  if (name === undefined) return [...all];
  const found = all.filter((one) => namesOf(one).includes(name));
  if (found.length > 0) return found;
  throw unknownName(kind, name, [...new Set(all.map((one) => namesOf(one)[0] ?? ''))]);
}

async function keyspace({ ctx, cluster }: CommandScope, name: string | undefined): Promise<Shown> {
  const [{ gatherKeyspaces }, { renderKeyspaces }] = await Promise.all([
    loading(import('../../workflow/facts/keyspace.ts')),
    loading(import('../../report/show/keyspace.ts')),
  ]);
  const keyspaces = pick('keyspace', name, await gatherKeyspaces(ctx, cluster), (one) => [one.keyspace]);
  const { implementation } = cluster.topo.conn.policy;
  const facts = { vitessVersion: cluster.release.name, ...(implementation !== undefined && { topoImplementation: implementation }), keyspaces };
  return { facts, render: (options) => renderKeyspaces(keyspaces, options) };
}

async function shard({ ctx, cluster }: CommandScope, name: string | undefined): Promise<Shown> {
  const [{ gatherShards }, { renderShards }] = await Promise.all([loading(import('../../workflow/facts/shard.ts')), loading(import('../../report/show/shard.ts'))]);
  const all = await gatherShards(ctx, cluster);
  const shards = pick('shard', name, all, (one) => [`${one.keyspace}/${one.shard}`, `${one.keyspace}:${one.shard}`, one.keyspace]);
  return { facts: { shards }, render: (options) => renderShards(shards, options) };
}

async function tablet({ ctx, cluster }: CommandScope, name: string | undefined): Promise<Shown> {
  const [{ gatherShards }, { renderTablets }] = await Promise.all([loading(import('../../workflow/facts/shard.ts')), loading(import('../../report/show/tablet.ts'))]);
  const all = (await gatherShards(ctx, cluster)).flatMap((shard) =>
    shard.tablets.map((one) => ({ ...one, locks: one.primary ? shard.tableLocks : [] })),
  );
  const tablets = pick('tablet', name, all, ({ alias }) => [alias, ...shortAliases(alias)]);
  return { facts: { tablets }, render: (options) => renderTablets(tablets, options) };
}

/** `zone1-0000000100` is also `zone1-100` and 100. */
function shortAliases(alias: string): string[] {
  const short = shortTabletAlias(alias);
  return [short, short.slice(short.lastIndexOf('-') + 1)];
}

async function workflow({ ctx, cluster }: CommandScope, name: string | undefined): Promise<Shown> {
  const [{ gatherWorkflows }, { gatherIntents }, { renderWorkflows }] = await Promise.all([
    loading(import('../../workflow/facts/workflow.ts')),
    loading(import('../../workflow/facts/intents.ts')),
    loading(import('../../report/show/workflow.ts')),
  ]);
  const namesOf = (one: { keyspace: string; workflow: string }): string[] => [`${one.keyspace}.${one.workflow}`, one.workflow];
  const intents = (await gatherIntents(ctx, cluster)).filter((intent) => name === undefined || namesOf(intent).includes(name));
  const all = await gatherWorkflows(ctx, cluster);
  // Of one that is being created, or has nearly gone, there may be no more than what was written down.
  const workflows = intents.length > 0 ? all.filter((one) => name === undefined || namesOf(one).includes(name)) : pick('workflow', name, all, namesOf);
  return { facts: { workflows, intents }, render: (options) => renderWorkflows(workflows, intents, options) };
}

async function routing({ ctx, cluster }: CommandScope, name: string | undefined): Promise<Shown> {
  const [{ gatherRouting }, { renderRouting }] = await Promise.all([
    loading(import('../../workflow/facts/routing.ts')),
    loading(import('../../report/show/routing.ts')),
  ]);
  const all = await gatherRouting(ctx, cluster);
  const routes = pick('table', name, all.routes, (one) => [one.table, one.from]);
  const unpublished = all.unpublished.filter(({ from }) => name === undefined || tableOf(from) === tableOf(name));
  const facts = { cells: all.cells, routes, shards: all.shards, unpublished };
  return { facts, render: (options) => renderRouting(facts, options) };
}

function tableOf(from: string): string {
  return from.replace(/^.*\./, '').replace(/@.*$/, '');
}

async function locks({ cluster }: CommandScope): Promise<Shown> {
  const [{ gatherLocks }, { renderLocks }] = await Promise.all([loading(import('../../workflow/facts/locks.ts')), loading(import('../../report/show/locks.ts'))]);
  const all = gatherLocks(cluster);
  return { facts: { locks: all }, render: (options) => renderLocks(all, options) };
}

async function sessions({ ctx, cluster }: CommandScope, name: string | undefined): Promise<Shown> {
  const [{ gatherSessions }, { renderSessions }] = await Promise.all([
    loading(import('../../workflow/facts/sessions.ts')),
    loading(import('../../report/show/sessions.ts')),
  ]);
  const all = await gatherSessions(ctx, cluster);
  const found = pick('session', name, all.sessions, (one) => [one.session]);
  const facts = { sessions: found, others: name === undefined ? all.others : [] };
  return { facts, render: (options) => renderSessions(facts, options) };
}

const HISTORY_ENTRIES = 20;

async function history({ ctx, cluster }: CommandScope, count: string | undefined): Promise<Shown> {
  const most = count === undefined ? HISTORY_ENTRIES : Number(count);
  if (!Number.isInteger(most) || most < 1) {
    throw new UserError(`"${count ?? ''}" is not a number of entries`, { next: 'switchtraffic show history 50', exit: 2 });
  }
  const [{ gatherHistory }, { renderHistory }] = await Promise.all([
    loading(import('../../workflow/facts/history.ts')),
    loading(import('../../report/show/history.ts')),
  ]);
  const entries = await gatherHistory(ctx, cluster, most);
  return { facts: { history: entries }, render: (options) => renderHistory(entries, options) };
}
