import { z } from 'zod';
import { parseDuration } from '../../lib/duration.ts';
import { errorText } from '../../lib/errors.ts';
import { CHOSEN_IMPLEMENTATIONS } from '../../topo/conn/implementations.ts';

/**
 * The format of a scenario file, in one place: what is read, what `lint` says, the JSON Schema for editors and the
 * table in docs/scenarios.md all come from here.
 */

/** A Go duration as text; milliseconds once read. */
const duration = z.string({ error: 'has to be a duration such as 500ms or 2m' }).transform((text, context) => {
  try {
    const ms = parseDuration(text);
    if (ms >= 0) return ms;
  } catch (error) {
    context.addIssue({ code: 'custom', message: `is not a duration such as 500ms or 2m: ${errorText(error)}` });
    return z.NEVER;
  }
  context.addIssue({ code: 'custom', message: 'is a negative duration' });
  return z.NEVER;
});

/** YAML reads 21 as a number. */
const version = z.union([z.string().min(1), z.number()]).transform(String);

const words = z.union([z.string(), z.array(z.string())]);
const regex = z.string().transform((text, context) => {
  try {
    return new RegExp(text, 'm');
  } catch {
    context.addIssue({ code: 'custom', message: 'is not a regular expression' });
    return z.NEVER;
  }
});

const textTest = z.strictObject({
  equals: z.string().optional().describe('the whole text, the line break at its end apart'),
  contains: words.optional().describe('text that has to be there; a list: all of it'),
  lacks: words.optional().describe('text that must not be there'),
  matches: regex.optional().describe('a regular expression (JavaScript), tried on the whole text; ^ and $ are those of a line'),
  golden: z.string().optional().describe('a file with the whole text, beside the scenario; `run --update` writes it'),
});
const text = z.union([z.string(), textTest]).describe('a text: the whole of it, or a map of tests');

/** Any value; compared as a tree, of which only what is named has to be there. */
const tree = z.unknown().optional();
const trees = z.record(z.string(), z.unknown());

const count = z.union([z.int().min(0), z.strictObject({ min: z.int().min(0).optional(), max: z.int().min(0).optional() })]);
const limits = z.strictObject({ min: duration.optional(), max: duration.optional() });

const served = z.union([
  z.enum(['pass', 'refused']),
  z.strictObject({ refused: text }),
]);

const unchanged = z.union([
  z.string(),
  z.strictObject({
    since: z.string().describe('name of a snapshot'),
    except: words.optional().describe('parts that may differ: paths as the difference prints them, `*` for any part'),
  }),
]);

const stateTests = {
  keyspace: trees.optional().describe('keyspaces by name, as `show keyspace --format json` prints them'),
  shard: trees.optional().describe('shards by keyspace/shard, as `show shard --format json` prints them'),
  tablet: trees.optional().describe('tablets by alias (zone1-100), as `show tablet --format json` prints them'),
  workflow: trees.optional().describe('workflows by keyspace.workflow, as `show workflow --format json` prints them; null: there is none'),
  stream: trees.optional().describe('the stream of keyspace.workflow; where there are several, of keyspace.workflow/shard, or of `keyspace.workflow/shard from keyspace/shard`'),
  locks: tree.describe('the topology locks, as `show locks --format json` prints them, without those whose lease has run out; [] is none'),
  sessions: tree.describe('open sessions, as `show sessions --format json` prints them'),
  routing: trees.optional().describe('where a table leads: `customer: commerce.customer`, for reads `customer@replica: …`, as the cells publish it'),
  rules: trees.optional().describe('saved routing rules: `customer: [commerce.customer]`; null: there is none'),
  shardRules: trees.optional().describe('saved shard routing rules: `customer/80-: customer2`; null: there is none'),
  keyspaceRules: trees.optional().describe('saved keyspace routing rules: `s1@replica: s2`; null: there is none'),
  denied: trees.optional().describe('tables that a shard denies its primaries: `commerce/0: [corder, customer]`'),
  serving: trees.optional().describe('the shards that a keyspace\'s queries go to: `customer: [-80, 80-]`, for reads `customer@replica: …`, as the cells publish it'),
  disabled: trees.optional().describe('the tablet types for which the query service of a shard is off: `customer/-80: [PRIMARY]`, as the cells publish it'),
  journals: trees.optional().describe('how many journals a shard has: `commerce/0: 1`'),
  intents: tree.describe('switches that `hardened` has written down and not finished'),
  writes: z.record(z.string(), served).optional().describe('routed writes of a table: pass or refused'),
  reads: z.record(z.string(), served).optional().describe('routed reads of a table (`customer`, `customer@replica`): pass or refused'),
  rows: z
    .record(z.string(), count)
    .optional()
    .describe('how many rows: of a table as routed (`customer`), in a keyspace (`commerce.customer`) or on one shard (`commerce/0.customer`)'),
  unchanged: unchanged.optional().describe('everything is as it was at a snapshot'),
};

