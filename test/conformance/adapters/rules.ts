import { saveRoutingRules } from '../../../src/topo/rules.ts';
import { paths } from '../../../src/topo/paths.ts';
import { readError, same } from '../compare.ts';
import { type Adapter, type Case, type Check, Fields, isMap, shown, Skipped, texts } from '../fields.ts';
import { topoWorld } from '../topo-world.ts';
import type { Answer, World } from '../world.ts';
import { textMap } from './workflow/given-records.ts';

/** Rules that are applied and read by their commands. */

const NO_ERROR = readError(new Fields({ error: null }, 'then'))!;

interface RuleKind {
  apply: string;
  get: string;
  /** A map as the case writes it, as the record in JSON. */
  record(map: unknown): object;
  read(world: World): Promise<unknown>;
}

const TABLES: RuleKind = {
  apply: 'ApplyRoutingRules',
  get: 'GetRoutingRules',
  record: (map) => {
    if (!isMap(map)) throw new Skipped(`not a mapping of rules: ${shown(map)}`);
    return { rules: Object.entries(map).map(([from, to]) => ({ from_table: from, to_tables: texts(to, from) })) };
  },
  read: (world) => world.routingRules(),
};

const KEYSPACES: RuleKind = {
  apply: 'ApplyKeyspaceRoutingRules',
  get: 'GetKeyspaceRoutingRules',
  record: (map) => ({ rules: Object.entries(textMap(map, 'rules')).map(([from, to]) => ({ from_keyspace: from, to_keyspace: to })) }),
  read: (world) => world.keyspaceRoutingRules(),
};

/** One `{apply: …}` after the other. */
function readApplies(kind: RuleKind, field: string) {
  return ({ given, when, then }: Case): Check => {
    const cells = given.strings('cells', ['zone1']);
    const commands = when.maps('commands').map((command) => {
      const rules = command.raw('apply');
      const rebuild = command.strings('rebuild_cells', []);
      const words = [...(rebuild.length > 0 ? ['--cells', rebuild.join(',')] : []), ...(command.bool('skip_rebuild', false) ? ['--skip-rebuild'] : [])];
      return { rules, words: [kind.apply, '--rules', JSON.stringify(kind.record(rules)), ...words] };
    });
    const whole = readError(then);
    const echoes = then.has('response_echoes_rules') ? then.bool('response_echoes_rules') : undefined;
    const steps = then.has('steps') ? then.maps('steps') : commands.map(() => undefined);
    if (steps.length !== commands.length) throw new Skipped('then.steps has not one entry for each command');
    const checks = steps.map((step) => ({
      error: (step === undefined ? whole : readError(step)) ?? NO_ERROR,
      rules: step?.has(field) === true ? step.raw(field) : undefined,
    }));
    return async () => {
      const world = await topoWorld(cells);
      for (const [index, { rules, words }] of commands.entries()) {
        const answer = await world.run(...words);
        const { error, rules: expected } = checks[index]!;
        error(answer.failure);
        if (expected !== undefined) same(expected, await kind.read(world), `steps[${index}].${field}`);
        if (echoes !== undefined) same(echoes, echoesRules(answer, kind.record(rules)), `response_echoes_rules of command ${index + 1}`);
        if (echoes !== undefined && answer.failure === undefined) same(rules, await kind.read(world), `the rules after command ${index + 1}`);
      }
    };
  };
}

/** Whether the answer prints the rules that were applied, in any order. */
function echoesRules({ stdout }: Answer, record: object): boolean {
  // Some are printed as they are, others in an answer that has them in a field.
  const whole = jsonIn(stdout);
  const printed = isMap(whole) && isMap(whole['keyspace_routing_rules']) ? whole['keyspace_routing_rules'] : whole;
  const rules = (value: unknown): string => JSON.stringify((isMap(value) && Array.isArray(value['rules']) ? value['rules'] : []).map((rule) => JSON.stringify(sortedKeys(rule))).toSorted());
  return printed !== undefined && rules(printed) === rules(record);
}

function sortedKeys(value: unknown): unknown {
  return isMap(value) ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) : value;
}

/** The JSON object that stands in a text. */
function jsonIn(text: string): unknown {
  const start = text.indexOf('{');
  const end = text.lastIndexOf('}');
  return start < 0 || end < start ? undefined : JSON.parse(text.slice(start, end + 1));
}

