import { BEFORE_JOURNAL } from './before-journal.ts';
import { OTHER_OPERATIONS } from './other-operations.ts';
import { PAST_JOURNAL } from './past-journal.ts';
import type { Strand } from './types.ts';

export { LEFT_OUT } from './left-out.ts';

/** Every stranded state that is built here. */
export const STRANDS: readonly Strand[] = [...BEFORE_JOURNAL, ...PAST_JOURNAL, ...OTHER_OPERATIONS];

/** Rows that `doctor` does not know yet, or does not put right. */
export const OPEN: ReadonlySet<string> = new Set(['K4 stopSourceWrites:after', 'K4 waitForCatchup:after', 'K4 createReverseVReplication:after', 'K4 Reshard', 'K8', 'K9', 'K15', 'K16', 'K19', 'K10 cell', 'K4 tail', 'K4 tail Reshard', 'K23 mixed', 'K29', 'K30', 'K31', 'K32', 'K36 STC', 'K40 complete', 'K41', 'K40 cancel', 'K44', 'K31 killed', 'K8 reverse']);
