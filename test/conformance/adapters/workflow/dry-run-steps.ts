import { type Adapter, type Case, type Check, type Fields, Mismatch, shown, Skipped } from '../../fields.ts';
import { dropShardsLine } from '../../../../src/workflow/end/dry-run.ts';
import { dryRunLines } from '../../../../src/workflow/switch/dry-run.ts';
import type { Scene } from '../../scene.ts';
import { WORKFLOW_DEFAULTS, prepared } from './adapters.ts';
import { linesOf } from './expect-answer.ts';
import { readThen } from './expect.ts';
import { readGiven } from './given.ts';
import type { Stage } from './stage.ts';
import { requestOf, makeRun } from './switch-run.ts';

/** Where the lines of one step stand: in the dry run of which command, and how they begin. */
interface StepLines {
  sub: 'switchtraffic' | 'reversetraffic' | 'complete';
  flags: readonly string[];
  starts: readonly string[];
  /** A part of the line, where several begin alike. */
  has?: string;
  /** The workflow is taken for one that moves shards, though between two keyspaces no command does. */
  kind?: 'shards';
  direction?: 'forward' | 'backward';
}

const COMPLETE = { sub: 'complete', flags: [] } as const;
const SWITCH = { sub: 'switchtraffic', flags: [] } as const;

/** What of `when` makes a step another one. */
interface Asked {
  removal?: string;
  tabletTypes?: string[];
  migrationType?: string;
  direction?: string;
}

/** The steps that a case may name, each read off the command that runs it. */
const STEPS: Readonly<Record<string, (scene: Scene, asked: Asked) => StepLines>> = {
  'drop source denied tables': ({ workflow }) => ({ ...COMPLETE, starts: ['Denied tables records on '], has: `[keyspace:${workflow.source};` }),
  'drop target denied tables': ({ workflow }) => ({ ...COMPLETE, starts: ['Denied tables records on '], has: `[keyspace:${workflow.target};` }),
  'drop source reverse streams': () => ({ ...COMPLETE, starts: ['Delete reverse vreplication streams on sources: '] }),
  'drop target streams': () => ({ ...COMPLETE, starts: ['Delete vreplication streams on targets: '] }),
  'delete routing rules': () => ({ ...COMPLETE, starts: ['Routing rules for participating tables will be deleted'] }),
  'remove source tables': (_scene, { removal }) => {
    if (removal !== 'rename' && removal !== 'drop') throw new Skipped(`the removal ${removal ?? ''} is not known`);
    return removal === 'rename' ? { ...COMPLETE, flags: ['--rename-tables'], starts: ['Renaming these tables '] } : { ...COMPLETE, starts: ['Dropping these tables '] };
  },
  'start reverse replication': () => ({ ...SWITCH, starts: ['Start reverse vreplication streams on: '] }),
  'stop source writes': () => ({ ...SWITCH, starts: ['Stop writes on keyspace '] }),
  'wait for catchup': () => ({ ...SWITCH, starts: ['Wait for vreplication on stopped streams to catchup'] }),
  'create reverse replication': () => ({ ...SWITCH, starts: ['Create reverse vreplication workflow '] }),
  'create journals': () => ({ ...SWITCH, starts: ['Create journal entries on source databases'] }),
  'allow target writes': () => ({ ...SWITCH, starts: ['Enable writes on keyspace '] }),
  'freeze target streams': () => ({ ...SWITCH, starts: ['Mark vreplication streams frozen on: '] }),
  'change routing': (_scene, { migrationType }) => {
    if (migrationType === 'SHARDS') return { kind: 'shards', ...SWITCH, starts: ['Switch routing from keyspace ', 'IsPrimaryServing will be set to '] };
    if ((migrationType ?? 'TABLES') !== 'TABLES') throw new Skipped(`when.migration_type is not known: ${migrationType}`);
    return { ...SWITCH, flags: ['--tablet-types', 'primary'], starts: ['Switch routing from keyspace ', 'Routing rules for tables '] };
  },
  'switch shard reads': (_scene, { direction }) => {
    if (direction !== 'forward' && direction !== 'backward') throw new Skipped(`the direction ${direction ?? ''} is not known`);
    return { kind: 'shards', ...SWITCH, direction, starts: ['Switch reads from keyspace '] };
  },
  'switch table reads': (_scene, { tabletTypes }) => {
    const types = (tabletTypes ?? ['REPLICA', 'RDONLY']).filter((type) => type !== 'PRIMARY');
    if (tabletTypes !== undefined && types.length < tabletTypes.length) throw new Skipped('reads of a primary are not switched by themselves');
    return { ...SWITCH, flags: ['--tablet-types', types.join(',').toLowerCase()], starts: ['Switch reads for tables ', 'Routing rules for tables '] };
  },
};

