import { same } from '../../compare.ts';
import { type Adapter, type Case, type Check, type Fields, isMap, shown, Skipped } from '../../fields.ts';
import { readWorkflowText, type SceneDefaults } from '../../scene.ts';
import { createLine, movingWorld, sceneWorld, type World } from '../../world.ts';
import { type Command, readCommandText, readFlags, SUBCOMMANDS, switchStill } from './commands.ts';
import { fails, succeeds } from './expect-answer.ts';
import { readThen } from './expect.ts';
import { stepList } from './step-lists.ts';
import { readGiven } from './given.ts';
import { setDenied } from './given-records.ts';
import type { Given } from './given-types.ts';
import { Stage } from './stage.ts';
import { readState } from './states.ts';

/** Areas whose cases give a workflow, run its commands and look at what is left. */
export const WORKFLOW_AREAS = [
  'dry_run',
  'workflow_state',
  'routing_rules',
  'denied_tables',
  'locks',
  'can_switch',
  'switch_traffic',
  'cancel_on_error',
  'cancel_complete',
  'reverse_streams',
  'movetables_create',
  'partial_migration',
  'multi_tenant',
  'mirror_traffic',
  'sequences',
  'reshard_create',
  'stream_migration',
  'srv_keyspace',
];

/** What a case is made in where it says nothing: two shards, so that what is done to each shows. */
export const WORKFLOW_DEFAULTS: SceneDefaults = { target: { name: 'targetks', shards: ['-80', '80-'] } };

/** The cluster that `given` describes, with its workflow running. */
export async function prepared(given: Given, withWorkflow = true): Promise<Stage> {
  const world: World = withWorkflow ? await movingWorld(given.scene, given.createFlags) : await sceneWorld(given.scene);
  const stage = new Stage(given.scene, world);
  for (const step of [...given.steps, ...given.late]) await step(stage);
  stage.asked = given.scene.asked;
  await stage.remember();
  return stage;
}

/** `when.workflow` has to be the workflow of `given`, or else names it. */
export function readWhenWorkflow(when: Fields, { scene, others }: Given): void {
  if (!when.has('workflow')) return;
  const named = readWorkflowText(when.str('workflow'));
  if (named === undefined) {
    scene.workflow.name = when.str('workflow');
    return;
  }
  const other = others.find((one) => one.name === named.name && one.target === named.keyspace);
  if (other !== undefined) {
    scene.asked = other;
    return;
  }
  if (named.keyspace !== scene.workflow.target) {
    const target = scene.keyspaces.find((keyspace) => keyspace.name === scene.workflow.target);
    if (target === undefined || scene.keyspaces.some((keyspace) => keyspace.name === named.keyspace)) throw new Skipped(`when.workflow is not of ${scene.workflow.target}`);
    target.name = named.keyspace;
    scene.workflow.target = named.keyspace;
  }
  scene.workflow.name = named.name;
}

async function perform(stage: Stage, given: Given, command: Command): Promise<void> {
  if (given.still && (command.sub === 'switchtraffic' || command.sub === 'reversetraffic')) {
    stage.answers.push(await switchStill(stage, command, given.flags));
    return;
  }
  const flags = given.flags.filter((flag, index, all) => command.sub.endsWith('traffic') || flag === '--lock-timeout' || all[index - 1] === '--lock-timeout');
  await stage.run(command.sub, ...command.flags, ...flags);
}

/** A case that runs one subcommand once, or once for each of `when.inputs` or `when.for_each_state`, each time anew. */
function readCommand(sub: string, more: readonly string[] = []) {
  return ({ given: fields, when, then }: Case): Check => {
    const given = readGiven(fields, WORKFLOW_DEFAULTS);
    // Such cases begin without the denied tables of a create, unless `given` has them.
    if (sub === 'mirrortraffic' && then.has('target_denied') && !fields.has('target_denied')) given.steps.push((stage) => setDenied(stage, 'target', []));
    readWhenWorkflow(when, given);
    const json = then.has('details') ? ['--format', 'json'] : [];
    const flags = [...readFlags(when, ['op', 'workflow', 'inputs', 'for_each_state', 'outcome']), ...more, ...json];
    const variants = readVariants(when);
    const outcome = when.has('outcome') ? readOutcome(when.str('outcome')) : [];
    const check = readThen(then, [], outcome.length > 0 ? fails : succeeds);
    return async () => {
      const start = await prepared(given);
      if (variants.length === 0) {
        await perform(start, given, { sub, flags: [...flags, ...outcome] });
        await check(start);
        return;
      }
      // Expectations with one entry for each input see all of them.
      const all = new Stage(given.scene, start.world);
      all.before = start.before;
      for (const variant of variants) {
        const stage = start.fork();
        await variant.prepare?.(stage);
        if (variant.prepare !== undefined) await stage.remember();
        stage.eventsBefore = stage.world.events.length;
        await perform(stage, given, { sub, flags: [...flags, ...variant.flags] });
        all.answers.push(...stage.answers);
        all.inputs.push(stage);
        if (!LISTED.some((name) => then.has(name))) await check(stage);
      }
      if (LISTED.some((name) => then.has(name))) await check(all);
    };
  };
}

