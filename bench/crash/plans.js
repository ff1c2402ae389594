// What is killed: on which cluster, after which commands, which command.
import { CLUSTERS } from './clusters.js';

const READS = ['--tablet-types', 'replica,rdonly'];
const WRITES = ['--tablet-types', 'primary'];
const MIRROR = ['mirrortraffic', '--percent', '50'];
/** Fails by itself, close before the journal, so that its roll-back is there to be killed. */
const FAILS = ['--fault', 'switchTraffic/writes/createReverseVReplication:after=return'];

/**
 * `before`: run first on the workflow, created and copied; where it is missing there is none yet, and its create
 * is what is killed, with `more` flags. `line`: what is killed. `again`: what finishes it, where that is not the same line.
 * `fails`: the command fails by itself, and what it leaves is what was before it. `ends`: one that has done everything is refused when it
 * is run again.
 */
const OPERATIONS = {
  'create': { ends: true },
  'create that fails': { more: ['--fault', 'create/startStreams:before=return'], ends: true, fails: true },
  'switch': { before: [], line: ['switchtraffic'] },
  'switch of reads': { before: [], line: ['switchtraffic', ...READS] },
  'switch of writes': { before: [['switchtraffic', ...READS]], line: ['switchtraffic', ...WRITES] },
  'switch that fails': { before: [], line: ['switchtraffic', ...FAILS], again: ['switchtraffic'], fails: true },
  'reverse': { before: [['switchtraffic']], line: ['reversetraffic'] },
  'reverse that fails': { before: [['switchtraffic']], line: ['reversetraffic', ...FAILS], again: ['reversetraffic'], fails: true },
  'complete': { before: [['switchtraffic']], line: ['complete'], ends: true },
  'cancel': { before: [], line: ['cancel'], ends: true },
  // Of a move alone: a Reshard whose reads are switched is not cancelled, and is not mirrored.
  'cancel of switched reads': { before: [['switchtraffic', ...READS]], line: ['cancel'], ends: true, only: ['move', 'spread', 'tenant'] },
  'switch of mirrored tables': { before: [MIRROR], line: ['switchtraffic'], only: ['move'] },
  'cancel of mirrored tables': { before: [MIRROR], line: ['cancel'], ends: true, only: ['move'] },
};

/** Every plan by its name, `move switch` and so on. */
export function allPlans() {
  return Object.entries(CLUSTERS).flatMap(([cluster, made]) => {
    const isOf = ([operation, { only }]) => (only?.includes(cluster) ?? true) && (made.only?.includes(operation) ?? true);
    return Object.entries(OPERATIONS).filter(isOf).map(([operation, has]) => planOf(cluster, made, operation, has));
  });
}

function planOf(cluster, { line, create, shape, without, afterComplete, flags = [], about }, operation, { before, line: own, again = own, more = [], fails = false, ends = false }) {
  const whole = (words) => line(...words, ...(words[0] === 'switchtraffic' && !words.includes(READS[1]) ? flags : []));
  return {
    name: `${cluster} ${operation}`,
    about: `${operation}: ${about}`,
    cluster,
    shape: { ...shape, ...(/^(?:create|cancel)/.test(operation) && without), ...(operation === 'complete' && afterComplete) },
    before: before === undefined ? undefined : before.map(whole),
    line: own === undefined ? [...create, ...more] : whole(own),
    again: again === undefined ? create : whole(again),
    fails,
    ends,
  };
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
