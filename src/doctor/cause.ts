import { formatRfc3339 } from '../lib/go-time.ts';
import type { HistoryFacts } from '../workflow/facts/history.ts';
import type { Finding } from './finding.ts';

/** What brought something about, as the history has it. */
export interface Cause {
  text: string;
  at: number;
}

/**
 * The last command that can have left it: one on its workflow that failed, else one by hand on its shard, cell or tablet. A process
 * that was killed has left no entry: then nothing is known.
 */
export function causeOf(finding: Finding, history: readonly HistoryFacts[]): Cause | undefined {
  const failed = history.findLast((entry) => isFailed(entry) && concerns(entry, finding));
  const done = history.findLast((entry) => entry.exit === 0 && byHand(entry, finding));
  const entry = failed !== undefined && done !== undefined ? (done.at > failed.at ? done : failed) : (failed ?? done);
  return entry === undefined ? undefined : { text: causeText(entry), at: entry.at };
}

function isFailed(entry: HistoryFacts): boolean {
  return entry.exit !== 0;
}

/** A command on one of its workflows, or on the workflow that it is the reverse of. */
function concerns({ command }: HistoryFacts, { workflows }: Finding): boolean {
  const typed = wordsOf(command);
  return workflows.some((lock) => {
    const name = lock.slice(lock.indexOf('/') + 1).replace(/_reverse$/, '');
    return typed.some((word) => word === name || word === `${name}_reverse`);
  });
}

/** A command that names its shard, tablet or cell. */
function byHand({ command }: HistoryFacts, { object }: Finding): boolean {
  const [verb = '', ...typed] = wordsOf(command);
  if (!/^(Set|Apply|Change|Delete|Execute|Rebuild|tablet$|cell$)/.test(verb)) return false;
  const names = object.replace(/^cell /, '').split(', ');
  return typed.some((word) => names.includes(word));
}

function wordsOf(command: string): string[] {
  return command.split(/[\s=]+/);
}

function causeText({ command, pid, at, failedStep, error, exit }: HistoryFacts): string {
  const how = exit === 0 ? 'was run' : failedStep === undefined ? 'failed' : `failed at ${failedStep}`;
  const why = error === undefined ? '' : `: ${error.split('\n')[0]}`;
  // What made it fail stands in the error; a fault is not what somebody wanted of it.
  const asked = command.replace(/ --fault(?:=| )(?:'[^']*'|\S+)/g, '');
  return `${asked} (pid ${pid}) ${how}, ${formatRfc3339(at)}${why}`;
}
