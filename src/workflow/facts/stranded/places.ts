import type { Behaviours } from '../../../lib/behaviours.ts';
import { formatDuration } from '../../../lib/duration.ts';
import { cureCommand, serveCommands } from '../../recovery.ts';
import type { LockClientFacts, LockFacts } from '../locks.ts';
import type { ShardFacts, TabletFacts } from '../shard.ts';
import type { WorkflowFacts } from '../workflow.ts';
import { type Found, type Picture, unique } from './found.ts';

/** Tablets that believe otherwise than their records say. */
export function tabletsThatDiffer(shard: ShardFacts, { workflows }: Picture): Found[] {
  const differing = shard.tablets.filter((tablet) => tablet.differs.length > 0);
  return differing.map((tablet) => ({
    kind: 'tablet-differs',
    object: tablet.alias,
    keyspaces: [shard.keyspace],
    workflows: [],
    text: `${tablet.alias} is not what the records say: it ${tablet.differs.join('; it ')}`,
    next: servesAgainstRecords(tablet) && !isLeft(shard, workflows) ? serveCommands({ keyspace: shard.keyspace, name: shard.shard }, tablet.type.toLowerCase()) : [`RefreshState ${tablet.alias}`],
  }));
}

/** Its shard is turned off and queries are routed there: once it reads its records, nobody serves them. The records are what is wrong. */
function servesAgainstRecords({ routed, believes, differs }: TabletFacts): boolean {
  return routed && believes?.serving === true && differs.some((text) => text.includes('query service is disabled'));
}

/** Past the journal of a Reshard its source shards are to be off. */
function isLeft({ keyspace, shard }: ShardFacts, workflows: readonly WorkflowFacts[]): boolean {
  return workflows.some((one) => one.kind === 'shards' && one.journal.on.length > 0 && one.sources.includes(`${keyspace}/${shard}`));
}

/** Tablets that are stopped, or busy with a backup or a restore. */
export function tabletsThatFail({ keyspace, shard, tablets }: ShardFacts): Found[] {
  return tablets.flatMap((tablet): Found[] => {
    const { alias, state, type, startsAs } = tablet;
    if (state === 'up') return [];
    const what = `${tablet.primary ? 'primary' : type.toLowerCase()} ${alias} of ${keyspace}/${shard}`;
    if (state === 'stopped') return [{ kind: 'tablet-down', object: alias, keyspaces: [keyspace], workflows: [], text: `${what} is stopped`, next: [cureCommand(alias, true, startsAs)] }];
    const text = `${alias} of ${keyspace}/${shard} is in a ${state} and cannot be refreshed: a switch waits for it in vain`;
    return [{ kind: 'tablet-busy', object: alias, keyspaces: [keyspace], workflows: [], text, next: [cureCommand(alias, false, startsAs)] }];
  });
}

/** Cells whose topology is stopped. */
export function stoppedCells({ stoppedCells: cells, keyspaces }: Picture): Found[] {
  return cells.map((cell) => ({
    kind: 'cell-down',
    object: `cell ${cell}`,
    keyspaces,
    workflows: [],
    text: `the topology of cell ${cell} cannot be reached: its gates keep what they saw last`,
    next: [`cell start ${cell}`],
  }));
}

/** What dead processes still hold, by process. On etcd nobody but the clock takes it from them. */
export function deadHolders(locks: readonly LockFacts[], behaviours: Behaviours): Found[] {
  const byOwner = new Map<string, { lock: LockFacts; holder: LockClientFacts }[]>();
  for (const lock of locks) {
    const { holder } = lock;
    if (holder === undefined || holder.alive !== 'dead' || holder.expiresMs <= 0) continue;
    byOwner.set(holder.owner, [...(byOwner.get(holder.owner) ?? []), { lock, holder }]);
  }
  return [...byOwner].map(([owner, held]) => {
    const step = held.find(({ holder }) => holder.step !== '')?.holder.step;
    const latest = Math.max(...held.map(({ holder }) => holder.expiresMs));
    const end =
      behaviours.leases === 'renewed'
        ? 'the next command that needs them takes them'
        : `nobody gets them before their leases end, the last in ${formatDuration(Math.ceil(latest / 1000) * 1000)}`;
    const names = held.map(({ lock }) => lock.name).join(', ');
    return {
      kind: 'dead-lock-holder',
      object: `lock${held.length === 1 ? '' : 's'} on ${names}`,
      keyspaces: unique(held.map(({ lock }) => lock.name.split('/')[0]!)),
      workflows: held.filter(({ lock }) => lock.kind === 'workflow').map(({ lock }) => lock.name),
      text: `${owner} has died${step === undefined ? '' : ` at ${step}`} and still holds the locks on ${names}: ${end}`,
      next: [],
    };
  });
}
