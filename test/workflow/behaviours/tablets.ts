import type { TABLETS } from '../../../src/lib/behaviours/tablets.ts';
import type { BuiltName } from '../../../src/lib/behaviours.ts';
import type { RunsOf } from './see.ts';

export const TABLETS_RUNS: RunsOf<Extract<BuiltName, keyof typeof TABLETS>> = {
  deadTabletWaitMs: async () => 0,
  stalePrimary: async () => 'called',
  unrefreshedTablets: async () => 'fail',
};
