// One trial: a command is killed, in part of them its recovery too, and then everything has to come right.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { copyFolder } from '../measure.js';
import { copyState } from './copy-state.js';
import { drawKill } from './draw.js';
import { difference } from './marks.js';
import { profileOf, readNotes, whereKilled } from './notes.js';
import { run, runHooked } from './process.js';

/** How often `doctor --fix` may be run. */
const MOST_PASSES = 3;
/** How many recoveries in a row may be killed. */
const MOST_RECOVERIES = 2;
/** Of so many trials one has its recovery killed, and of those half the next one too. */
const RECOVERY_KILLED = 3;

/**
 * Runs a trial of a measured plan. `by` is how it recovers: `doctor`, `again` for running the same command again, or `nothing`. Returns
 * each kill that counted, and what is wrong. The state of one that went wrong stays in the folder. `instead`: it dies instead of this
 * commit, and its recovery is left in peace; without it the instant is drawn. `killed`: so is the recovery, without fail.
 */
export async function runTrial({ plan, by, random, application, folder, seed, instead, killed }) {
  const state = join(folder, 'state');
  const log = join(folder, 'log');
  const trial = { plan: plan.name, by, kills: [], drawnAgain: { early: 0, late: 0 }, wrong: [], passes: 0, swept: false, counts: undefined, recoveries: [] };
  const notes = join(folder, 'notes');
  for (;;) {
    for (const path of [state, log]) rmSync(path, { recursive: true, force: true });
    copyFolder(plan.state, state);
    await application.ask('begin', { state, log, shape: plan.shape, seed });
    const order = instead === undefined ? drawKill(random, plan.profile) : { commit: instead, instead: true };
    if (await kill(trial, { state, notes, line: plan.line, order, of: 'command' })) break;
    await application.ask('close');
  }
  try {
    await recover(trial, { plan, by, random, application, state, notes, folder, killed: killed ?? (instead === undefined && random.below(RECOVERY_KILLED) === 0) });
  } catch (error) {
    trial.wrong.push(error.stack);
  }
  await application.ask('close').catch(() => {});
  return trial;
}

/**
 * Runs a command that is to be killed. False if the kill does not count: it came before the first write, or the command had ended.
 * Nothing but the instant is drawn again.
 */
async function kill(trial, { state, notes, line, order, of }) {
  rmSync(notes, { force: true });
  const ended = await runHooked(state, line, notes, order);
  const seen = readNotes(notes);
  if (ended.signal !== 'SIGKILL' || ended.endless) {
    if (ended.endless) throw new Error(`${line.join(' ')} never ended`);
    trial.drawnAgain.late++;
    return false;
  }
  const where = whereKilled(seen, order.commit);
  if (where.done === 0 && seen.open === undefined) {
    trial.drawnAgain.early++;
    return false;
  }
  trial.kills.push({ of, ...seen.place, commit: order.commit, ...where });
  return true;
}

async function recover(trial, order) {
  const { by, random, killed: kills } = order;
  if (by === 'nothing') return settle(trial, order);
  if (kills) {
    const most = 1 + random.below(MOST_RECOVERIES);
    for (let killed = 0; killed < most; killed++) await killRecovery(trial, order);
  }
  if (by === 'doctor') await recoverByDoctor(trial, order);
  else await recoverAgain(trial, order);
  await settle(trial, order);
}

/** Kills the recovery itself, at an instant drawn over the commits that a run of it has on a copy. */
async function killRecovery(trial, { plan, by, random, application, state, notes, folder }) {
  const line = by === 'doctor' ? ['doctor', '--fix'] : plan.again;
  const copy = join(folder, 'copy');
  await application.ask('pause');
  copyState(state, copy);
  await application.ask('resume');
  rmSync(notes, { force: true });
  await runHooked(copy, line, notes, undefined);
  const profile = profileOf(readNotes(notes));
  rmSync(copy, { recursive: true });
  trial.recoveries.push(profile);
  // Nothing was left to recover.
  if (profile.length === 0) return;
  await kill(trial, { state, notes, line, order: drawKill(random, profile), of: by === 'doctor' ? 'doctor --fix' : 'the command run again' });
}

async function recoverAgain(trial, { plan, state, application }) {
  const { exit, signal, stdout, stderr, endless } = await run(state, plan.again);
  if (endless) throw new Error(`${plan.again.join(' ')} never ends`);
  // A command that had done everything is not to be run again: the workflow that it ended is no more.
  if (exit === 1 && plan.ends && (await application.ask('mark')) === plan.after) return;
  if (exit !== 0) trial.wrong.push(`run again, it does not finish: exit ${exit ?? signal}\n${stdout}${stderr}`);
}

async function recoverByDoctor(trial, { state }) {
  for (let pass = 1; ; pass++) {
    const fixed = await run(state, ['doctor', '--fix']);
    if (fixed.endless) throw new Error('doctor --fix never ends');
    trial.passes = pass;
    const looked = await run(state, ['doctor']);
    if (looked.exit === 0) return readSnapshots(trial, state);
    if (pass < MOST_PASSES) continue;
    trial.wrong.push(`after ${pass} x doctor --fix, doctor says: exit ${looked.exit}\n${looked.stdout}${looked.stderr}\nand doctor --fix had said: exit ${fixed.exit}\n${fixed.stdout}${fixed.stderr}`);
    return;
  }
}

/** A snapshot that a doctor was saving when it was killed is there whole or not at all. */
async function readSnapshots(trial, state) {
  const { exit, stdout, stderr } = await run(state, ['snapshot', 'list', '--format', 'json']);
  if (exit !== 0) trial.wrong.push(`snapshot list: exit ${exit}\n${stderr}`);
  else for (const { name, problem } of JSON.parse(stdout).snapshots) if (problem) trial.wrong.push(`snapshot ${name}: ${problem}`);
}

/**
 * Nothing may be left. A command that is run again removes the locks of the dead that it asks for; of one that had done everything, and
 * asks for nothing any more, a doctor does.
 */
async function lookForLeftovers(trial, { by, state, application }) {
  let { left, ofTheDead } = await application.ask('leftovers');
  if (by === 'again' && ofTheDead.length > 0) {
    trial.swept = true;
    await run(state, ['doctor', '--fix']);
    ({ left, ofTheDead } = await application.ask('leftovers'));
  }
  trial.wrong.push(...left, ...ofTheDead);
}

/** Looks at everything. What a doctor took back can be done once more. */
async function settle(trial, { plan, by, random, state, application }) {
  const found = await application.ask('mark');
  trial.wentBack = !plan.forward && found === plan.before;
  const allowed = by !== 'doctor' ? [plan.after, plan.twice] : plan.forward ? [plan.after] : [plan.before, plan.after];
  if (!allowed.includes(found)) {
    const parts = allowed.map((one, index) => `against the state ${allowed[index] === plan.before ? 'before' : 'after'}:\n${difference(found, one).slice(0, 20).join('\n')}`);
    trial.wrong.push(`the state is none of those that the command may leave; ${parts.join('\n')}`);
  }
  await lookForLeftovers(trial, { by, state, application });
  if (trial.wrong.length === 0 && trial.wentBack && by === 'doctor' && random.below(2) === 0) {
    const { exit, stdout, stderr } = await run(state, plan.again);
    if (exit !== 0) trial.wrong.push(`after the doctor, the command does not work: exit ${exit}\n${stdout}${stderr}`);
    else if ((await application.ask('mark')) !== plan.after) trial.wrong.push('after the doctor, the command leaves another state than it does else');
  }
  const { wrong, counts } = await application.ask('check');
  trial.counts = counts;
  trial.wrong.push(...wrong);
}
