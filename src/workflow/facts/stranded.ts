import type { Behaviours } from '../../lib/behaviours.ts';
import { formatDuration } from '../../lib/duration.ts';
import { cureCommand, deleteReverseCommand, freeCommands, recoveryCommands, reshardRecoveryCommands, serveCommands, startCommand, stopCommand, switchAgainCommand } from '../recovery.ts';
import { STOPPED_FOR_CUTOVER } from '../../tablet/vreplication/streams.ts';
import { type IntentFacts, intentText } from './intents.ts';
import { isAbout, isAtWork, type LockClientFacts, type LockFacts } from './locks.ts';
import type { RoutingFacts, UnpublishedRule } from './routing.ts';
import { type Refused, refusedAt } from './serving.ts';
import type { ShardFacts } from './shard.ts';
import type { StreamFacts, WorkflowFacts } from './workflow.ts';

/** What can be left behind. */
export type StrandedKind =
  | 'refused'
  | 'intent'
  | 'journal-without-frozen'
  | 'stopped-for-cutover'
  | 'reverse-left-over'
  | 'copies-left-over'
  | 'rules-not-published'
  | 'tablet-differs'
  | 'tablet-down'
  | 'tablet-busy'
  | 'cell-down'
  | 'dead-lock-holder';

/** Something that a command left behind, and what puts it right. */
export interface Stranded {
  kind: StrandedKind;
  /** The keyspaces that it concerns. */
  keyspaces: string[];
  text: string;
  /** Who may still be about to put it right; then it may pass. */
  atWork: LockClientFacts | undefined;
  /** Commands without the program's name, to be run in order. Empty where time alone helps. */
  next: string[];
}

/** Everything that `findStranded` looks at. */
export interface Picture {
  keyspaces: string[];
  shards: ShardFacts[];
  routing: RoutingFacts;
  locks: LockFacts[];
  workflows: WorkflowFacts[];
  intents: IntentFacts[];
  /** Cells whose topology cannot be reached. */
  stoppedCells: string[];
}

/** What of the cluster's state no finished command would have left, the worst first. */
export function findStranded(picture: Picture, behaviours: Behaviours): Stranded[] {
  const found = [
    ...picture.keyspaces.flatMap((keyspace) => refused(picture, keyspace, behaviours)),
    ...picture.intents.flatMap((intent) => leftIntent(intent)),
    ...picture.workflows.flatMap((workflow) => ofWorkflow(picture, workflow, behaviours)),
    ...unpublished(picture),
    ...picture.shards.flatMap(tabletsThatDiffer),
    ...picture.shards.flatMap(tabletsThatFail),
    ...stoppedCells(picture),
    ...deadHolders(picture.locks, behaviours),
  ];
  const lasting: readonly StrandedKind[] = ['intent', 'dead-lock-holder'];
  return found.map((entry) => ({ ...entry, atWork: lasting.includes(entry.kind) ? undefined : workerAt(picture.locks, entry.keyspaces) }));
}

type Found = Omit<Stranded, 'atWork'>;

/** The command that is at work on one of these keyspaces. */
export function workerAt(locks: readonly LockFacts[], keyspaces: readonly string[]): LockClientFacts | undefined {
  const lock = locks.find(({ holder, ...rest }) => isAtWork(holder) && keyspaces.some((keyspace) => isAbout({ holder, ...rest }, keyspace)));
  return lock?.holder;
}

const WHAT = { PRIMARY: 'writes of', REPLICA: 'replica reads of', RDONLY: 'rdonly reads of' } as const;

function refused(picture: Picture, keyspace: string, behaviours: Behaviours): Found[] {
  return refusedAt(keyspace, picture.routing, picture.shards).map((entry) => ({
    kind: 'refused',
    keyspaces: [keyspace],
    text: `${WHAT[entry.type]} ${entry.tables.join(', ')} are routed to ${keyspace} and refused there: ${entry.why} ${entry.on.join(', ')}`,
    next: freeing(picture, keyspace, entry, behaviours),
  }));
}

