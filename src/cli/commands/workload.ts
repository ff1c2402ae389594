import { setInterval } from 'node:timers';
import { UserError } from '../../lib/errors.ts';
import { progressLine, renderWorkload } from '../../report/workload.ts';
import { parseRate, parseValues, type WorkloadSpec } from '../../workload/spec.ts';
import { isGood, type RunningWorkload, startWorkload } from '../../workload/workload.ts';
import { withCluster } from '../cluster.ts';
import { outputFormat } from '../flags.ts';
import { gateOptions } from '../gate-options.ts';
import { colorLevel, createPaint } from '../paint.ts';
import type { CommandScope } from '../scope.ts';
import { ctrlCEndsIt } from '../signals.ts';
import type { Invocation } from '../spec.ts';

/** Writes and reads until its time is over or somebody stops it, then looks for what it wrote. */
export async function run(inv: Invocation): Promise<number> {
  const format = outputFormat(inv);
  ctrlCEndsIt(inv.signal);
  return withCluster(inv, {}, async (scope) => {
    const { ctx, cluster } = scope;
    const spec = await specOf(inv, scope);
    if (spec.forMs === undefined && cluster.world.clock.virtual) {
      throw new UserError('on a virtual clock a workload needs --for: nobody could stop it', { exit: 2 });
    }
    const running = await startWorkload(ctx, cluster, spec);
    const quiet = watch(inv, scope, running);
    const detach = ctx.onDone(() => void running.stop());
    const report = await running.finished;
    detach();
    quiet();
    const paint = await createPaint(colorLevel(inv.io.stdout, inv.flags, inv.io.env));
    const lines = format === 'json' ? [JSON.stringify(report, null, 2)] : renderWorkload(report, paint);
    inv.io.stdout.write(`${lines.join('\n')}\n`);
    return isGood(report) ? 0 : 1;
  });
}

async function specOf(inv: Invocation, { ctx, cluster }: CommandScope): Promise<WorkloadSpec> {
  const { flags } = inv;
  const readRate = flags.str('read-rate');
  const tables = flags.strings('table');
  return {
    writers: flags.int('writers'),
    readers: flags.int('readers'),
    rate: parseRate(flags.str('rate')),
    ...(readRate === '' ? {} : { readRate: parseRate(readRate) }),
    ...(flags.given('for') ? { forMs: flags.duration('for') } : {}),
    ...(tables.length === 0 ? {} : { tables }),
    values: parseValues(flags.strings('value')),
    seed: flags.given('seed') ? flags.int('seed') : cluster.world.random.below(1_000_000),
    timeoutMs: flags.duration('timeout'),
    gate: await gateOptions(ctx, cluster, inv),
  };
}

/** One line a second on stderr while somebody watches; returns how to end it. */
function watch(inv: Invocation, { cluster }: CommandScope, running: RunningWorkload): () => void {
  const { stderr } = inv.io;
  if (!stderr.isTTY || inv.flags.bool('quiet') || cluster.world.clock.virtual) return () => {};
  const { clock } = cluster.world;
  const start = clock.now();
  let before = running.counters();
  stderr.write('running; Ctrl-C ends it and checks\n');
  const timer = setInterval(() => {
    const now = running.counters();
    const seconds = Math.round((clock.now() - start) / 1000);
    stderr.write(`${progressLine(seconds, now.writes, before.writes, now.reads.acknowledged - before.reads.acknowledged)}\n`);
    before = now;
  }, 1000);
  return () => clearInterval(timer);
}