/** Expectations that are lists with one entry for each input. */
const LISTED = ['named_lock', 'details_count', 'summary_patterns'];

interface Variant {
  flags: string[];
  prepare?: (stage: Stage) => Promise<void>;
}

function readVariants(when: Fields): Variant[] {
  if (when.has('for_each_state')) return when.strings('for_each_state').map((state) => ({ flags: [], prepare: readState(state) }));
  if (!when.has('inputs')) return [];
  return when.list('inputs').map((input, index): Variant => {
    if (Array.isArray(input)) return { flags: ['--tablet-types', input.join(',')] };
    if (!isMap(input)) throw new Skipped(`when.inputs[${index}] is not known: ${shown(input)}`);
    return { flags: readFlags(when.inner(input, `inputs[${index}]`)) };
  });
}

/** What is to become of a command: faults that bring it about. */
function readOutcome(text: string): string[] {
  if (text === 'catch-up times out') return ['--fault', 'switchTraffic/writes/waitForCatchup:before=error(DEADLINE_EXCEEDED)'];
  throw new Skipped(`when.outcome is not known: ${text}`);
}

/** A list of commands in words, with what is expected after each. */
function readSequence({ given: fields, when, then }: Case): Check {
  const given = readGiven(fields, WORKFLOW_DEFAULTS);
  const texts = when.strings('commands');
  const commands = texts.map((text) => readCommandText(text, given.scene.cells));
  const steps = then.has('steps') ? then.maps('steps') : [];
  if (steps.length > 0 && steps.length !== commands.length) throw new Skipped('then.steps has not one entry for each command');
  const checks = steps.map((step, index) => {
    if (step.has('command') && step.str('command') !== texts[index]) throw new Skipped(`then.steps[${index}].command is not ${texts[index]}`);
    return readThen(step, ['command']);
  });
  const lists = then.names.flatMap((name) => {
    const look = stepList(name);
    return look === undefined ? [] : [{ name, look, expected: then.list(name), got: [] as unknown[] }];
  });
  const complete = then.has('then_complete') ? readThen(then.map('then_complete')) : undefined;
  const last = readThen(then, ['steps', 'then_complete', ...lists.map(({ name }) => name)]);
  const create = commands[0]?.sub === 'create';
  return async () => {
    const start = await prepared(given, !create);
    const all = new Stage(start.scene, start.world);
    all.before = start.before;
    for (const [index, command] of commands.entries()) {
      const stage = new Stage(start.scene, start.world);
      await stage.remember();
      if (command.sub === 'create') stage.answers.push(await stage.world.run(...createLine(start.scene), ...command.flags, ...given.createFlags));
      else await perform(stage, given, command);
      // A command of which nothing is said has to do what it does; an error is expected of the last one alone.
      if (checks[index] === undefined && index < commands.length - 1) await succeeds(stage);
      await checks[index]?.(stage);
      if (index === 0 && create) await stage.world.pump();
      for (const { look, got } of lists) got.push(await look(stage));
      all.answers.push(...stage.answers);
    }
    for (const { name, expected, got } of lists) same(expected, got, name);
    if (complete !== undefined) {
      const stage = new Stage(start.scene, start.world);
      await stage.remember();
      await stage.run('complete');
      await complete(stage);
    }
    await last(all);
  };
}

/** The command line of `when.cli`, run to the letter. */
function readCli(sub: string) {
  return (one: Case): Check => {
    if (!one.when.has('cli')) return readCommand(sub)(one);
    const { given: fields, when, then } = one;
    const given = readGiven(fields, WORKFLOW_DEFAULTS);
    const line = when.str('cli').split(' ');
    readFlags(when, ['op', 'cli']);
    const check = readThen(then);
    return async () => {
      const stage = await prepared(given);
      stage.answers.push(await stage.world.run(...line));
      await check(stage);
    };
  };
}

