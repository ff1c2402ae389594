/** A good scenario, of which each bad one is made. */
export const GOOD = `scenario: good
about: a switch that fails
issue: 17620
given:
  cluster: commerce
  seed: 7
  run:
    - MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder
cases:
  - { vitess: hardened, exit: 1 }
  - { vitess: v21.0.2, exit: 1 }
steps:
  - snapshot: before
  - name: the switch
    run: MoveTables --workflow c2c --target-keyspace customer switchtraffic
    faults: { switchTraffic/writes/waitForCatchup: return(DEADLINE_EXCEEDED) }
    expect:
      exit: '\${exit}'
      stderr: { contains: failed }
      took: { max: 1m }
  - wait: 5s
  - eventually: { within: 10s, locks: [] }
  - when: { vitess: hardened }
    expect: { unchanged: before }
always: { locks: [] }
`;

/** One change to the good file: what is replaced, by what. The error has to name its place and hold the words. */
interface Mutation {
  name: string;
  text: string | Uint8Array;
  place: string;
  says: string;
}

function change(name: string, from: string, to: string, place: string, says: string): Mutation {
  if (!GOOD.includes(from)) throw new Error(`not in the file: ${from}`);
  return { name, text: GOOD.replace(from, () => to), place, says };
}

const whole = (name: string, text: string | Uint8Array, place: string, says: string): Mutation => ({ name, text, place, says });
const RUN = 'run: MoveTables --workflow c2c --target-keyspace customer switchtraffic';
const line = (name: string, command: string, says: string): Mutation => change(name, RUN, `run: ${command}`, '15:10', says);
const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]', ...Array.from({ length: 9 }, (_, i) => `${'bcdefghij'[i]}: &${'bcdefghij'[i]} [${Array.from({ length: 9 }, () => `*${'abcdefghi'[i]}`).join(',')}]`)].join('\n');

