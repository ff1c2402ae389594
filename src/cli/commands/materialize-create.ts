import { createMaterialize } from '../../workflow/create/materialize-create.ts';
import { withCluster } from '../cluster.ts';
import { checkCreateOptions } from '../create-options.ts';
import { letPass } from '../deviations.ts';
import { outputFormat } from '../flags.ts';
import { refuseLaterFlag } from '../later-flags.ts';
import { refuseUnknownCells } from '../places.ts';
import type { Invocation } from '../spec.ts';
import { parseTableSettings } from '../table-settings.ts';

/** vtctldclient's own checks, before the one for required flags. */
export function validate(inv: Invocation): void {
  if (inv.flags.given('table-settings')) parseTableSettings(inv.flags.str('table-settings'));
  checkCreateOptions(inv);
}

/** Creates the workflow and starts it. */
export async function run(inv: Invocation): Promise<number> {
  const { flags } = inv;
  const format = outputFormat(inv);
  const workflow = flags.str('workflow');
  const targetKeyspace = flags.str('target-keyspace');
  const { settings, unknown } = flags.given('table-settings') ? parseTableSettings(flags.str('table-settings')) : { settings: [], unknown: [] };
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    refuseLaterFlag(inv, 'reference-tables', cluster.release.behaviours.referenceTables);
    const cells = flags.strings('cells').map((cell) => cell.trim());
    await refuseUnknownCells(ctx, cluster, cells);
    if (unknown.length > 0) {
      letPass(cluster, 'settings-unknown-field', `--table-settings has a field that means nothing: ${unknown.join(', ')}; there are target_table, source_expression and create_ddl`);
    }
    await createMaterialize(ctx, cluster, {
      workflow,
      sourceKeyspace: flags.str('source-keyspace'),
      targetKeyspace,
      settings,
      referenceTables: flags.strings('reference-tables'),
      cells,
      tabletTypes: flags.tabletTypes('tablet-types'),
      inOrder: flags.bool('tablet-types-in-preference-order'),
      stopAfterCopy: flags.bool('stop-after-copy'),
    });
    const text = `Materialization workflow ${workflow} successfully created in the ${targetKeyspace} keyspace. Use show to view the status.`;
    inv.io.stdout.write(format === 'json' ? `${JSON.stringify({ Action: 'create', Status: 'success' }, null, 2)}\n` : `${text}\n`);
    return 0;
  });
}
