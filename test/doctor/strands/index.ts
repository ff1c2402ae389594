import { BEFORE_JOURNAL } from './before-journal.ts';
import { OTHER_OPERATIONS } from './other-operations.ts';
import { PAST_JOURNAL } from './past-journal.ts';
import type { Strand } from './types.ts';

export { LEFT_OUT } from './left-out.ts';

/** Every stranded state that is built here. */
export const STRANDS: readonly Strand[] = [...BEFORE_JOURNAL, ...PAST_JOURNAL, ...OTHER_OPERATIONS];