function readGet({ given, then }: Case): Check {
  const node = given.has('routing_rules_node') ? given.str('routing_rules_node') : undefined;
  if (node !== undefined && node !== 'absent') throw new Skipped(`given.routing_rules_node is not known: ${node}`);
  const rules = given.has('routing_rules') ? TABLES.record(given.raw('routing_rules')) : undefined;
  const error = readError(then) ?? NO_ERROR;
  const expected = then.has('routing_rules') ? then.raw('routing_rules') : undefined;
  return async () => {
    const world = await topoWorld(['zone1']);
    const { ctx, cluster } = world.engine();
    if (rules !== undefined) await saveRoutingRules(ctx, cluster.topo, rules);
    else world.host.store.cell('global').delete(paths.routingRules);
    const answer = await world.run('GetRoutingRules');
    error(answer.failure);
    if (expected === undefined || answer.failure !== undefined) return;
    const printed = jsonIn(answer.stdout);
    const got = isMap(printed) && Array.isArray(printed['rules']) ? printed['rules'] : [];
    same(expected, Object.fromEntries(got.map((rule: { from_table: string; to_tables: string[] }) => [rule.from_table, rule.to_tables])), 'routing_rules');
  };
}

/** Each kind of rules, applied inline, from a file and emptied; in both spellings of the fields. */
function readRoundTrip({ given, when, then }: Case): Check {
  const kinds = given.map('rules');
  const rules = kinds.names.map((kind) => [kind, kinds.raw(kind)] as const);
  const inputs = when.strings('inputs');
  const styles = when.strings('key_styles');
  const unknown = [...inputs.filter((input) => !INPUTS.includes(input)), ...styles.filter((style) => style !== 'camelCase' && style !== 'snake_case')];
  if (unknown.length > 0) throw new Skipped(`when: not known: ${unknown.join(', ')}`);
  const equal = then.bool('get_equals_applied');
  const empty = then.str('after_empty');
  return async () => {
    for (const [kind, record] of rules) {
      for (const style of styles) {
        const world = await topoWorld(['zone1']);
        const text = JSON.stringify(style === 'camelCase' ? camelKeys(record) : record);
        for (const input of inputs) {
          const applied = input === INPUTS[2] ? '{}' : text;
          const { failure: refused } =
            input === INPUTS[1]
              ? await world.runWithFile(applied, (path) => [`Apply${kind}`, '--rules-file', path])
              : await world.run(`Apply${kind}`, '--rules', applied);
          NO_ERROR(refused);
          const { stdout, failure } = await world.run(`Get${kind}`);
          NO_ERROR(failure);
          const got = JSON.parse(stdout) as unknown;
          if (input === INPUTS[2]) same(JSON.parse(empty), withoutEmptyLists(got), `after_empty of ${kind}`);
          else same(equal, JSON.stringify(sortedRules(got)) === JSON.stringify(sortedRules(record)), `get_equals_applied: ${kind} ${input} ${style}`);
        }
      }
    }
  };
}

const INPUTS = ['--rules <json>', '--rules-file <file>', '--rules {}'];

function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelKeys);
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key.replace(/_(\w)/g, (_all, letter: string) => letter.toUpperCase()), camelKeys(one)]));
}

function withoutEmptyLists(value: unknown): unknown {
  return isMap(value) ? Object.fromEntries(Object.entries(value).filter(([, one]) => !(Array.isArray(one) && one.length === 0))) : (value ?? {});
}

function sortedRules(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedRules);
  return isMap(value) ? sortedKeys(Object.fromEntries(Object.entries(value).map(([key, one]) => [key, sortedRules(one)]))) : value;
}

const applies = ({ when }: Case): boolean => {
  const commands = when.peek('commands');
  return Array.isArray(commands) && commands.length > 0 && commands.every((command) => isMap(command) && 'apply' in command);
};

export const ruleAdapters: readonly Adapter[] = [
  { area: 'routing_rules', op: 'sequence', serves: applies, read: readApplies(TABLES, 'routing_rules') },
  { area: 'multi_tenant', op: 'sequence', serves: applies, read: readApplies(KEYSPACES, 'keyspace_routing_rules') },
  { area: 'routing_rules', op: 'GetRoutingRules', read: readGet },
  { area: 'routing_rules', op: 'Apply<Type> then Get<Type>', read: readRoundTrip },
];
