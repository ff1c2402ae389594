import type { ProblemKind } from '../../lib/problems.ts';
import { diagnose, type Wanted } from '../../doctor/diagnose.ts';
import { fix } from '../../doctor/fix.ts';
import type { FixTools } from '../../doctor/fix-tools.ts';
import type { Problem } from '../../report/doctor/diagnosis.ts';
import { fixEventLines, fixFacts, fixReportLines } from '../../report/doctor/fix-text.ts';
import type { FixReport } from '../../report/doctor/fixing.ts';
import type { DoctorOptions } from '../../report/doctor/options.ts';
import { checkContext, type Context } from '../../runtime/context.ts';
import { lineWords } from '../../scenario/words.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { finishIntent } from '../../workflow/finish-intent.ts';
import { findIntent } from '../../workflow/intent/record.ts';
import { hostOf, withCluster } from '../cluster.ts';
import { printFacts } from '../facts-output.ts';
import { innerShell } from '../inner-shell.ts';
import { colorLevel, createPaint } from '../paint.ts';
import { programOf } from '../program-words.ts';
import { saveSnapshot } from '../snapshot/save.ts';
import type { Invocation } from '../spec.ts';
import { typedLine } from '../typed-line.ts';

/** What is to be repaired of what is looked for; `kinds` empty: all of it. */
export interface FixOrder extends Wanted {
  kinds: readonly ProblemKind[];
}

const EXITS: Record<FixReport['outcome'], number> = { healthy: 0, 'problems remain': 1, busy: 75 };

/** Repairs what a diagnosis finds. Exit 0 where nothing is wrong afterwards, 75 where only others keep something locked, else 1. */
export function runFix(inv: Invocation, order: FixOrder): Promise<number> {
  return withCluster(inv, { history: true, repairs: true }, async ({ ctx, cluster }) => {
    const json = inv.flags.str('format') === 'json';
    const paint = await createPaint(colorLevel(inv.io.stdout, inv.flags, inv.io.env));
    const options: DoctorOptions = { paint, program: programOf(inv.flags), typed: typedLine(inv.flags), now: cluster.world.clock.now() };
    const print = (lines: readonly string[]): void => inv.io.stdout.write(lines.map((line) => `${line.trimEnd()}\n`).join(''));
    const report = await fix(ctx, cluster, {
      ...toolsOf(inv, cluster, order),
      say: (event) => {
        if (!json) print(fixEventLines(event, options));
      },
    });
    if (json) printFacts(inv, fixFacts(report, cluster.release.name, options.typed));
    else print(fixReportLines(report, { ...options, now: cluster.world.clock.now() }));
    return EXITS[report.outcome];
  });
}

function toolsOf(inv: Invocation, cluster: Cluster, order: FixOrder): Omit<FixTools, 'say'> {
  const shell = innerShell(inv, cluster);
  return {
    wants: (kind) => (order.kinds.length === 0 || order.kinds.includes(kind)) && (order.only.length === 0 || order.only.includes(kind)) && !order.skip.includes(kind),
    diagnose: (ctx) => diagnose(ctx, cluster, order),
    run: async (parent, line) => ({ line, ...(await shell(lineWords(line), { parent })) }),
    finish: (ctx, problem) => finish(ctx, cluster, problem),
    snapshot: async (ctx) => {
      const saved = await saveSnapshot(hostOf(inv), cluster.world, { automatic: 'before-fix' }, { reason: 'before doctor --fix', checkEnded: () => checkContext(ctx) });
      return saved.name;
    },
  };
}

const SAID = { back: 'went back to the state before it', forward: 'did the steps that were left', gone: 'somebody else has finished it' };

/** An intent bears the name of its workflow, which is what its problem locks. */
async function finish(ctx: Context, cluster: Cluster, problem: Problem): Promise<string | undefined> {
  const [keyspace, workflow] = problem.object.split('.');
  const intent = keyspace === undefined || workflow === undefined ? undefined : await findIntent(ctx, cluster, keyspace, workflow);
  if (intent === undefined) return undefined;
  return `${intent.command}: ${SAID[await finishIntent(ctx, cluster, intent)]}`;
}
