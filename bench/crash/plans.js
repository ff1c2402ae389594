// What is killed: on which cluster, after which commands, which command.
import { CLUSTERS } from './clusters.js';

const READS = ['--tablet-types', 'replica,rdonly'];
const WRITES = ['--tablet-types', 'primary'];
/** Fails by itself, close before the journal, so that its roll-back is there to be killed. */
const FAILS = ['--fault', 'switchTraffic/writes/createReverseVReplication:after=return'];

/**
 * `before`: run on the cluster first. `line`: what is killed. `again`: what finishes it, where that is not the same line.
 * `fails`: the command fails by itself, and what it leaves is what was before it.
 */
const OPERATIONS = {
  'switch': { before: [], line: ['switchtraffic'] },
  'switch of reads': { before: [], line: ['switchtraffic', ...READS] },
  'switch of writes': { before: [['switchtraffic', ...READS]], line: ['switchtraffic', ...WRITES] },
  'switch that fails': { before: [], line: ['switchtraffic', ...FAILS], again: ['switchtraffic'], fails: true },
  'reverse': { before: [['switchtraffic']], line: ['reversetraffic'] },
  'reverse that fails': { before: [['switchtraffic']], line: ['reversetraffic', ...FAILS], again: ['reversetraffic'], fails: true },
  'complete': { before: [['switchtraffic']], line: ['complete'], ends: true },
  'cancel': { before: [], line: ['cancel'], ends: true },
  // Of a move alone: a Reshard whose reads are switched is not cancelled.
  'cancel of switched reads': { before: [['switchtraffic', ...READS]], line: ['cancel'], ends: true, only: ['move', 'spread'] },
};

/** Every plan by its name, `move switch` and so on. */
export function allPlans() {
  return Object.entries(CLUSTERS).flatMap(([cluster, { line, shape, afterCancel, about }]) =>
    Object.entries(OPERATIONS).filter(([, { only }]) => only?.includes(cluster) ?? true).map(([operation, { before, line: own, again = own, fails = false, ends = false }]) => ({
      name: `${cluster} ${operation}`,
      about: `${operation}: ${about}`,
      cluster,
      shape: operation.startsWith('cancel') ? { ...shape, ...afterCancel } : shape,
      before: before.map((more) => line(...more)),
      line: line(...own),
      again: line(...again),
      fails,
      ends,
    })),
  );
}

/** The plans that a text of `--only` stands for: a name, or a part of one. Throws for one that stands for nothing. */
export function choosePlans(only) {
  const plans = allPlans();
  if (only === undefined) return plans;
  for (const text of only) {
    if (!plans.some(({ name }) => name.includes(text))) throw new Error(`--only ${text}: there are ${plans.map(({ name }) => `"${name}"`).join(', ')}`);
  }
  return plans.filter(({ name }) => only.some((text) => name.includes(text)));
}
