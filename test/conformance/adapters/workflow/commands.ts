import { formatDuration, parseDuration } from '../../../../src/lib/duration.ts';
import { switchTraffic } from '../../../../src/workflow/switch/switch-traffic.ts';
import { outcomeOf } from '../../compare.ts';
import { type Fields, shown, Skipped } from '../../fields.ts';
import { isShard } from '../../scene.ts';
import { csv, type Answer } from '../../world.ts';
import type { Stage } from './stage.ts';
import { requestOf, switchUnchecked } from './switch-run.ts';

/** A command that a case names: a subcommand with its flags. */
export interface Command {
  sub: string;
  flags: string[];
}

export const SUBCOMMANDS: Readonly<Record<string, string>> = {
  SwitchTraffic: 'switchtraffic',
  ReverseTraffic: 'reversetraffic',
  MirrorTraffic: 'mirrortraffic',
  Complete: 'complete',
  Cancel: 'cancel',
};

const switchFlag = (flag: string) => (value: unknown): string[] => {
  if (typeof value !== 'boolean') throw new Skipped(`--${flag} is true or false, not ${shown(value)}`);
  return [`--${flag}=${value}`];
};

const listFlag = (flag: string) => (value: unknown): string[] => {
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) throw new Skipped(`--${flag} is a list of texts, not ${shown(value)}`);
  return value.length === 0 ? [] : [`--${flag}`, (value as string[]).map(csv).join(',')];
};

const textFlag = (flag: string) => (value: unknown): string[] => {
  if (typeof value !== 'string') throw new Skipped(`--${flag} is a text, not ${shown(value)}`);
  return [`--${flag}`, value];
};

const numberFlag = (flag: string) => (value: unknown): string[] => {
  if (typeof value !== 'number') throw new Skipped(`--${flag} is a number, not ${shown(value)}`);
  return [`--${flag}`, String(value)];
};

/** A length of time; ` (default)` may stand after it. */
const timeFlag = (flag: string) => (value: unknown): string[] => {
  if (typeof value !== 'string') throw new Skipped(`--${flag} is a length of time, not ${shown(value)}`);
  return [`--${flag}`, formatDuration(parseDuration(value.replace(/ \(default\)$/, '')))];
};

/** The fields of `when` that are flags. */
const FLAGS: Readonly<Record<string, (value: unknown) => string[]>> = {
  tablet_types: listFlag('tablet-types'),
  cells: listFlag('cells'),
  timeout: timeFlag('timeout'),
  max_replication_lag_allowed: timeFlag('max-replication-lag-allowed'),
  enable_reverse_replication: (value) => switchFlag('enable-reverse-replication')(value === 'true (CLI default)' ? true : value),
  dry_run: switchFlag('dry-run'),
  keep_data: switchFlag('keep-data'),
  keep_routing_rules: switchFlag('keep-routing-rules'),
  rename_tables: switchFlag('rename-tables'),
  ignore_source_keyspace: switchFlag('ignore-source-keyspace'),
  initialize_target_sequences: switchFlag('initialize-target-sequences'),
  force: (value) => (value === false ? [] : switchFlag('force')(value)),
  shards: listFlag('shards'),
  target_shards: listFlag('target-shards'),
  source_shards: listFlag('source-shards'),
  percent: numberFlag('percent'),
  tables: listFlag('tables'),
  exclude_tables: listFlag('exclude-tables'),
  all_tables: switchFlag('all-tables'),
  no_routing_rules: switchFlag('no-routing-rules'),
  auto_start: switchFlag('auto-start'),
  stop_after_copy: switchFlag('stop-after-copy'),
  sharded_auto_increment_handling: textFlag('sharded-auto-increment-handling'),
  global_keyspace: textFlag('global-keyspace'),
  tenant_id: textFlag('tenant-id'),
  on_ddl: textFlag('on-ddl'),
};

/** Reads every field of a mapping that is a flag, and says it in words of a command line. */
export function readFlags(when: Fields, except: readonly string[] = []): string[] {
  return when.names.filter((name) => !except.includes(name)).flatMap((name) => FLAGS[name]?.(when.raw(name)) ?? []);
}

const TYPES = /^(?:all|(?:primary|replica|rdonly)(?:,(?:primary|replica|rdonly))*)$/i;
const VERBS: Readonly<Record<string, string>> = { ...SUBCOMMANDS, switch: 'switchtraffic', reverse: 'reversetraffic' };

