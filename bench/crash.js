// `npm run crash -- [--kills N] [--seed N] [--jobs N] [--only PLAN]… [--by doctor|again|nothing] [--sample] [--each] [--keep FOLDER]`:
// kills commands with SIGKILL at instants drawn over their commits, recovers, and looks whether every promise holds. Prints figures;
// exits with 1 when one is broken, or a step had no kill (which `--sample` allows). `--each` has the commands of the plans die instead of
// each of their commits in turn, however many `--kills` says; `--by nothing` shows that a broken promise is noticed.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuilt } from './build.js';
import { withFolder } from './measure.js';
import { choosePlans } from './crash/plans.js';
import { machine } from './print.js';

/** Ways of recovery. */
const WAYS = ['doctor', 'again', 'nothing'];

function number(values, name, otherwise) {
  const value = Number(values[name] ?? otherwise);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} ${values[name]} is not a positive number`);
  return value;
}

function readOptions() {
  const text = { type: 'string' };
  try {
    const { values } = parseArgs({ options: { kills: text, seed: text, jobs: text, by: text, keep: text, sample: { type: 'boolean' }, each: { type: 'boolean' }, only: { ...text, multiple: true } } });
    if (values.by !== undefined && !WAYS.includes(values.by)) throw new Error(`--by ${values.by}: there are ${WAYS.join(', ')}`);
    return {
      kills: number(values, 'kills', 1000),
      seed: number(values, 'seed', 1 + Math.floor(Math.random() * 1_000_000)),
      jobs: number(values, 'jobs', 2),
      by: values.by,
      keep: values.keep,
      sample: values.sample === true || values.each === true,
      each: values.each === true,
      whole: values.only === undefined,
      plans: choosePlans(values.only),
    };
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

const options = readOptions();
ensureBuilt();
const { crash } = await import('./crash/campaign.js');
const { report } = await import('./crash/report.js');
const here = machine();
process.stdout.write(`${here.cpus} x ${here.cpu}, node ${here.node}, ${here.platform}; --seed ${options.seed}\n\n`);
const result = await withFolder((folder) => crash({ ...options, folder, keep: options.keep ?? join(process.cwd(), 'crash-failures') }));
const { lines, good } = report(result, options);
process.stdout.write(`${lines.join('\n')}\n`);
process.exitCode = good ? 0 : 1;
