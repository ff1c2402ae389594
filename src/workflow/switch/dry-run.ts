import { wrapError } from '../../lib/errors.ts';
import { formatDuration } from '../../lib/duration.ts';
import { NO_FAULTS } from '../../runtime/step.ts';
import { Filter } from '../../topo/proto/messages-binlogdata.ts';
import { prototext } from '../../topo/proto/prototext.ts';
import type { MigrationSource, MigrationTarget } from '../switcher.ts';
import { canSwitch } from './can-switch.ts';
import type { StepName } from './catalogue.ts';
import { lockWorkflow, unlockRest } from './effects-locks.ts';
import { readTypes, validateReads, validateShards } from './effects-reads.ts';
import { checkPrivileges, checkTablets } from './effects-reverse-checks.ts';
import { gatherSourcePositions } from './effects-writes.ts';
import { type PlannedStep, planSteps } from './plan.ts';
import type { SwitchRun } from './run.ts';
import { withOuter } from './runner.ts';
import { dryRunFind, dryRunInitialize, dryRunReset } from './sequences/say.ts';
import { buildStreamMigrator, currentStreams } from './stream-migrator.ts';

/** What a dry run says of a step, given what it has looked up. Steps without a line say nothing. */
type Line = (run: SwitchRun, seen: { types: string[]; looked: Map<StepName, string[]> }) => string[];

const list = (items: readonly string[]): string => `[${items.join(',')}]`;
const uid = (member: MigrationSource | MigrationTarget): number => member.primary.alias?.uid ?? 0;
const byUid = <T extends MigrationSource | MigrationTarget>(members: readonly T[]): T[] => members.toSorted((a, b) => uid(a) - uid(b));
const tables = (run: SwitchRun): string => list(run.sw.tables);
const lockLine = (side: 'source' | 'target', word: 'Lock' | 'Unlock'): Line => (run) => [
  `${word} keyspace ${side === 'source' ? run.sw.sourceKeyspace : run.sw.targetKeyspace}`,
];

/** Vitess: go/vt/vtctl/workflow/switcher_dry_run.go. */
const LINES: Partial<Record<StepName, Line>> = {
  'switchTraffic/reads/lockSource': lockLine('source', 'Lock'),
  'switchTraffic/reads/lockTarget': lockLine('target', 'Lock'),
  'switchTraffic/reads/unlockSource': lockLine('source', 'Unlock'),
  'switchTraffic/reads/unlockTarget': lockLine('target', 'Unlock'),
  'switchTraffic/reads/mirrorOff': (run, { types }) => [mirrorLine(run, types)],
  'switchTraffic/reads/switchTableReads': (run, { types }) => [
    `Switch reads for tables ${tables(run)} to keyspace ${run.direction === 'backward' ? run.sw.sourceKeyspace : run.sw.targetKeyspace} for tablet types ${list(types)}`,
    `Routing rules for tables ${tables(run)} will be updated`,
  ],
  'switchTraffic/reads/switchKeyspaceReads': (run, { types }) => [
    `Switch reads from keyspace ${run.sw.sourceKeyspace} to keyspace ${run.sw.targetKeyspace} for tablet types ${list(types)}`,
  ],
  'switchTraffic/reads/switchShardReads': (run) => {
    const shards = [run.sw.sources, run.sw.targets].map((members) => list(members.map(({ info }) => info.name).toSorted()));
    const keyspaces = [run.sw.sourceKeyspace, run.sw.targetKeyspace];
    const turned = (sides: string[]): string[] => (run.direction === 'backward' ? sides.toReversed() : sides);
    const [[from, to], [here, there]] = [turned(shards), turned(keyspaces)];
    return [`Switch reads from keyspace ${here} to keyspace ${there} for shards ${from} to shards ${to}`];
  },
  'switchTraffic/reads/rebuildSrvVSchema': (run) => [
    `Serving VSchema will be rebuilt for the ${run.direction === 'backward' ? run.sw.sourceKeyspace : run.sw.targetKeyspace} keyspace`,
  ],
  'switchTraffic/writes/lockSource': lockLine('source', 'Lock'),
  'switchTraffic/writes/lockTarget': lockLine('target', 'Lock'),
  'switchTraffic/writes/unlockSource': lockLine('source', 'Unlock'),
  'switchTraffic/writes/unlockTarget': lockLine('target', 'Unlock'),
  'switchTraffic/writes/mirrorOff': (run) => [mirrorLine(run, ['PRIMARY'])],
  'switchTraffic/writes/stopSourceWrites': (run) => [
    `Stop writes on keyspace ${run.sw.sourceKeyspace} for tables ${tables(run)}: ${list(
      byUid(run.sw.sources).map(
        (source) => `keyspace:${run.sw.sourceKeyspace};shard:${source.info.name};position:${source.position}`,
      ),
    )}`,
  ],
  'switchTraffic/writes/stopStreams': stopStreamsLine,
  'switchTraffic/writes/waitForCatchup': (run) => [
    `Wait for vreplication on stopped streams to catchup for up to ${formatDuration(run.request.timeoutMs)}`,
  ],
  'switchTraffic/writes/resetSequences': (_run, { looked }) => looked.get('switchTraffic/writes/resetSequences') ?? [],
  'switchTraffic/writes/initializeTargetSequences': (_run, { looked }) => looked.get('switchTraffic/writes/initializeTargetSequences') ?? [],
  'switchTraffic/writes/createReverseVReplication': (run) => [`Create reverse vreplication workflow ${run.sw.reverseWorkflow}`],
  'switchTraffic/writes/createJournals': () => ['Create journal entries on source databases'],
  'switchTraffic/writes/allowTargetWrites': (run) => [`Enable writes on keyspace ${run.sw.targetKeyspace} for tables ${tables(run)}`],
  'switchTraffic/writes/changeRouting': (run) => [
    `Switch routing from keyspace ${run.sw.sourceKeyspace} to keyspace ${run.sw.targetKeyspace}`,
    ...(run.sw.kind === 'shards' ? servingLines(run) : [`Routing rules for tables ${tables(run)} will be updated`]),
    `Switch writes completed, freeze and delete vreplication streams on: ${list(byUid(run.sw.targets).map((target) => `tablet:${uid(target)}`))}`,
  ],
  'switchTraffic/writes/startReverseVReplication': (run) => [
    `Start reverse vreplication streams on: ${list(byUid(run.sw.sources).map((source) => `tablet:${uid(source)}`))}`,
  ],
  'switchTraffic/writes/freezeTargetVReplication': (run) => [
    `Mark vreplication streams frozen on: ${list(
      byUid(run.sw.targets).map(
        (target) =>
          `keyspace:${run.sw.targetKeyspace};shard:${target.info.name};tablet:${uid(target)};workflow:${run.sw.workflow};dbname:${target.db.dbName}`,
      ),
    )}`,
  ],
};

