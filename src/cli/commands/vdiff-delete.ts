import { deleteVDiffs } from '../../workflow/vdiff/change.ts';
import { withCluster } from '../cluster.ts';
import { outputFormat } from '../flags.ts';
import type { Invocation } from '../spec.ts';
import { uuidOrWord } from '../vdiff-arguments.ts';
import { printDone } from '../vdiff-output.ts';

const WORDS = ['all'];

export function validate(inv: Invocation): void {
  uuidOrWord(inv, WORDS);
}

/** Deletes one diff or all of the workflow. */
export async function run(inv: Invocation): Promise<number> {
  const format = outputFormat(inv);
  const { flags } = inv;
  const asked = uuidOrWord(inv, WORDS);
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    const target = { keyspace: flags.str('target-keyspace'), workflow: flags.str('workflow') };
    await deleteVDiffs(ctx, cluster, target, asked === 'all' ? undefined : asked);
    printDone(inv, 'delete', format);
    return 0;
  });
}
