// Which plan the next trial is of.
import { emptySteps, histogram } from './histogram.js';

/**
 * Every plan in turn, and after each the one that best serves the step which is worst off so far, going by how many of its commits are that
 * step's: within a plan every commit is as likely as any other, and a step of one commit in a run of two hundred would hardly ever be met.
 * Answers plans by the number of the trial.
 */
export function allotment(plans) {
  const shares = plans.map(sharesOf);
  const expected = new Map();
  const take = (index) => {
    for (const [step, share] of shares[index]) expected.set(step, (expected.get(step) ?? 0) + share);
    return plans[index];
  };
  const best = (step) => shares.reduce((found, share, index) => ((share.get(step) ?? 0) > (shares[found].get(step) ?? 0) ? index : found), 0);
  const order = [];
  return (number) => {
    while (order.length <= number) {
      if (order.length % 2 === 0) order.push(take((order.length / 2) % plans.length));
      else order.push(take(best([...expected.entries()].reduce((least, one) => (one[1] < least[1] ? one : least))[0])));
    }
    return order[number];
  };
}

/** Of a run's commits, how many belong to each step. */
function sharesOf({ profile }) {
  const shares = new Map();
  for (const { step } of profile) shares.set(step, (shares.get(step) ?? 0) + 1 / profile.length);
  return shares;
}

/**
 * What is to be tried for a step that no kill has come upon yet: a plan that has it, or one whose recovery had it, which is killed then. Undefined
 * where there is no such step.
 */
export function trialForEmpty(plans, trials) {
  const empty = emptySteps(histogram(plans, trials));
  const plan = plans.find(({ profile }) => profile.some(({ step }) => empty.includes(step)));
  if (plan !== undefined) return { plan };
  const trial = trials.findLast(({ recoveries }) => recoveries.flat().some(({ step }) => empty.includes(step)));
  return trial && { plan: plans.find(({ name }) => name === trial.plan), by: trial.by, killed: true };
}
