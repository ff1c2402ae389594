import { UserError } from '../../lib/errors.ts';
import { parseTabletAlias } from '../../lib/names.ts';
import { missingPrivileges, type Privilege, PRIVILEGES, writeGrants } from '../../tablet/privileges.ts';
import { aliasText, getTablet } from '../../topo/tablets.ts';
import { clientSide } from '../client-error.ts';
import { withCluster } from '../cluster.ts';
import type { Invocation } from '../spec.ts';
import { unknownName } from '../unknown-name.ts';

/** Sets what the filtered user of a tablet's MySQL may do. The tablets of a shard share one, so it holds for all of them. */
export function run(inv: Invocation): Promise<number> {
  const alias = clientSide(() => parseTabletAlias(inv.args[0]!), { exit: 2 });
  const allow = inv.flags.strings('allow').map(privilegeOf);
  const on = inv.flags.str('on').trim();
  if (on === '') throw new UserError('--on "" is empty: rights are granted on something', { next: 'leave it out for everything', exit: 2 });
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    const { keyspace = '', shard = '' } = await getTablet(ctx, cluster.topo, alias);
    const grants = { on, allow: PRIVILEGES.filter((privilege) => allow.includes(privilege)) };
    await writeGrants(cluster.shards.open(keyspace, shard), cluster.world, grants);
    const missing = missingPrivileges(grants);
    const lacks = missing.length === 0 ? 'everything that managing workflows takes' : `all but ${missing.join(', ')} of what managing workflows takes`;
    inv.io.stdout.write(`The MySQL user of ${aliasText(alias)} (shard ${keyspace}/${shard}) may do ${lacks}\n`);
    return 0;
  });
}

function privilegeOf(typed: string): Privilege {
  const wanted = typed.trim().toUpperCase();
  const found = PRIVILEGES.find((privilege) => privilege === wanted);
  if (found === undefined) throw unknownName('privilege', typed, PRIVILEGES);
  return found;
}
