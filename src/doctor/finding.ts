import type { Problem } from '../report/doctor/diagnosis.ts';
import type { Found } from '../workflow/facts/stranded/found.ts';

/**
 * What a detector finds. `text` and `next` say it as `show` does: what is so, and one way to mend it. A detector that knows more says
 * that too: then nothing is made of those.
 */
export type Finding = Found & Partial<Pick<Problem, 'evidence' | 'impact' | 'repairs' | 'note'>>;