export const MALFORMED: readonly Mutation[] = [
  // wrong kinds of value
  change('a list as name', 'scenario: good', 'scenario: [good]', '1:11', '"scenario" has to be text, not a list'),
  change('an empty name', 'scenario: good', "scenario: ''", '1:11', 'empty'),
  change('a number as text', 'about: a switch that fails', 'about: 5', '2:8', '"about" has to be text, not 5'),
  change('a map as issue', 'issue: 17620', 'issue: { a: 1 }', '3:8', '"issue"'),
  change('given is a text', /given:[\s\S]*?(?=cases:)/.exec(GOOD)![0], 'given: commerce\n', '4:8', '"given" has to be a map, not "commerce"'),
  change('steps is a map', /steps:[\s\S]*(?=always)/.exec(GOOD)![0], 'steps: { run: a }\n', '12:8', '"steps" has to be a list, not a map'),
  change('no steps', /steps:[\s\S]*(?=always)/.exec(GOOD)![0], 'steps: []\n', '12:8', '"steps" must not be empty'),
  change('a step is a text', '- snapshot: before', '- snapshot', '13:5', '"steps[0]" has to be a map, not "snapshot"'),
  change('a step is nothing', '- snapshot: before', '-', '13:', '"steps[0]" has to be a map, not empty'),
  change('exit is a word', "exit: '${exit}'", 'exit: one', '18:13', '"steps[1].expect.exit" has to be'),
  change('exit is too large', "exit: '${exit}'", 'exit: 256', '18:13', '"steps[1].expect.exit"'),
  change('exit is negative', "exit: '${exit}'", 'exit: -1', '18:13', '"steps[1].expect.exit"'),
  change('exit is a fraction', "exit: '${exit}'", 'exit: 1.5', '18:13', '"steps[1].expect.exit"'),
  change('a list of exits is empty', "exit: '${exit}'", 'exit: []', '18:13', '"steps[1].expect.exit"'),
  change('stderr is a number', 'stderr: { contains: failed }', 'stderr: 5', '19:15', '"steps[1].expect.stderr"'),
  change('contains is a map', 'contains: failed', 'contains: { a: 1 }', '19:27', '"steps[1].expect.stderr.contains"'),
  change('faults is a list', /faults: (.*)/.exec(GOOD)![1]!, '[a]', '16:13', '"steps[1].faults" has to be a map'),
  change('a fault is a list', 'return(DEADLINE_EXCEEDED)', '[a]', '16:', '"steps[1].faults.switchTraffic/writes/waitForCatchup" has to be'),
  change('recover is false', '- wait: 5s', '- recover: false', '21:14', '"steps[2].recover"'),
  change('one in parallel', '- wait: 5s', '- parallel: [{ run: GetKeyspaces }]', '21:15', '"steps[2].parallel" needs 2 entries or more'),
  change('cases is empty', '  - { vitess: hardened, exit: 1 }\n  - { vitess: v21.0.2, exit: 1 }\n', '', '', '"cases" has to be a list'),
  change('served is a guess', 'unchanged: before', 'writes: { customer: maybe }', '24:35', '"steps[4].expect.writes.customer" has to be'),
  change('rows is negative', 'unchanged: before', 'rows: { customer: -1 }', '24:33', '"steps[4].expect.rows.customer"'),
  change('seed is negative', 'seed: 7', 'seed: -7', '6:9', '"given.seed" has to be 0 or more'),
  change('rows in words', 'seed: 7', 'rows: many', '6:9', '"given.rows" has to be a number, not "many"'),
  // keys
  change('an unknown key at the top', 'about: a', 'abuot: a', '2:1', 'unknown key "abuot"; did you mean "about"?'),
  change('an unknown key in given', 'seed: 7', 'sede: 7', '6:3', 'did you mean "seed"?'),
  change('an unknown key in a step', '- wait: 5s', '- wiat: 5s', '21:5', 'did you mean "wait"?'),
  change('an unknown key in expect', '      took:', '      tooks:', '20:7', 'did you mean "took"?'),
  change('an unknown key in a text test', 'contains: failed', 'containz: failed', '19:17', 'did you mean "contains"?'),
  change('an unknown key in limits', '{ max: 1m }', '{ most: 1m }', '20:15', 'unknown key "most"'),
  change('an unknown key in always', 'always: { locks', 'always: { lokcs', '25:11', 'did you mean "locks"?'),
  change('an unknown key in eventually', 'within: 10s, locks', 'within: 10s, lcks', '22:32', 'did you mean "locks"?'),
  change('no name', 'scenario: good\n', '', '1:', '"scenario" is missing'),
  change('no cluster', '  cluster: commerce\n', '', '5:', '"given.cluster" is missing'),
  change('no within', 'within: 10s, ', '', '22:', '"steps[3].eventually.within" is missing'),
  change('a key twice', 'about: a', 'scenario: b\nabout: a', '2:1', 'this key was given before'),
  change('a key called __proto__', 'about: a', '__proto__: a', '2:1', 'unknown key "__proto__"'),
  // YAML
  whole('an empty file', '', '1:1', 'the file has to be a map, not empty'),
  whole('comments alone', '# nothing\n', '1:', 'the file has to be a map, not empty'),
  whole('a text', 'just words\n', '1:1', 'the file has to be a map, not "just words"'),
  whole('two documents', `${GOOD}---\n${GOOD}`, '26:', 'one document a file'),
  whole('a tab', 'scenario: a\n\tabout: b\n', '2:', 'bad YAML'),
  change('a bracket left open', '{ contains: failed }', '{ contains: failed', '20:', 'bad YAML'),
  change('a quote left open', 'scenario: good', "scenario: 'good", '', 'bad YAML'),
  change('a tag', 'about: a', 'about: !!js/function a', '2:', 'tags (!name) are not used here'),
  change('a tag of ours', 'about: a', 'about: !env HOME', '2:', 'tags (!name) are not used here'),
  change('an unknown alias', 'about: a switch that fails', 'about: *nobody', '2:8', 'no anchor'),
  change('a cycle', 'unchanged: before', 'keyspace: &k { a: *k }', '24:', 'contains itself'),
  whole('a bomb of aliases', `scenario: x\n${bomb}\n`, '', 'more than 100000 values'),
  whole('deep nesting', `scenario: ${'['.repeat(500)}${']'.repeat(500)}\n`, '1:', 'nested deeper'),
  whole('very deep nesting', `scenario: ${'['.repeat(100_000)}`, '1:', ''),
  change('a huge number', 'seed: 7', 'seed: 99999999999999999999', '6:9', 'too large'),
  change('NaN', 'seed: 7', 'seed: .nan', '6:9', 'not a number'),
  change('Infinity', 'seed: 7', 'seed: .inf', '6:9', 'not a number'),
  change('a key that is a list', 'about: a', '[a, b]: a', '2:1', 'keys are plain words'),
  whole('not UTF-8', Buffer.concat([Buffer.from('scenario: a\nabout: '), Buffer.from([0xff, 0xfe])]), '2:8', 'not UTF-8'),
  whole('UTF-16', Buffer.from(`\ufeff${GOOD}`, 'utf16le'), '1:1', 'not UTF-8'),
  whole('a NUL in a name', GOOD.replace('good', 'go\u0000od'), '1:', ''),
  whole('10 MB', `${GOOD}# ${'x'.repeat(10 * 1024 * 1024)}`, '1:1', 'larger than 4 MB'),
  whole('binary', Buffer.from([0x53, 0x51, 0x4c, 0x69, 0x74, 0x65, 0x00, 0x10, 0x00]), '1:', ''),
  // values with a grammar
  change('a bad duration', 'wait: 5s', 'wait: soon', '21:11', 'not a duration'),
  change('a duration without a unit', 'wait: 5s', 'wait: 5', '21:11', '"steps[2].wait" has to be a duration such as 500ms or 2m, not 5'),
  change('a negative duration', 'wait: 5s', 'wait: -5s', '21:11', 'negative'),
  change('a bad regular expression', 'contains: failed', "matches: '(['", '19:26', 'not a regular expression'),
  change('an unknown step', 'switchTraffic/writes/waitForCatchup:', 'switchTraffic/writes/waitForCatchUps:', '16:', 'there is no step'),
  change('an unknown action', 'return(DEADLINE_EXCEEDED)', 'explode', '16:', 'unknown action "explode"'),
  change('an unknown code', 'return(DEADLINE_EXCEEDED)', 'return(LATE)', '16:', '"LATE" is not a vtrpc code'),
  change('an occurrence too many', 'waitForCatchup:', 'waitForCatchup#9:', '16:', 'occurs'),
  change('an unknown release', 'vitess: v21.0.2', 'vitess: v99', '', 'v99'),
  change('an unknown example', 'cluster: commerce', 'cluster: comerce', '5:12', 'did you mean "commerce"?'),
  change('a snapshot that nobody took', 'unchanged: before', 'unchanged: after', '24:', 'no step before this one takes the snapshot "after"'),
  // lines
  line('an unknown command', 'MoveTable create', 'unknown command'),
  line('an unknown flag', 'GetKeyspaces --all', 'unknown flag: --all'),
  line('a pipe', 'GetKeyspaces | cat', 'a pipe'),
  line('a redirection', 'GetKeyspaces > out', 'a redirection'),
  line('a second command', 'GetKeyspaces; GetKeyspaces', 'a second command'),
  line('a variable', 'GetKeyspace $KEYSPACE', 'a variable'),
  line('a substitution', "'GetKeyspace `x`'", 'another command'),
  line('an open quote', "GetKeyspace 'a", 'a single quote is not closed'),
  line('an open double quote', 'GetKeyspace "a', 'a double quote is not closed'),
  line('a state of its own', 'GetKeyspaces --state /tmp/x', '--state has no place in a scenario'),
  line('a scenario in a scenario', 'run .', '"run" cannot be a line of a scenario'),
  line('lint', 'lint .', '"lint" cannot be a line of a scenario'),
  line('explain', 'explain a.swt.yaml', '"explain" cannot be a line of a scenario'),
  line('the demo', 'demo', '"demo" cannot be a line of a scenario'),
  line('a file above', 'ApplyRoutingRules --rules-file ../rules.json', "outside of the scenario's folder"),
  line('an absolute file', 'ApplyRoutingRules --rules-file /etc/passwd', "outside of the scenario's folder"),
  line('a file behind a link', 'ApplyRoutingRules --rules-file link/rules.json', "outside of the scenario's folder"),
  line('a file that is not there', 'ApplyRoutingRules --rules-file rules.json', 'there is no file rules.json'),
  change('a golden file above', 'contains: failed', 'golden: ../../secret', '19:25', "outside of the scenario's folder"),
  change('an absolute golden file', 'contains: failed', 'golden: /etc/passwd', '19:25', "outside of the scenario's folder"),
  change('a golden file behind a link', 'contains: failed', 'golden: link/x', '19:25', "outside of the scenario's folder"),
  change('a cluster file above', 'cluster: commerce', 'cluster: ../cluster.yaml', '5:12', "outside of the scenario's folder"),
  change('a cluster file that is not there', 'cluster: commerce', 'cluster: ./cluster.yaml', '5:12', 'there is no file'),
  // cases and steps that do not fit together
  change('a value that no case has', "'${exit}'", "'${exitt}'", '18:13', 'did you mean ${exit}?'),
  change('when on an unknown value', 'when: { vitess: hardened }', 'when: { version: hardened }', '23:', 'no case has a value "version"'),
  change('two actions', '- wait: 5s', '- wait: 5s\n    snapshot: b', '21:5', 'wait and snapshot; a step does one thing'),
  change('no action', '- wait: 5s', '- name: rest', '21:5', 'does nothing'),
  change('faults without a run', '- wait: 5s', '- wait: 5s\n    faults: { a: return }', '21:5', 'without a run'),
  change('a test of a command without one', 'unchanged: before', 'stdout: x', '24:', 'a test of a command'),
];
