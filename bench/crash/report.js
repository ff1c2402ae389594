// What a campaign came to, for people.
import { emptySteps, histogram, histogramLines, unvisited } from './histogram.js';
import { START } from './notes.js';

const SHOWN = 20;

/** The lines, and whether every promise held. */
export function report({ plans, trials, tookMs }, { sample, whole }) {
  const kills = trials.flatMap((trial) => trial.kills);
  const rows = histogram(plans, trials);
  const silent = rows.filter(({ step, own, recoveringOwn }) => step !== START && own + recoveringOwn === 0).map(({ step, commits, recovering }) => (commits + recovering === 0 ? `${step} (none after it either)` : step));
  const empty = emptySteps(rows);
  const others = unvisited(rows);
  const bad = trials.filter(({ wrong }) => wrong.length > 0);
  const sum = (of) => trials.reduce((total, trial) => total + of(trial), 0);
  const writes = (outcome) => sum(({ counts }) => counts?.[outcome] ?? 0).toLocaleString('en-US');
  const lines = [
    ...histogramLines(rows),
    '',
    'commits: of one run of each plan without a kill, in the step or after it and before the next; of its own: in the step alone;',
    'in recoveries: of the recoveries that were to be killed, run on a copy without a kill.',
    'before, inside, after: where the kill came relative to the commit that it was drawn for.',
    ...(silent.length > 0 ? [`steps that commit nothing of their own in all these runs without a kill: ${silent.join(', ')}`] : []),
    ...(whole && others.length > 0 ? [`steps that none of these plans has: ${others.join(', ')}`] : []),
    '',
    `${kills.length} kills in ${trials.length} trials of ${plans.length} plans, in ${Math.round(tookMs / 1000)} s: ${offsets(kills)}`,
    `of these ${kills.filter(({ of }) => of === 'command').length} of a command, ${count(kills, 'the command run again')} of the command run again, ${count(kills, 'doctor --fix')} of doctor --fix`,
    `drawn again: ${sum(({ drawnAgain }) => drawnAgain.early)} before the first write, ${sum(({ drawnAgain }) => drawnAgain.late)} after the end`,
    ...recoveries(trials),
    `writes of the application: ${writes('acknowledged')} acknowledged, ${writes('refused')} refused, ${writes('ambiguous')} ambiguous`,
    '',
    ...perPlan(plans, trials),
    '',
    ...bad.slice(0, SHOWN).flatMap(({ index, plan, by, kills: own, wrong }) => [`WRONG: trial ${index}, ${plan}, by ${by}, killed ${own.map(place).join(', then ')}`, ...wrong.map(indented)]),
    ...(empty.length > 0 ? [`EMPTY: no kill came upon ${empty.join(', ')}`] : []),
    `${bad.length === 0 ? 'every promise held' : `${bad.length} of ${trials.length} trials went wrong`}; ${empty.length === 0 ? 'no step is empty' : `${empty.length} steps are empty`}`,
  ];
  return { lines, good: bad.length === 0 && (sample || empty.length === 0) };
}

const count = (kills, what) => kills.filter(({ of }) => of === what).length;
const place = ({ step, after, where, commit, of }) => `${after ? 'after' : 'in'} ${step} (${of}, ${where} commit ${commit})`;
const indented = (text) => text.split('\n').map((line) => `  ${line}`).join('\n');

/** How the instants scatter around the commits they were drawn for. */
function offsets(kills) {
  const known = kills.flatMap(({ offset }) => (offset === undefined ? [] : [offset])).toSorted((a, b) => a - b);
  const at = (share) => known[Math.min(known.length - 1, Math.floor(share * known.length))]?.toFixed(2);
  const where = ['before', 'inside', 'after'].map((one) => `${kills.filter((kill) => kill.where === one).length} ${one}`);
  const committing = kills.filter((kill) => kill.committing).length;
  return `${where.join(', ')} their commit, ${committing} inside of that or another; ms from the beginning of its commit, where that began: 5 % ${at(0.05)}, half ${at(0.5)}, 95 % ${at(0.95)}`;
}

function recoveries(trials) {
  const doctor = trials.filter(({ by }) => by === 'doctor');
  const again = trials.filter(({ by }) => by === 'again');
  const passes = [1, 2, 3].map((pass) => `${doctor.filter((trial) => trial.passes === pass).length} in ${pass}`);
  return [
    ...(again.length > 0 ? [`recovered by running the command again: ${again.length}; ${again.filter(({ swept }) => swept).length} left a lock of the dead, which doctor --fix removed`] : []),
    ...(doctor.length > 0 ? [`recovered by doctor --fix: ${doctor.length} (passes: ${passes.join(', ')}); ${doctor.filter(({ wentBack }) => wentBack).length} went back`] : []),
  ];
}

function perPlan(plans, trials) {
  return plans.map(({ name, profile }) => {
    const own = trials.filter(({ plan }) => plan === name);
    const bad = own.filter(({ wrong }) => wrong.length > 0).length;
    return `${name}: ${profile.length} commits, ${own.flatMap(({ kills }) => kills).length} kills${bad > 0 ? `, ${bad} trials went wrong` : ''}`;
  });
}