const PREFIX = 'dry-run step: ';

/** The dry run of a switch whose workflow moves shards. */
async function linesOfShards(stage: Stage, direction: 'forward' | 'backward'): Promise<string[]> {
  // Only reads that were switched can be reversed.
  if (direction === 'backward') await stage.prepare('switchtraffic', '--tablet-types', 'replica,rdonly');
  const { ctx, cluster } = stage.world.engine();
  const run = await makeRun(ctx, cluster, requestOf(stage, { tabletTypes: ['PRIMARY', 'REPLICA', 'RDONLY'] }));
  return dryRunLines({ ...run, direction, sw: { ...run.sw, kind: 'shards' }, path: { ...run.path, kind: 'shards' } });
}

async function linesOfStep(start: Stage, { sub, flags, starts, has = '', kind, direction = 'forward' }: StepLines): Promise<string[]> {
  const stage = start.fork();
  if (kind !== undefined) return (await linesOfShards(stage, direction)).filter((line) => starts.some((beginning) => line.startsWith(beginning)));
  if (sub === 'complete') await stage.prepare('switchtraffic');
  const answer = await stage.run(sub, ...flags, '--dry-run');
  if (answer.failure !== undefined) throw new Mismatch(`${sub} --dry-run: ${shown(answer.failure.message)}`);
  return linesOf(answer).filter((line) => starts.some((beginning) => line.startsWith(beginning)) && line.includes(has));
}

/** One step of a dry run, or the same step several times as `when.sequence` says. */
function readStep({ op, given: fields, when, then }: Case): Check {
  const given = readGiven(fields, WORKFLOW_DEFAULTS);
  const name = op.slice(PREFIX.length);
  const step = STEPS[name];
  if (step === undefined) throw new Skipped(`the step ${shown(name)} is not one that a command runs here`);
  const sequence = when.has('sequence') ? when.maps('sequence').map(readAsked) : [readAsked(when)];
  const wanted = sequence.map((asked) => step(given.scene, asked));
  const check = readThen(then);
  return async () => {
    const start = await prepared(given);
    for (const one of wanted) {
      const lines = await linesOfStep(start, one);
      start.answers.push({ exit: 0, stdout: `${name}\n\n${lines.join('\n')}\n\n`, stderr: '', failure: undefined });
    }
    await check(start);
  };
}

function readAsked(when: Fields): Asked {
  return {
    ...(when.has('removal') && { removal: when.str('removal') }),
    ...(when.has('tablet_types') && { tabletTypes: when.strings('tablet_types') }),
    ...(when.has('direction') && { direction: when.str('direction') }),
    ...(when.has('migration_type') && { migrationType: when.str('migration_type') }),
  };
}

/** `[drop source shards, drop target shards]`: the line of each side's shards. */
function readDropShards({ given: fields, when, then }: Case): Check {
  const given = readGiven(fields, WORKFLOW_DEFAULTS);
  const sides = when.strings('sequence').map((text) => {
    const side = /^drop (source|target) shards$/.exec(text)?.[1];
    if (side === undefined) throw new Skipped(`the step ${shown(text)} is not one that a command runs here`);
    return side;
  });
  const check = readThen(then);
  return async () => {
    const stage = await prepared(given);
    const { ctx, cluster } = stage.world.engine();
    const { sw } = await makeRun(ctx, cluster, requestOf(stage));
    for (const side of sides) {
      const line = await dropShardsLine(ctx, cluster, side === 'source' ? sw : { ...sw, sources: sw.targets });
      stage.answers.push({ exit: 0, stdout: `drop\n\n${line}\n\n`, stderr: '', failure: undefined });
    }
    await check(stage);
  };
}

export const dryRunStepAdapters: readonly Adapter[] = [
  { area: 'dry_run', op: 'dry-run steps', read: readDropShards },
  { area: 'dry_run', op: /^dry-run step: /, read: readStep },
];