const state = z.strictObject(stateTests);

const expectation = z.strictObject({
  exit: z
    .union([z.int().min(0).max(255), z.array(z.int().min(0).max(255)).min(1)])
    .optional()
    .describe('exit status, or a list of those allowed; 0 when not given'),
  stdout: text.optional().describe('what the command printed on stdout'),
  stderr: text.optional().describe('what the command printed on stderr'),
  json: tree.describe('the JSON document on stdout, as a tree'),
  fired: z.record(z.string(), count).optional().describe('how often each fault fired; without it, once at least'),
  took: limits.optional().describe("how long the command took on the scenario's clock"),
  outage: limits.optional().describe('how long writes of a table were refused, at the longest'),
  workload: tree.describe("the workload's report; stops the workload and checks its rows"),
  ...stateTests,
});

const faults = z
  .record(z.string(), z.union([z.string(), z.number()]).transform(String))
  .describe('faults for this command: the point, and what happens there');

const command = {
  run: z.string().min(1).describe('a command line of switchtraffic, as one would type it; the program name may stand in front'),
  faults: faults.optional(),
  vitess: version.optional().describe('run this one command as another release'),
};

const parallel = z
  .strictObject({
    name: z.string().optional(),
    after: duration.optional().describe("start this much later, on the scenario's clock"),
    ...command,
    run: command.run.optional(),
    release: z.string().min(1).optional().describe('wait until another command pauses at this step (patterns as in faults), and let it go on'),
    expect: expectation.optional(),
  })
  .superRefine((value, context) => {
    if ((value.run === undefined) === (value.release === undefined)) context.addIssue({ code: 'custom', message: 'needs either run or release' });
    if (value.release !== undefined && (value.faults ?? value.vitess ?? value.expect) !== undefined) {
      context.addIssue({ code: 'custom', message: 'releases a pause; only after and name go with that' });
    }
  });

const step = z
  .strictObject({
    name: z.string().optional().describe('a title for reports'),
    when: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('only in cases with these values; a list: one of them'),
    run: command.run.optional(),
    faults: command.faults,
    vitess: command.vitess,
    wait: duration.optional().describe("let time pass on the scenario's clock"),
    snapshot: z.string().min(1).optional().describe('remember the state under this name'),
    recover: z
      .union([z.literal(true), z.strictObject({ commands: z.int().min(1) })])
      .optional()
      .describe('run the recovery commands that the last failed command printed, word for word; each has to end with 0'),
    parallel: z.array(parallel).min(2).optional().describe('commands run at once, each as a process of its own, and pauses let go'),
    eventually: z
      .strictObject({ within: duration.describe('how long it may take'), ...stateTests })
      .optional()
      .describe("has to become true, looked at once a second on the scenario's clock"),
    expect: expectation.optional().describe('what has to be true after the step'),
  })
  .superRefine((value, context) => {
    const actions = ACTIONS.filter((action) => value[action] !== undefined);
    if (actions.length > 1) context.addIssue({ code: 'custom', message: `has ${actions.join(' and ')}; a step does one thing` });
    if (actions.length === 0 && value.expect === undefined) {
      context.addIssue({ code: 'custom', message: `does nothing; a step has one of ${ACTIONS.join(', ')}, or expect` });
    }
    if (value.run === undefined && (value.faults ?? value.vitess) !== undefined) {
      context.addIssue({ code: 'custom', message: 'has faults or a version without a run that they are for' });
    }
    const wrong = value.run === undefined ? COMMAND_TESTS.find((test) => value.expect?.[test] !== undefined) : undefined;
    if (wrong !== undefined) context.addIssue({ code: 'custom', path: ['expect', wrong], message: 'is a test of a command; this step runs none' });
  });