function servingLines({ sw }: SwitchRun): string[] {
  const shards = (members: readonly (MigrationSource | MigrationTarget)[]): string =>
    list(byUid(members).map((member) => `shard:${member.info.name};tablet:${uid(member)}`));
  return [`IsPrimaryServing will be set to false for: ${shards(sw.sources)}`, `IsPrimaryServing will be set to true for: ${shards(sw.targets)}`];
}

/** Other streams of the source shards, where there are any. */
function stopStreamsLine({ sw, migrator }: SwitchRun): string[] {
  const sources = sw.sources.toSorted((a, b) => (a.info.name < b.info.name ? -1 : 1));
  const streams = sources.flatMap((source) => (migrator === undefined ? [] : currentStreams(migrator, source)));
  if (streams.length === 0) return [];
  const texts = streams.map(({ row, source }) => {
    const rules = prototext(Filter, source.filter ?? {});
    return `id:${row.id};keyspace:${source.keyspace};shard:${source.shard};rules:${rules};position:${row.pos.replace(/^MySQL56\//, '')}`;
  });
  return [`Stop streams on keyspace ${sw.sourceKeyspace}: ${list(texts)}`];
}

function mirrorLine(run: SwitchRun, types: readonly string[]): string {
  return `Mirroring 0.00 percent of traffic from keyspace ${run.sw.sourceKeyspace} to keyspace ${run.sw.targetKeyspace} for tablet types ${list(types)}`;
}

/**
 * What a switch would do, line by line. The checks are real, and so are the workflow's lock and the refreshing of tablets;
 * keyspace locks are not taken. Unlike Vitess (D2) it does not LOCK TABLES.
 */
export async function dryRunLines(run: SwitchRun): Promise<string[]> {
  const { behaviours } = run.cluster.release;
  try {
    if (behaviours.namedLock === 'command' || (behaviours.namedLock === 'writes' && run.path.writes)) await lock(run);
    await canSwitch(run);
    const types = run.path.reads ? await readTypes(run) : [];
    if (run.path.reads) await validateReads(run);
    const steps = planSteps(run.path, behaviours);
    const looked = new Map<StepName, string[]>();
    for (const step of steps) looked.set(step.name, (await check(run, step)) ?? []);
    if (run.path.writes) await gatherSourcePositions(run, NO_FAULTS);
    return steps.flatMap((step) => LINES[step.name]?.(run, { types, looked }) ?? []);
  } finally {
    await unlockRest(run, 'dry run');
  }
}

async function lock(run: SwitchRun): Promise<void> {
  try {
    await lockWorkflow(run, 'switchTraffic/prepare/unlockWorkflow');
  } catch (error) {
    throw wrapError(error, `failed to lock the ${run.sw.targetKeyspace}/${run.sw.workflow} workflow`);
  }
}

/** What a dry run checks of the writes, for real, or looks up for its lines. */
const CHECKS: Partial<Record<StepName, (run: SwitchRun) => Promise<string[] | void>>> = {
  'switchTraffic/writes/buildStreamMigrator': async (run) => {
    await buildStreamMigrator(run);
  },
  'switchTraffic/writes/validate': validateShards,
  'switchTraffic/writes/validateReverse': checkPrivileges,
  'switchTraffic/writes/tabletsAvailable': checkTablets,
  'switchTraffic/writes/getTargetSequenceMetadata': dryRunFind,
  'switchTraffic/writes/resetSequences': dryRunReset,
  'switchTraffic/writes/initializeTargetSequences': dryRunInitialize,
};

async function check(run: SwitchRun, step: PlannedStep): Promise<string[] | void> {
  try {
    return await CHECKS[step.name]?.(run);
  } catch (error) {
    throw withOuter(run, step, error);
  }
}
