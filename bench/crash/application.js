// The application: a process that is never killed. It writes beside the commands that die, keeps its own log of what was acknowledged,
// and looks afterwards at what became of it. Asked over IPC by client.js, one question at a time.
import { background } from '../../dist/runtime/context.js';
import { pumpAll } from '../../dist/tablet/vreplication/pump-all.js';
import { filesIn, openCluster } from '../cluster.js';
import { copiesDiffer } from './copies.js';
import { judgeLog, ownRows, unchangedRows } from './judge.js';
import { leftovers } from './leftovers.js';
import { mark } from './marks.js';
import { serves } from './serving.js';
import { startWriters } from './writers.js';

let open;

const QUESTIONS = {
  /** Opens a state and begins to write, once per table before it answers. */
  async begin({ state, log, shape, seed }) {
    const opened = openCluster(filesIn(state));
    const own = await ownRows(opened.cluster, shape);
    const writers = await startWriters(opened.cluster, shape, log, seed);
    open = { ...opened, state, log, shape, own, writers };
    await writers.wroteEach();
  },
  /** Writes nothing until it is told to go on. */
  pause: () => open.writers.pause(),
  resume: () => open.writers.resume(),
  /** What the records, the streams and the tablets are, as one text, once the streams have done what they can. */
  async mark() {
    await pumpAll(background(), open.cluster);
    return mark(background(), open.cluster);
  },
  /** Writes on for a moment, ends, and says everything that is not as it must be. */
  async check() {
    const { cluster, writers, shape, own, log } = open;
    const wrong = await writers.wroteEach().then(() => [], (error) => [error.message]);
    await writers.end();
    wrong.push(...writers.unexpected, ...(await serves(cluster, shape)));
    const judged = await judgeLog(cluster, writers.tables, log);
    await pumpAll(background(), cluster);
    wrong.push(...judged.wrong, ...(await unchangedRows(cluster, shape, own)), ...(await copiesDiffer(cluster, shape)));
    return { wrong, counts: judged.counts };
  },
  leftovers: () => leftovers(open.cluster, open.state),
  async close() {
    await open?.writers.end();
    await open?.close();
    open = undefined;
  },
};

process.on('message', async ({ question, order }) => {
  try {
    process.send({ answer: await QUESTIONS[question](order) });
  } catch (error) {
    process.send({ failure: error.stack });
  }
});
process.on('disconnect', () => process.exit());
