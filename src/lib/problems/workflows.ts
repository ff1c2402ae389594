import type { ProblemEntry } from './entry.ts';

/** SWT03xx. */
export const WORKFLOW_PROBLEMS = {
  'journal-without-frozen': {
    code: 'SWT0301',
    title: 'past the point of no return, unfinished',
    severity: 'pending',
    meaning: 'The journal of a switch is on its source shards, so that it can only be completed; but the workflow is not frozen: steps are left to do.',
    causes: ['a switch that failed or was ended after its first journal row (vitessio/vitess#19680)', 'a stream that was started again past its journal, which takes the mark off'],
    cure: 'Run the switch of the writes again: it finds the journal and does the steps that are left. Never start the streams first.',
  },
  'reverse-left-over': {
    code: 'SWT0303',
    title: 'reverse streams of a switch that did not happen',
    severity: 'leftover',
    meaning: 'A switch had made its reverse workflow, stopped, before it failed. It does nothing, but cancelling it as any workflow drops the tables that serve.',
    causes: ['a switch that failed after it made the reverse workflow, and whose roll-back did not delete it'],
    cure: 'Delete it with --keep-data and --keep-routing-rules, or let the next switch replace it.',
  },
  'stopped-for-cutover': {
    code: 'SWT0306',
    title: 'streams are stopped for a cutover that did not happen',
    severity: 'pending',
    meaning: 'A switch had stopped streams so that they catch up to one position, and left them so. The target falls behind, and the next switch is refused for its lag.',
    causes: ['a switch that failed where no roll-back runs, or whose roll-back failed (vitessio/vitess#20340)', 'a vtctld that died in the middle of it'],
    cure: 'Start the streams again.',
  },
  'copies-left-over': {
    code: 'SWT0307',
    title: 'copies of streams for a Reshard that did not happen',
    severity: 'leftover',
    meaning: "A Reshard's switch had made stopped copies, on its target shards, of other workflows' streams.",
    causes: ['a Reshard switch that failed after it had made them, and was not rolled back'],
    cure: 'Delete the copies; the originals on the source shards are the ones that count.',
  },
  intent: {
    code: 'SWT0308',
    title: 'a command broke off half-way, and its intent says how far it got',
    severity: 'pending',
    meaning: 'Before it changed anything the command wrote down what was and what was to be (`hardened` only). Until that is settled, commands on its keyspaces refuse.',
    causes: ['a process that was killed', 'a roll-back that could not reach a tablet or a cell'],
    cure: 'Run the same command again: it goes back first, or, past the point of no return, forward.',
  },
} as const satisfies Record<string, ProblemEntry>;
