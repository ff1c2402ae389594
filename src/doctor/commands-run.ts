import type { HistoryFacts } from '../workflow/facts/history.ts';

/** A workflow command of the history, read back from its line. */
export interface WorkflowRun {
  entry: HistoryFacts;
  keyspace: string;
  workflow: string;
  /** `create`, `switchtraffic`, …, in lower case. */
  verb: string;
  ok: boolean;
  dryRun: boolean;
  /** The tablet types that it was about, in upper case; all, unless some were named. */
  types: string[];
  /** It was about the writes. */
  writes: boolean;
  keepData: boolean;
  /** What `--percent` said. */
  percent: number;
}

const VERBS = ['create', 'switchtraffic', 'reversetraffic', 'mirrortraffic', 'complete', 'cancel', 'delete', 'start', 'stop', 'update'];

/** The commands on workflows, oldest first. */
export function workflowRuns(history: readonly HistoryFacts[]): WorkflowRun[] {
  return history.flatMap((entry) => {
    const line = workflowLine(entry.command);
    return line === undefined ? [] : [{ ...line, entry, ok: entry.exit === 0 }];
  });
}

/** What a command line is about; undefined for one that is of no workflow. */
export function workflowLine(command: string): Omit<WorkflowRun, 'entry' | 'ok'> | undefined {
  const words = command.split(/\s+/);
  if (!/^(movetables|reshard|materialize|workflow)$/i.test(words[0] ?? '')) return undefined;
  const verb = words.map((word) => word.toLowerCase()).find((word) => VERBS.includes(word));
  const workflow = flag(words, 'workflow', 'w');
  const keyspace = flag(words, 'target-keyspace') ?? flag(words, 'keyspace', 'k');
  if (verb === undefined || workflow === undefined || keyspace === undefined) return undefined;
  const types = (flag(words, 'tablet-types') ?? 'primary,replica,rdonly').toUpperCase().split(',');
  return {
    keyspace,
    workflow,
    verb,
    dryRun: has(words, 'dry-run'),
    types,
    writes: types.includes('PRIMARY'),
    keepData: has(words, 'keep-data'),
    percent: Number(flag(words, 'percent') ?? 0),
  };
}

/** The value of a flag, as `--name value` or `--name=value`; underscores are dashes. */
function flag(words: readonly string[], name: string, short?: string): string | undefined {
  for (const [index, word] of words.entries()) {
    const [key = '', ...value] = word.split('=');
    const plain = key.replaceAll('_', '-');
    if (plain !== `--${name}` && !(short !== undefined && key === `-${short}`)) continue;
    return (value.length > 0 ? value.join('=') : words[index + 1])?.replace(/^['"]|['"]$/g, '');
  }
  return undefined;
}

function has(words: readonly string[], name: string): boolean {
  return words.some((word) => word.replaceAll('_', '-').replace(/=true$/i, '') === `--${name}`);
}