/**
 * A command in words: `SwitchTraffic replica,rdonly zone1`, `reverse RDONLY (all cells)`, `SwitchTraffic primary (again)`,
 * `MoveTables stop --shards -80`, `MirrorTraffic 25`. Throws Skipped for one that is not understood.
 */
export function readCommandText(text: string, cells: readonly string[]): Command {
  const bare = text.replace(/ \((?:all cells|again|all cells, again)\)$/, '');
  const words = bare.split(' ');
  const first = words.shift() ?? '';
  if (first === 'MoveTables' || first === 'Reshard') {
    const sub = words.shift()?.toLowerCase() ?? '';
    if (!['create', 'start', 'stop', 'cancel', 'complete', 'switchtraffic', 'reversetraffic'].includes(sub)) throw new Skipped(`not a command: ${shown(text)}`);
    return { sub, flags: flagWords(words, text) };
  }
  const sub = VERBS[first];
  if (sub === undefined) throw new Skipped(`not a command: ${shown(text)}`);
  const flags: string[] = [];
  while (words[0] !== undefined && !words[0].startsWith('--')) {
    const word = words.shift()!;
    if (sub === 'mirrortraffic' && /^[\d.]+$/.test(word)) flags.push('--percent', word);
    else if (TYPES.test(word)) flags.push(...(word.toLowerCase() === 'all' ? [] : ['--tablet-types', word.toLowerCase()]));
    else if (word === 'all' || word.split(',').every((cell) => cells.includes(cell))) flags.push('--cells', word);
    else throw new Skipped(`not a command: ${shown(text)}`);
  }
  return { sub, flags: [...flags, ...flagWords(words, text)] };
}

function flagWords(words: readonly string[], text: string): string[] {
  const wrong = words.find((word, index) => !word.startsWith('--') && !(words[index - 1]?.startsWith('--') ?? false) && !isShard(word));
  if (wrong !== undefined) throw new Skipped(`not a command: ${shown(text)}`);
  return [...words];
}

/** Runs a switch as the engine does, while streams stay as they are. */
export async function switchStill(stage: Stage, { sub, flags }: Command, more: readonly string[], checks: 'checked' | 'unchecked' = 'checked'): Promise<Answer> {
  const engine = stage.world.engine();
  // The server refuses less than a second before anything is looked at; what a test calls lies below that.
  const behaviours = { ...engine.cluster.release.behaviours, leastTimeout: 'none' as const };
  const ctx = engine.ctx;
  const cluster = { ...engine.cluster, release: { ...engine.cluster.release, behaviours } };
  const all = [...more, ...flags];
  const value = (name: string): string | undefined => {
    const at = all.findLastIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`));
    return at < 0 ? undefined : all[at]!.includes('=') ? all[at]!.slice(all[at]!.indexOf('=') + 1) : all[at + 1];
  };
  const known = ['tablet-types', 'cells', 'timeout', 'max-replication-lag-allowed', 'enable-reverse-replication', 'dry-run', 'lock-timeout'];
  const unknown = all.find((word) => word.startsWith('--') && !known.includes(word.slice(2).split('=')[0]!));
  if (unknown !== undefined || (sub !== 'switchtraffic' && sub !== 'reversetraffic')) throw new Skipped(`${sub} ${unknown ?? ''} cannot be run while streams stand still`);
  const request = requestOf(stage, {
    direction: sub === 'switchtraffic' ? 'forward' : 'backward',
    tabletTypes: (value('tablet-types') ?? 'PRIMARY,REPLICA,RDONLY').toUpperCase().split(',') as ('PRIMARY' | 'REPLICA' | 'RDONLY')[],
    cells: value('cells')?.split(',') ?? [],
    timeoutMs: parseDuration(value('timeout') ?? '30s'),
    maxLagMs: parseDuration(value('max-replication-lag-allowed') ?? '30s'),
    enableReverseReplication: value('enable-reverse-replication') !== 'false',
    dryRun: value('dry-run') === 'true' || all.includes('--dry-run'),
  });
  if (checks === 'unchecked') return switchUnchecked(ctx, cluster, request);
  const { failure, value: result } = await outcomeOf(() => switchTraffic(ctx, cluster, request));
  if (result === undefined) return { exit: 1, stdout: '', stderr: '', failure: failure as Error };
  const states = `Start State: ${result.startState}\nCurrent State: ${result.currentState}`;
  const body = result.dryRunResults.length > 0 ? result.dryRunResults.join('\n') : states;
  return { exit: 0, stdout: `${result.summary}\n\n${body}\n\n`, stderr: '', failure: undefined };
}