function freeing(picture: Picture, keyspace: string, entry: Refused, behaviours: Behaviours): string[] {
  if (entry.why === 'still denied by the tablets of' || entry.why === 'tablets not started on') return entry.on.map((shard) => `RefreshStateByShard ${shard}`);
  if (entry.why === 'tablets stopped on') {
    const down = picture.shards.filter((shard) => entry.on.includes(`${shard.keyspace}/${shard.shard}`)).flatMap((shard) => shard.tablets);
    return down.filter(({ state }) => state === 'stopped').map(({ alias }) => `tablet start ${alias}`);
  }
  const shards = entry.on.map((text) => ({ keyspace, name: text.slice(keyspace.length + 1) }));
  if (entry.why === 'query service off on') return serving(picture, keyspace, entry, shards, behaviours);
  if (entry.why !== 'denied on') return [];
  if (entry.type !== 'PRIMARY') return shards.flatMap((shard) => freeCommands(shard, entry.tables, entry.type.toLowerCase()));
  const concerns = (workflow: WorkflowFacts): boolean => entry.tables.some((table) => workflow.tables.includes(table));
  const intent = intentAt(picture, [keyspace]);
  if (intent !== undefined) return [intent.line];
  // The way back of a tenant reads from the tables that all share: it has nothing to do with who may write to them.
  const workflow = picture.workflows.find((one) => one.sourceKeyspace === keyspace && concerns(one) && !one.frozen && !isTenantsWayBack(one));
  const arriving = picture.workflows.find((one) => one.keyspace === keyspace && concerns(one) && one.journal.on.length > 0);
  const half = [workflow, arriving].find((one) => one !== undefined && one.journal.on.length > 0 && !one.frozen);
  if (half !== undefined) return complete(half, behaviours);
  if (workflow === undefined) return [...shards.flatMap((shard) => freeCommands(shard, entry.tables)), 'RebuildVSchemaGraph'];
  const targets = workflow.targets.map((text) => ({ keyspace: workflow.keyspace, name: text.slice(workflow.keyspace.length + 1) }));
  return recoveryCommands(
    { targetKeyspace: workflow.keyspace, workflow: workflow.workflow, tables: entry.tables, kind: workflow.kind, sources: shards, targets },
    behaviours,
  );
}

function isTenantsWayBack({ kind, workflow }: WorkflowFacts): boolean {
  return kind === 'multi-tenant' && workflow.endsWith('_reverse');
}

/** Shards whose query service is off: a Reshard that broke off, or somebody's SetShardTabletControl. */
function serving(
  picture: Picture,
  keyspace: string,
  entry: Refused,
  shards: readonly { keyspace: string; name: string }[],
  behaviours: Behaviours,
): string[] {
  const intent = intentAt(picture, [keyspace]);
  if (intent !== undefined) return [intent.line];
  const reshard = picture.workflows.find((one) => one.kind === 'shards' && !one.frozen && one.sources.some((source) => entry.on.includes(source)));
  if (reshard === undefined || entry.type !== 'PRIMARY') return shards.flatMap((shard) => serveCommands(shard));
  if (reshard.journal.on.length > 0) return complete(reshard, behaviours);
  return reshardRecoveryCommands({
    keyspace,
    workflow: reshard.workflow,
    sources: shards,
    stopped: stoppedOthers(picture, reshard).map(({ workflow, stream }) => ({ workflow, ...stream })),
    copies: copiesOf(picture, reshard).map(({ workflow, stream }) => ({ workflow, tablet: stream.tablet })),
  });
}

interface PlacedStream {
  workflow: string;
  stream: StreamFacts;
}

/** Streams of other workflows on these shards of the Reshard's keyspace. */
function streamsOn({ workflows }: Picture, reshard: WorkflowFacts, shards: readonly string[]): PlacedStream[] {
  return workflows
    .filter((one) => one.keyspace === reshard.keyspace && one.kind !== 'shards')
    .flatMap((one) => one.streams.filter((stream) => shards.includes(`${one.keyspace}/${stream.shard}`)).map((stream) => ({ workflow: one.workflow, stream })));
}

function stoppedOthers(picture: Picture, reshard: WorkflowFacts): PlacedStream[] {
  const marks = ['for cutover', 'synchronizing for cutover'];
  return streamsOn(picture, reshard, reshard.sources).filter(({ stream }) => marks.includes(stream.message) || stream.message.startsWith('Stopped at position'));
}

/** What the switch had made of them on the target shards. */
function copiesOf(picture: Picture, reshard: WorkflowFacts): PlacedStream[] {
  const moved = new Set(streamsOn(picture, reshard, reshard.sources).map(({ workflow }) => workflow));
  return streamsOn(picture, reshard, reshard.targets).filter(({ workflow, stream }) => moved.has(workflow) && stream.stored === 'Stopped');
}

function leftIntent(intent: IntentFacts): Found[] {
  if (intent.alive === 'alive') return [];
  return [{ kind: 'intent', keyspaces: [intent.sourceKeyspace, intent.keyspace], text: intentText(intent), next: [intent.line] }];
}

/** The intent that explains what is found in these keyspaces, and whose end will put it right. */
function intentAt({ intents }: Picture, keyspaces: Iterable<string>): IntentFacts | undefined {
  const wanted = new Set(keyspaces);
  return intents.find((intent) => wanted.has(intent.sourceKeyspace) || wanted.has(intent.keyspace));
}

