import { rootCommand } from '../../../src/cli/commands.ts';
import { parseArgv } from '../../../src/cli/argv.ts';
import { parseTarget, type Target } from '../../../src/gate/target.ts';
import { errorText } from '../../../src/lib/errors.ts';
import { migrationId } from '../../../src/lib/fnv.ts';
import { formatKeyRange } from '../../../src/lib/key-range.ts';
import { formatTabletAlias, parseKeyspaceShard, parseTabletAlias, parseTabletType, parseTabletTypes, reverseWorkflowName } from '../../../src/lib/names.ts';
import { renamedTable } from '../../../src/workflow/ending.ts';
import { outcome, readErrorEntry, readResults, same } from '../compare.ts';
import { type Adapter, type Case, type Check, Mismatch, shown, Skipped } from '../fields.ts';

/** One text after the other through a function; `then.results`, or one of the names given, holds what comes of each. */
function each<T>(run: (input: string, one: Case) => T, names: readonly string[] = ['results']) {
  return (one: Case): Check => {
    const inputs = one.when.strings('inputs');
    const name = names.find((candidate) => one.then.has(candidate)) ?? names[0]!;
    if (name === 'errors') {
      const checks = one.then.list(name).map((entry, index) => readErrorEntry(one.then, entry, `errors[${index}]`));
      if (checks.length !== inputs.length) throw new Skipped('then.errors has not one entry for each input');
      return () => inputs.forEach((input, index) => checks[index]!(outcome(() => run(input, one)).failure));
    }
    const check = readResults(one.then, name, inputs.length);
    return () => check(inputs.map((input) => outcome(() => run(input, one))));
  };
}

function readMigrationId({ given, when, then }: Case): Check {
  const from = given.names.length > 0 ? given : when;
  const keyspace = from.str('target_keyspace');
  const streams = from.strings('streams');
  const expected = then.str('id');
  return () => same(expected, String(migrationId(keyspace, streams)), 'id');
}

/** Every input has to fail with one text, in which `<input>` stands for it. */
function readAliases(one: Case): Check {
  if (!one.then.has('error_template')) return each((input) => formatTabletAlias(parseTabletAlias(input)), ['results', 'errors'])(one);
  const template = one.then.str('error_template');
  const inputs = one.when.strings('inputs');
  return () =>
    inputs.forEach((input) => {
      const { failure } = outcome(() => parseTabletAlias(input));
      if (failure === undefined) throw new Mismatch(`${shown(input)}: expected an error, got none`);
      same(template.replace('<input>', input), errorText(failure), shown(input));
    });
}

/** A target as a case writes it. */
function targetFields({ keyspace, tabletType, destination, alias }: Target): Record<string, unknown> {
  return {
    keyspace,
    type: tabletType,
    ...(destination?.kind === 'shard' && { shard: destination.shard }),
    ...(destination?.kind === 'range' && { exact_key_range: formatKeyRange(destination.range) }),
    ...(destination?.kind === 'id' && { keyspace_id: destination.id }),
    ...(alias !== undefined && { tablet: formatTabletAlias(alias) }),
  };
}

function readTargets(one: Case): Check {
  const type = parseTabletType(one.given.str('default_tablet_type', 'PRIMARY'));
  return each((input) => targetFields(parseTarget(input, type)), ['results', 'errors'])(one);
}

/** The tablet types that a traffic command has without `--tablet-types`. */
function readDefaultTypes({ op, then }: Case): Check {
  const command = /^cli (\w+) without --tablet-types$/.exec(op)![1]!;
  const expected = then.strings('tablet_types');
  return () => {
    const argv = ['MoveTables', '--workflow', 'w', '--target-keyspace', 'k', command];
    const parsed = parseArgv(rootCommand, argv, { hardened: false, warn: () => {} });
    if (parsed.kind !== 'run') throw new Mismatch(`${command} is not a command to run`);
    same(expected, parsed.flags.tabletTypes('tablet-types'), 'tablet_types');
  };
}

export const parsingAdapters: readonly Adapter[] = [
  { area: 'workflow_ids', op: /^(?:migration id|hash streams)$/, read: readMigrationId },
  { area: 'workflow_ids', op: /^(?:old|renamed) table name$/, read: each(renamedTable) },
  { area: 'workflow_ids', op: 'reverse workflow name', read: each(reverseWorkflowName) },
  { area: 'cli_parsing', op: 'parse keyspace/shard', read: each(parseKeyspaceShard, ['results', 'errors']) },
  { area: 'cli_parsing', op: 'parse tablet alias', read: readAliases },
  { area: 'cli_parsing', op: /^parse tablet types?$/, read: each((input) => (input.includes(',') ? parseTabletTypes(input) : parseTabletType(input)), ['results', 'errors']) },
  { area: 'cli_parsing', op: 'parse target', read: readTargets },
  { area: 'cli_parsing', op: /^cli (?:SwitchTraffic|ReverseTraffic|MirrorTraffic) without --tablet-types$/, read: readDefaultTypes },
];
