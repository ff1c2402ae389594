import type { Cluster } from '../../tablet/cluster.ts';
import { listingJson, listingText } from '../../report/vdiff/listing.ts';
import { readWorkflow } from '../../workflow/vdiff/members.ts';
import type { TrafficSwitcher } from '../../workflow/switcher.ts';
import { lastVDiff, listVDiffs, showVDiff } from '../../workflow/vdiff/show.ts';
import { buildSummary } from '../../workflow/vdiff/summary.ts';
import type { Context } from '../../runtime/context.ts';
import { withCluster } from '../cluster.ts';
import { outputFormat } from '../flags.ts';
import type { Invocation } from '../spec.ts';
import { advance, tellWaiting } from '../vdiff-advance.ts';
import { uuidOrWord } from '../vdiff-arguments.ts';
import { printSummary } from '../vdiff-output.ts';
import { VDiffBar } from '../vdiff-progress.ts';

const WORDS = ['all', 'last'];

export function validate(inv: Invocation): void {
  uuidOrWord(inv, WORDS);
}

/** Prints one diff or the list of them, after going on with those that nobody works on. */
export async function run(inv: Invocation): Promise<number> {
  const format = outputFormat(inv);
  const asked = uuidOrWord(inv, WORDS);
  const [keyspace, workflow] = [inv.flags.str('target-keyspace'), inv.flags.str('workflow')];
  return withCluster(inv, {}, async ({ ctx, cluster }) => {
    const sw = await readWorkflow(ctx, cluster, { keyspace, workflow });
    const uuid = asked === 'last' ? lastVDiff(sw) : asked === 'all' ? undefined : asked;
    if (asked === 'last' && uuid === undefined) {
      inv.io.stdout.write(format === 'json' ? '{}\n' : `No previous vdiff found for ${keyspace}.${workflow}\n`);
      return 0;
    }
    const bar = new VDiffBar(inv, { json: format === 'json' });
    tellWaiting(inv, await advance(ctx, cluster, sw, inv, bar, uuid));
    return uuid === undefined ? list(inv, ctx, cluster, sw, format) : show(inv, ctx, cluster, sw, { uuid, isLast: asked === 'last', format });
  });
}

async function list(inv: Invocation, ctx: Context, cluster: Cluster, sw: TrafficSwitcher, format: 'text' | 'json'): Promise<number> {
  const found = [...(await listVDiffs(ctx, cluster, sw)).values()].flat();
  const listings = found.map((row) => ({ UUID: row.vdiff_uuid, Workflow: row.workflow, Keyspace: row.keyspace, Shard: row.shard, State: row.state }));
  inv.io.stdout.write(format === 'json' ? `${listingJson(listings)}\n` : listingText(listings, sw.targetKeyspace, sw.workflow));
  return 0;
}

async function show(
  inv: Invocation,
  ctx: Context,
  cluster: Cluster,
  sw: TrafficSwitcher,
  { uuid, isLast, format }: { uuid: string; isLast: boolean; format: 'text' | 'json' },
): Promise<number> {
  const rows = await showVDiff(ctx, cluster, sw, uuid, { last: isLast });
  const verbose = inv.flags.bool('verbose');
  const summary = buildSummary({ keyspace: sw.targetKeyspace, workflow: sw.workflow, uuid, verbose, now: cluster.world.clock.now() }, rows);
  printSummary(inv, cluster, summary, format);
  return 0;
}