/** Streams that run on would take the mark of a frozen workflow off again. */
function complete(workflow: WorkflowFacts, behaviours: Behaviours): string[] {
  const running = workflow.streams.some((stream) => stream.stored !== 'Stopped');
  const { kind, sourceKeyspace, keyspace: targetKeyspace, workflow: name } = workflow;
  return [
    ...(running ? [stopCommand(targetKeyspace, name)] : []),
    switchAgainCommand({ kind, sourceKeyspace, targetKeyspace, workflow: name }, behaviours, { reads: false, journaled: true }),
  ];
}

/** What a switch that broke off left of a workflow. An intent says the same, and better. */
function ofWorkflow(picture: Picture, workflow: WorkflowFacts, behaviours: Behaviours): Found[] {
  const { keyspace, workflow: name, sourceKeyspace, journal, frozen, streams, reverse } = workflow;
  if (picture.intents.some((intent) => intent.keyspace === keyspace && intent.workflow === name)) return [];
  const keyspaces = [...new Set([keyspace, sourceKeyspace])].filter((one) => one !== '');
  if (journal.on.length > 0) {
    if (frozen) return [];
    const missing = journal.missing.length === 0 ? '' : `, but not on ${journal.missing.join(', ')}`;
    const text = `${keyspace}.${name} is past the point of no return and not finished: its journal is on ${journal.on.join(', ')}${missing}, and it is not frozen`;
    return [{ kind: 'journal-without-frozen', keyspaces, text, next: complete(workflow, behaviours) }];
  }
  const found: Found[] = [];
  const stopped = streams.filter((stream) => stream.stored === 'Stopped' && stream.message === STOPPED_FOR_CUTOVER);
  if (stopped.length > 0) {
    const ids = stopped.map((stream) => `${stream.id} on ${keyspace}/${stream.shard}`).join(', ');
    const what = stopped.length === 1 ? `stream ${ids} was` : `streams ${ids} were`;
    const text = `${keyspace}.${name}: ${what} stopped for a cutover that did not happen (no journal)`;
    found.push({ kind: 'stopped-for-cutover', keyspaces, text, next: [startCommand(keyspace, name)] });
  }
  if (workflow.kind === 'shards') found.push(...leftOthers(picture, workflow));
  if (reverse !== undefined && !frozen && !reverse.frozen && reverse.workflow.endsWith('_reverse') && reverse.states.every((state) => state === 'Stopped')) {
    const text = `${reverse.keyspace}.${reverse.workflow} was made for a switch of ${keyspace}.${name} that did not happen (no journal)`;
    // Until v21 nothing can be deleted once reads are switched; the next switch makes the reverse workflow anew.
    const stuck = !behaviours.cancelAfterReads && !workflow.state.startsWith('Reads Not Switched');
    found.push({
      kind: 'reverse-left-over',
      keyspaces,
      text: stuck ? `${text}; it is harmless, and the next switch replaces it` : text,
      next: stuck ? [] : [deleteReverseCommand(reverse.keyspace, reverse.workflow)],
    });
  }
  return found;
}

/** Streams of other workflows that a Reshard's switch had stopped, and copies of them that it had made. */
function leftOthers(picture: Picture, reshard: WorkflowFacts): Found[] {
  const { keyspace, workflow, reverse } = reshard;
  // Of the two, the one that was switched is meant: to the other, its sources are targets.
  if (workflow.endsWith('_reverse') && reverse !== undefined && !reverse.frozen) return [];
  const stopped = stoppedOthers(picture, reshard);
  const copies = copiesOf(picture, reshard);
  const place = ({ workflow: name, stream }: PlacedStream): string => `${name} on ${keyspace}/${stream.shard}`;
  const commands = reshardRecoveryCommands({ keyspace, workflow, sources: [], stopped: stopped.map((one) => ({ workflow: one.workflow, ...one.stream })), copies: [] });
  const found: Found[] = [];
  if (copies.length > 0) {
    const next = [...new Set(copies.map(({ workflow: name, stream }) => `ExecuteFetchAsDBA ${stream.tablet} "delete from _vt.vreplication where workflow = '${name}'"`))];
    const text = `${keyspace}.${workflow}: stopped copies of ${copies.map(place).join(', ')} were made for a switch that did not happen (no journal)`;
    found.push({ kind: 'copies-left-over', keyspaces: [keyspace], text, next });
  }
  if (stopped.length > 0) {
    const text = `${keyspace}.${workflow}: streams of ${stopped.map(place).join(', ')} were stopped for a cutover that did not happen (no journal)`;
    found.push({ kind: 'stopped-for-cutover', keyspaces: [keyspace], text, next: commands.slice(0, -1) });
  }
  return found;
}