/** What a step can do. */
export const ACTIONS = ['run', 'wait', 'snapshot', 'recover', 'parallel', 'eventually'] as const;
const COMMAND_TESTS = ['exit', 'stdout', 'stderr', 'json', 'fired', 'took'] as const;

const rate = z.string().regex(/^\d+(?:\.\d+)?\/[smh]$/, { error: 'is not a rate such as 50/s' });

const workload = z.strictObject({
  writers: z.int().min(0).max(1000).optional().describe('how many write; 1 when neither writers nor readers are given'),
  readers: z.int().min(0).max(1000).optional().describe('how many read'),
  rate: rate.optional().describe('statements of all writers together, and again of all readers, such as 50/s; 20/s when not given'),
  table: words.optional().describe('the tables that are written; every one that can be when not given'),
  values: z
    .record(z.string().min(1), z.union([z.string(), z.number()]))
    .optional()
    .describe('what every row holds in some columns, such as the id of a tenant'),
  'enable-buffer': z.boolean().optional().describe('the gate holds statements back while a cutover runs'),
});

const given = z.strictObject({
  cluster: z.string().min(1).describe('the name of an example, or a cluster file'),
  vitess: z
    .union([version, z.array(version).min(1)])
    .optional()
    .describe('a release, or a list: the scenario is run once for each; hardened when not given'),
  'topo-implementation': z
    .enum(CHOSEN_IMPLEMENTATIONS, { error: `has to be one of ${CHOSEN_IMPLEMENTATIONS.join(', ')}` })
    .optional()
    .describe("the topology server whose locks the release has: etcd2 when not given; not for hardened, which has its own"),
  seed: z.int().min(0).max(0x7fffffff).optional().describe('where chance starts; 1 when not given'),
  rows: z.int().min(0).max(10_000_000).optional().describe("rows in each table of an example (init's --rows)"),
  run: z.array(z.string().min(1)).optional().describe('command lines that make the state to begin with; each has to end with 0'),
  workload: workload.optional().describe('an application that writes and reads meanwhile'),
});

/** One scenario file. */
export const scenarioSchema = z.strictObject({
  scenario: z.string().min(1).describe('its name'),
  about: z.string().optional().describe('what it shows, for people'),
  issue: z
    .union([z.string(), z.number(), z.array(z.union([z.string(), z.number()]))])
    .optional()
    .describe('the issue it stems from'),
  given,
  cases: z
    .array(z.record(z.string(), z.unknown()))
    .min(1)
    .optional()
    .describe('one run for each; their values stand in the file as ${name}. `vitess` is the release of the case'),
  steps: z.array(step).min(1).describe('what happens, in order'),
  always: state.optional().describe('has to be true after every step'),
});

export type ScenarioDoc = z.infer<typeof scenarioSchema>;
export type ScenarioStep = z.infer<typeof step>;
export type ParallelStep = z.infer<typeof parallel>;
export type Expectation = z.infer<typeof expectation>;
export type StateTests = z.infer<typeof state>;
export type TextTest = z.infer<typeof text>;
export type WorkloadGiven = z.infer<typeof workload>;
export type Count = z.infer<typeof count>;
export type Served = z.infer<typeof served>;

/** The kinds of state test, by key. */
export const STATE_TESTS = Object.keys(stateTests) as (keyof StateTests)[];
