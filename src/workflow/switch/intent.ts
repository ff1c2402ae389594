import type { Writer } from '../../topo/conn/conn.ts';
import { cellNames } from '../../topo/cells.ts';
import { noteFirstStep } from '../../topo/locks.ts';
import { type IntentHead, type ProgressMarks, putIntent, putStep, stepText, tokensOf } from '../intent/record.ts';
import { commandOf } from '../switcher.ts';
import { type CellImage, cellImage, globalRules, type MemberImage, memberImage, type RulesImage, scopeOf } from './intent-images.ts';
import type { PlannedStep } from './plan.ts';
import type { SwitchRequest, SwitchRun } from './run.ts';
import type { SequenceImages } from './sequences-undo.ts';

/**
 * What a switch on `hardened` writes down before it changes anything: what was, what is to be, and who is at it. A roll-back is
 * driven by it alone, so that another process can finish what a dead one began.
 */
export interface SwitchIntent extends IntentHead, RulesImage {
  verb: 'switch';
  /** How it was asked for, so that it can be asked for again. */
  asked: { keyspace: string; workflow: string; verb: 'switchtraffic' | 'reversetraffic'; tabletTypes: readonly string[] };
  /** The same in full; not there in one that an older program wrote. */
  request?: Omit<SwitchRequest, 'dryRun'>;
  /** Where the asked types of traffic are to go. */
  goal?: { keyspace: string; tabletTypes: readonly string[] };
  /** Migration id: if a source has its journal, the only way is forward. */
  journal: string;
  sources: MemberImage[];
  targets: MemberImage[];
  tables: string[];
  reverseWorkflow: string;
  /** What each cell serves by. */
  cells: Record<string, CellImage>;
  /** What the switch does to sequences; there once it is going to. */
  sequences?: SequenceImages;
}

/**
 * Reads the state before the switch and writes it down, with the step that is the first to change anything. Throws LockLostError: who
 * has lost its locks must not begin.
 */
export async function recordIntent(run: SwitchRun, plan: readonly PlannedStep[], first: PlannedStep, marks: ProgressMarks): Promise<SwitchIntent> {
  const { ctx, cluster, sw } = run;
  const scope = scopeOf(sw);
  const cells = await cellNames(ctx, cluster.topo);
  let intent: SwitchIntent | undefined;
  await noteFirstStep(ctx, cluster.topo, first.name, (writer) => {
    const { kind, sourceKeyspace, targetKeyspace } = sw;
    intent = {
      ...headOf(run, plan),
      journal: sw.id,
      sources: sw.sources.map((source) => memberImage(writer, source, sw.reverseWorkflow, kind)),
      targets: sw.targets.map((target) => memberImage(writer, target, sw.workflow, kind)),
      sourceKeyspace,
      targetKeyspace,
      tables: sw.tables,
      reverseWorkflow: sw.reverseWorkflow,
      ...globalRules(writer, scope),
      cells: cellImages(writer, cells, scope),
    };
    putIntent(writer, intent);
    putStep(ctx, writer, cluster, intent, stepText(plan, first), marks);
  });
  return intent!;
}

type Head = Omit<IntentHead, 'verb'> & Pick<SwitchIntent, 'verb' | 'asked' | 'request' | 'goal'>;

function headOf({ ctx, cluster, sw, request, direction }: SwitchRun, plan: readonly PlannedStep[]): Head {
  const { dryRun: _dryRun, ...asked } = request;
  const { keyspace, workflow, tabletTypes } = request;
  const verb = request.direction === 'forward' ? 'switchtraffic' : 'reversetraffic';
  return {
    verb: 'switch',
    keyspace: sw.targetKeyspace,
    workflow: sw.workflow,
    sourceKeyspace: sw.sourceKeyspace,
    targetKeyspace: sw.targetKeyspace,
    kind: sw.kind,
    command: `${request.direction === 'forward' ? 'SwitchTraffic' : 'ReverseTraffic'} ${workflow}`,
    line: switchLine(asked, commandOf(sw.kind)),
    asked: { keyspace, workflow, verb, tabletTypes },
    request: asked,
    goal: { keyspace: direction === 'forward' ? sw.targetKeyspace : sw.sourceKeyspace, tabletTypes },
    owner: cluster.world.processes.self,
    started: cluster.world.clock.now(),
    tokens: tokensOf(ctx),
    plan: plan.map((step) => stepText(plan, step)),
  };
}

/** The command line of a switch, with what decides where it comes to. */
function switchLine({ keyspace, workflow, direction, tabletTypes, cells, enableReverseReplication, initializeSequences }: Omit<SwitchRequest, 'dryRun'>, command: string): string {
  return [
    `${command} --workflow ${workflow} --target-keyspace ${keyspace}`,
    direction === 'forward' ? 'switchtraffic' : 'reversetraffic',
    ...(tabletTypes.length === 3 ? [] : [`--tablet-types ${tabletTypes.join(',').toLowerCase()}`]),
    ...(cells.length === 0 ? [] : [`--cells ${cells.join(',')}`]),
    ...(enableReverseReplication ? [] : ['--enable-reverse-replication=false']),
    ...(initializeSequences ? ['--initialize-target-sequences'] : []),
  ].join(' ');
}

/** What the request of a switch was, also where only an older program has written it down. */
export function requestOf({ request, asked, sequences }: SwitchIntent): SwitchRequest {
  const { keyspace, workflow, verb, tabletTypes } = asked;
  const usual: SwitchRequest = {
    keyspace,
    workflow,
    direction: verb === 'switchtraffic' ? 'forward' : 'backward',
    tabletTypes,
    cells: [],
    timeoutMs: 30_000,
    maxLagMs: 30_000,
    enableReverseReplication: true,
    initializeSequences: sequences !== undefined,
    dryRun: false,
    force: false,
    shards: [],
  };
  return { ...usual, ...request };
}

function cellImages(writer: Writer, cells: readonly string[], scope: ReturnType<typeof scopeOf>): Record<string, CellImage> {
  const images: Record<string, CellImage> = {};
  for (const cell of cells) {
    const image = cellImage(writer, cell, scope);
    if (image !== undefined) images[cell] = image;
  }
  return images;
}