/** Rules that queries do not follow, because a cell's copy was not made anew. */
function unpublished(picture: Picture): Found[] {
  const { routing } = picture;
  return routing.cells.flatMap((cell) => {
    const unknown = routing.unpublished.filter((rule) => rule.cell === cell);
    const [rules, others] = [unknown.filter((rule) => rule.of === undefined), unknown.filter((rule) => rule.of !== undefined)];
    return [...unpublishedTables(picture, cell, rules), ...unpublishedOthers(picture, cell, others)];
  });
}

/** Rules for shards, or for keyspaces. */
function unpublishedOthers(picture: Picture, cell: string, rules: readonly UnpublishedRule[]): Found[] {
  return (['shards', 'keyspaces'] as const).flatMap((of) => {
    const own = rules.filter((rule) => rule.of === of);
    if (own.length === 0) return [];
    const keyspaces = new Set(own.flatMap(({ from, saved = '', published = '' }) => [from.replace(/[.@].*$/, ''), saved, published].filter((name) => name !== '')));
    const text = `${of === 'shards' ? 'shard' : 'keyspace'} routing rules of ${own.map((rule) => rule.from).join(', ')} are saved and not in the copy of ${cell}, which queries follow`;
    const intent = intentAt(picture, keyspaces);
    return [{ kind: 'rules-not-published' as const, keyspaces: [...keyspaces], text, next: [intent === undefined ? 'RebuildVSchemaGraph' : intent.line] }];
  });
}

function unpublishedTables(picture: Picture, cell: string, rules: readonly UnpublishedRule[]): Found[] {
  if (rules.length === 0) return [];
  const names = [...new Set(rules.map((rule) => rule.from.replace(/^.*\./, '').replace(/@.*$/, '')))].toSorted();
  const places = rules.flatMap((rule) => [rule.from.replace(/@.*$/, ''), rule.saved ?? '', rule.published ?? ''].filter((name) => name.includes('.')));
  const owners = picture.workflows.filter((workflow) => workflow.tables.some((table) => names.includes(table)));
  const keyspaces = new Set([...places.map((name) => name.split('.')[0]!), ...owners.flatMap((one) => [one.keyspace, one.sourceKeyspace])]);
  const types = [...new Set(rules.map((rule) => /@(\w+)$/.exec(rule.from)?.[1] ?? 'all types'))].toSorted();
  const text = `routing rules of ${names.join(', ')} (${types.join(', ')}) are saved and not in the copy of ${cell}, which queries follow`;
  const intent = intentAt(picture, keyspaces);
  const next = intent === undefined ? 'RebuildVSchemaGraph' : intent.line;
  return [{ kind: 'rules-not-published' as const, keyspaces: [...keyspaces], text, next: [next] }];
}

function tabletsThatDiffer(shard: ShardFacts): Found[] {
  const differing = shard.tablets.filter((tablet) => tablet.differs.length > 0);
  return differing.map((tablet) => ({
    kind: 'tablet-differs',
    keyspaces: [shard.keyspace],
    text: `${tablet.alias} is not what the records say: it ${tablet.differs.join('; it ')}`,
    next: [`RefreshState ${tablet.alias}`],
  }));
}

function tabletsThatFail({ keyspace, shard, tablets }: ShardFacts): Found[] {
  return tablets.flatMap((tablet): Found[] => {
    const { alias, state, type, startsAs } = tablet;
    if (state === 'up') return [];
    const what = `${tablet.primary ? 'primary' : type.toLowerCase()} ${alias} of ${keyspace}/${shard}`;
    if (state === 'stopped') return [{ kind: 'tablet-down', keyspaces: [keyspace], text: `${what} is stopped`, next: [cureCommand(alias, true, startsAs)] }];
    const text = `${alias} of ${keyspace}/${shard} is in a ${state} and cannot be refreshed: a switch waits for it in vain`;
    return [{ kind: 'tablet-busy', keyspaces: [keyspace], text, next: [cureCommand(alias, false, startsAs)] }];
  });
}

function stoppedCells({ stoppedCells: cells, keyspaces }: Picture): Found[] {
  return cells.map((cell) => ({
    kind: 'cell-down',
    keyspaces,
    text: `the topology of cell ${cell} cannot be reached: its gates keep what they saw last`,
    next: [`cell start ${cell}`],
  }));
}

/** What dead processes still hold, by process. On etcd nobody but the clock takes it from them. */
function deadHolders(locks: readonly LockFacts[], behaviours: Behaviours): Found[] {
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
      keyspaces: [...new Set(held.map(({ lock }) => lock.name.split('/')[0]!))],
      text: `${owner} has died${step === undefined ? '' : ` at ${step}`} and still holds the locks on ${names}: ${end}`,
      next: [],
    };
  });
}
