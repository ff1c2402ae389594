import { plainError, vtError } from '../../lib/errors.ts';
import { callTablet } from '../../tablet/manager.ts';
import { privilegeProblem, readGrants } from '../../tablet/privileges.ts';
import { isStopped } from '../../tablet/process.ts';
import { readView } from '../../tablet/view.ts';
import type { Tablet } from '../../topo/proto/types.ts';
import { aliasText, readableTablets } from '../../topo/tablets.ts';
import { forAll } from '../fan-out.ts';
import type { MigrationTarget } from '../switcher.ts';
import type { SwitchRun } from './run.ts';

/**
 * Throws unless the source primaries may manage the reverse workflow. What is looked at changed twice: see
 * `reversePrivileges`. Vitess: Server.validateShardsHaveVReplicationPermissions.
 */
export async function checkPrivileges(run: SwitchRun): Promise<void> {
  const { cluster, sw, ctx } = run;
  const how = cluster.release.behaviours.reversePrivileges;
  if (how === 'none') return;
  await forAll(sw.sources, async (source) => {
    const alias = aliasText(source.primary.alias);
    const problem = await callTablet(ctx, cluster, source.primary, 'ValidateVReplicationPermissions', async () =>
      privilegeProblem(readGrants(source.db), how, alias),
    );
    if (problem === undefined) return;
    const text = how === 'exact' ? problem : `failed to validate required vreplication metadata permissions: ${problem}`;
    throw vtError('FAILED_PRECONDITION', text);
  });
}

/** What a stream without tablet types takes. */
const ANY_TYPE = 'replica,rdonly,primary';

/**
 * Throws unless each target shard has a tablet of the workflow's cells and types, that the reverse workflow can stream
 * from. It is a look at this moment: tablets may go later (#8142). Vitess: areTabletsAvailableToStreamFrom and discovery.TabletPicker.
 */
export async function checkTablets(run: SwitchRun): Promise<void> {
  const { cluster, sw, request, ctx } = run;
  const first = sw.targets[0]?.streams[0]?.row;
  const types = ((first?.tablet_types ?? '') || ANY_TYPE).replace(/^in_order:/, '').toUpperCase().split(',');
  const asked = request.cells.length > 0 ? [...request.cells] : (first?.cell ?? '').split(',').filter((cell) => cell !== '');
  const missing: MigrationTarget[] = [];
  for (const target of sw.targets) {
    // A cell that cannot be read is passed over, as Vitess's picker does.
    const { tablets } = await readableTablets(ctx, cluster.topo, target.info);
    if (!hasTablet(target, tablets, types, asked)) missing.push(target);
  }
  if (missing.length === 0) return;
  throw plainError(missing.map(({ info }) => `no tablet found to source data in keyspace ${info.keyspace}, shard ${info.name}`).join(';'));
}

/** A workflow that takes the primary alone finds it in any cell; the cell of a shard's primary always counts. */
function hasTablet(target: MigrationTarget, tablets: readonly Tablet[], types: readonly string[], asked: readonly string[]): boolean {
  const { info, primary, db } = target;
  const cells = new Set([...asked, primary.alias?.cell ?? '']);
  const anywhere = types.length === 1 && types[0] === 'PRIMARY';
  return tablets.some(
    ({ alias, keyspace, shard, type = 'UNKNOWN' }) =>
      keyspace === info.keyspace &&
      shard === info.name &&
      types.includes(type) &&
      (anywhere || cells.has(alias?.cell ?? '')) &&
      readView(db, aliasText(alias))?.serving === true &&
      !isStopped(db, aliasText(alias)),
  );
}