/** Several dry runs, one after the other: `[SwitchTraffic dry run, ReverseTraffic dry run]`. */
function readDryRuns({ op, given: fields, when, then }: Case): Check {
  const given = readGiven(fields, WORKFLOW_DEFAULTS);
  readWhenWorkflow(when, given);
  const subs = op.split(' + ').map((part) => SUBCOMMANDS[part.replace(/ dry run$/, '')]);
  const check = readThen(then);
  return async () => {
    const stage = await prepared(given);
    for (const sub of subs) {
      if (sub === 'reversetraffic') {
        const switched = stage.fork();
        await switched.prepare('switchtraffic');
        stage.answers.push(await switched.run(sub, '--dry-run'));
      } else await perform(stage, given, { sub: sub!, flags: ['--dry-run'] });
    }
    await check(stage);
  };
}

/** Reads of a workflow's state: nothing is run. */
function readGetState({ area, given: fields, when, then }: Case): Check {
  const partial = then.has('partial') ? then.bool('partial') : undefined;
  const given = readGiven(fields, area === 'partial_migration' && !fields.has('source_shards') ? { ...WORKFLOW_DEFAULTS, movedShards: ['-80'] } : WORKFLOW_DEFAULTS);
  const named = when.has('workflow') ? readWorkflowText(when.str('workflow')) : undefined;
  const other = then.has('is_reverse') ? then.bool('is_reverse') : undefined;
  const check = readThen(then, ['is_reverse', 'partial']);
  return async () => {
    const stage = await prepared(given);
    if (partial !== undefined) same(partial, stage.scene.workflow.sourceShards !== undefined, 'partial');
    const scene = structuredClone(stage.scene);
    if (named !== undefined) Object.assign(scene.workflow, { target: named.keyspace, name: named.name });
    if (other !== undefined && other !== scene.workflow.name.endsWith('_reverse')) throw new Skipped('then.is_reverse does not follow from the name');
    await check(Object.assign(new Stage(scene, stage.world), { before: stage.before }));
  };
}

/** `switch writes`, `switch reads`, `reverse reads`, `switch writes with …`. */
function readEngineSwitch(sub: string, types: string[]) {
  return ({ given: fields, when, then }: Case): Check => {
    const given = readGiven(fields, WORKFLOW_DEFAULTS);
    readWhenWorkflow(when, given);
    const flags = [...(types.length > 0 && !when.has('tablet_types') ? ['--tablet-types', types.join(',')] : []), ...readFlags(when, ['op', 'workflow'])];
    const check = readThen(then);
    return async () => {
      // What a test of the engine calls: below the checks of the server.
      const stage = await prepared(given);
      // A fault can only strike a command.
      if (given.flags.includes('--fault')) await perform(stage, given, { sub, flags });
      else stage.answers.push(await switchStill(stage, { sub, flags }, given.flags, 'unchecked'));
      await check(stage);
    };
  };
}

/** A subcommand whose flags stand in the operation: `SwitchTraffic --tablet-types primary`. */
function readWordsCommand(one: Case): Check {
  const [first = '', ...flags] = one.op.replace(/^cli /, '').split(' ');
  return readCommand(SUBCOMMANDS[first]!, flags)(one);
}

export const workflowAdapters: readonly Adapter[] = [
  { area: WORKFLOW_AREAS, op: 'sequence', read: readSequence },
  { area: WORKFLOW_AREAS, op: 'GetWorkflowState', read: readGetState },
  { area: WORKFLOW_AREAS, op: /^(?:SwitchTraffic|ReverseTraffic) dry run(?: \+ (?:SwitchTraffic|ReverseTraffic) dry run)*$/, read: readDryRuns },
  { area: WORKFLOW_AREAS, op: 'SwitchTraffic', read: readCli('switchtraffic') },
  { area: WORKFLOW_AREAS, op: 'ReverseTraffic', read: readCli('reversetraffic') },
  { area: WORKFLOW_AREAS, op: 'MirrorTraffic', read: readCli('mirrortraffic') },
  { area: WORKFLOW_AREAS, op: 'Complete', read: readCli('complete') },
  { area: WORKFLOW_AREAS, op: 'Cancel', read: readCli('cancel') },
  { area: WORKFLOW_AREAS, op: /^(?:cli )?(?:SwitchTraffic|ReverseTraffic|MirrorTraffic|Complete|Cancel) --/, read: readWordsCommand },
  { area: WORKFLOW_AREAS, op: 'cli SwitchTraffic (text format)', read: readCommand('switchtraffic') },
  { area: WORKFLOW_AREAS, op: 'cli ReverseTraffic (text format)', read: readCommand('reversetraffic') },
  { area: WORKFLOW_AREAS, op: 'switch writes', read: readEngineSwitch('switchtraffic', ['PRIMARY']) },
  { area: WORKFLOW_AREAS, op: 'switch reads', read: readEngineSwitch('switchtraffic', ['REPLICA', 'RDONLY']) },
  { area: WORKFLOW_AREAS, op: 'reverse reads', read: readEngineSwitch('reversetraffic', ['REPLICA', 'RDONLY']) },
];
