import { createReshard } from '../../workflow/create/reshard.ts';
import { withCluster } from '../cluster.ts';
import { cellsOf, checkCreateOptions, configOverrides, deferSecondaryKeysOf, onDdlOf, refuseBadConfig } from '../create-options.ts';
import { outputFormat } from '../flags.ts';
import { refuseLaterFlag } from '../later-flags.ts';
import type { Invocation } from '../spec.ts';
import { printStatus } from '../status-output.ts';

/** vtctldclient's own checks, before the one for required flags. */
export function validate(inv: Invocation): void {
  checkCreateOptions(inv);
}

/** Creates the workflow and prints its status, as `status` does. */
export async function run(inv: Invocation): Promise<number> {
  const { flags } = inv;
  const format = outputFormat(inv);
  const config = configOverrides(inv);
  return withCluster(inv, { history: true }, async (scope) => {
    refuseLaterFlag(inv, 'config-overrides', scope.cluster.release.behaviours.configOverrides);
    refuseBadConfig(scope.cluster, config);
    const status = await createReshard(scope.ctx, scope.cluster, {
      workflow: flags.str('workflow'),
      keyspace: flags.str('target-keyspace'),
      sourceShards: flags.strings('source-shards'),
      targetShards: flags.strings('target-shards'),
      cells: await cellsOf(inv, scope),
      tabletTypes: flags.tabletTypes('tablet-types'),
      inOrder: flags.bool('tablet-types-in-preference-order'),
      onDdl: onDdlOf(inv),
      deferSecondaryKeys: deferSecondaryKeysOf(inv, scope.cluster),
      autoStart: flags.bool('auto-start'),
      stopAfterCopy: flags.bool('stop-after-copy'),
      skipSchemaCopy: flags.bool('skip-schema-copy'),
      config,
    });
    printStatus(inv, status, format);
    return 0;
  });
}
