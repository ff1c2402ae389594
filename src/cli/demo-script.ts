/** The demo as data: what is said, which command lines run, and how each has to end. */
export type Beat =
  | { kind: 'act'; title: string }
  | { kind: 'say'; text: string }
  | { kind: 'run'; line: readonly string[]; exit: number; keep?: RegExp }
  /** Runs the recovery commands that the command before printed, as printed. */
  | { kind: 'recover' };

const say = (text: string): Beat => ({ kind: 'say', text });
const run = (line: readonly string[], options: { exit?: number; keep?: RegExp } = {}): Beat => ({
  kind: 'run',
  line,
  exit: options.exit ?? 0,
  ...(options.keep === undefined ? {} : { keep: options.keep }),
});

const WORKFLOW = ['MoveTables', '--workflow', 'c2c', '--target-keyspace', 'customer'];
const SWITCH = [...WORKFLOW, 'switchtraffic', '--tablet-types', 'primary', '--timeout', '6s'];

/** Cluster, workflow, a lock on the target, and a row that the lock keeps from getting there. */
function blockedCutover(init: readonly string[]): Beat[] {
  return [
    run(init),
    run([...WORKFLOW, 'create', '--source-keyspace', 'commerce', '--tables', 'customer,corder'], { keep: /id=|Traffic/ }),
    run([...WORKFLOW, 'status'], { keep: /id=|Traffic/ }),
    say('Somebody locks customer on the target, and a row is written that can now not be copied there:'),
    run(['query', '--session', 'blocker', '--target', 'customer:0', 'lock tables customer read']),
    run(['query', "insert into customer (email) values ('late@example.com')"]),
  ];
}

export const DEMO: readonly Beat[] = [
  { kind: 'act', title: 'A cutover that fails and goes back' },
  ...blockedCutover(['init', 'commerce']),
  say('The cutover: source writes are stopped, the streams cannot catch up in 6 seconds, the roll-back runs under the locks of the failed call.'),
  run(SWITCH, { exit: 1 }),
  say('Writes flow to the source again:'),
  run(['query', "insert into customer (email) values ('fine@example.com')"]),

  { kind: 'act', title: 'The same on Vitess 21.0.2: vitessio/vitess#17620' },
  say('There the roll-back ran on a new context. Topology locks live in the old one, so every guarded write was refused.'),
  ...blockedCutover(['init', 'commerce', '--force', '--vitess-version', '21.0.2']),
  run(SWITCH, { exit: 1 }),
  say('The client saw one line. The application sees this:'),
  run(['query', "insert into customer (email) values ('refused@example.com')"], { exit: 1 }),
  say('And status says that nothing happened:'),
  run([...WORKFLOW, 'status'], { keep: /Traffic/ }),

  { kind: 'act', title: 'Recovery, with the commands it printed' },
  { kind: 'recover' },
  run(['query', "insert into customer (email) values ('recovered@example.com')"]),

  { kind: 'act', title: 'And now for good' },
  run(['session', 'kill', 'blocker']),
  run([...WORKFLOW, 'switchtraffic']),
  run(['query', "insert into customer (email) values ('moved@example.com')"]),
  run(['query', '--target', 'customer:0', 'select count(*) from customer']),
];
