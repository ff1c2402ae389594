import { createCases } from './create.ts';
import { endingCases } from './ending.ts';
import { lockCases } from './locks.ts';
import { partialCases } from './partial.ts';
import { sequenceCases } from './sequences.ts';
import { switchingCases } from './switching.ts';

/** Cases that are told in words: each by its id, with the test that holds it. */
export const byHand: ReadonlyMap<string, () => void | Promise<void>> = new Map(
  [lockCases, switchingCases, createCases, endingCases, partialCases, sequenceCases].flatMap((cases) => Object.entries(cases)),
);
