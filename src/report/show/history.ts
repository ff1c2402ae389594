import { formatRfc3339 } from '../../lib/go-time.ts';
import type { HistoryFacts } from '../../workflow/facts/history.ts';
import type { ShowOptions } from './options.ts';
import { ago, wrapWords } from './text.ts';

/** Commands, oldest first, with how each ended. */
export function renderHistory(entries: readonly HistoryFacts[], { paint }: ShowOptions): string[] {
  if (entries.length === 0) return ['no command has been run yet'];
  return entries.flatMap((entry) => {
    const exit = entry.exit === 0 ? paint.green('exit 0') : paint.red(`exit ${entry.exit}`);
    return [
      `${paint.dim(formatRfc3339(entry.at))}  ${exit}  took ${ago(entry.tookMs)}  as ${entry.version}`,
      ...wrapWords(entry.command, '  ', '    '),
      ...(entry.failedStep === undefined ? [] : [`    failed at ${entry.failedStep}`]),
      ...(entry.error === undefined ? [] : wrapWords(entry.error, '    error: ', '      ')),
      ...entry.outage.flatMap((text) => wrapWords(text, '    ', '      ')),
      ...entry.faults.map((fault) => paint.yellow(`    fault: ${fault}`)),
    ];
  });
}
