import { InvariantError } from '../lib/errors.ts';
import { mysqlError } from '../sql/mysql-errors.ts';
import type { World } from '../runtime/world.ts';
import type { ShardDb } from './shard-db.ts';

/** The rights that managing a workflow takes, in the order in which a tablet tries them. */
export const PRIVILEGES = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const;

export type Privilege = (typeof PRIVILEGES)[number];

/** The MySQL user under which a tablet manages streams (`--db-filtered-user`). */
export const FILTERED_USER = 'vt_filtered';
/** Where streams are kept. */
const SIDECAR = '_vt';

/** What the filtered user of a shard may do: rights on everything (`*`), on a database or pattern of names, or on one table. */
export interface Grants {
  on: string;
  allow: Privilege[];
}

const EVERYTHING: Grants = { on: '*', allow: [...PRIVILEGES] };

/** The grants of a shard's MySQL; everything unless somebody has changed them. */
export function readGrants(shard: ShardDb): Grants {
  const row = shard.db.get<{ value: string }>("SELECT value FROM _meta WHERE key = 'grants'");
  return row === undefined ? EVERYTHING : (JSON.parse(row.value) as Grants);
}

/** Replaces the grants. */
export async function writeGrants(shard: ShardDb, world: World, grants: Grants): Promise<void> {
  await shard.db.write(world.clock, () => {
    shard.db.run("INSERT INTO _meta VALUES ('grants', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", JSON.stringify(grants));
  });
}

/** The rights that the user really lacks on `_vt.vreplication`. */
export function missingPrivileges(grants: Grants): Privilege[] {
  return coversSidecar(grants.on) ? PRIVILEGES.filter((privilege) => !grants.allow.includes(privilege)) : [...PRIVILEGES];
}

/** Throws MySQL's 1142 unless the user may do all of this to `_vt.vreplication`. */
export function requirePrivileges(shard: ShardDb, wanted: readonly Privilege[]): void {
  const missing = missingPrivileges(readGrants(shard));
  const first = wanted.find((privilege) => missing.includes(privilege));
  if (first !== undefined) throw commandDenied(first);
}

/** 1142, as MySQL says it of the filtered user. */
export function commandDenied(privilege: Privilege): ReturnType<typeof mysqlError> {
  return mysqlError('PERMISSION_DENIED', `${privilege} command denied to user '${FILTERED_USER}'@'localhost' for table 'vreplication'`, 1142, '42000');
}

/** What is wrong with the rights on `_vt.vreplication`, as a check of this kind sees it; undefined when it is content. */
export function privilegeProblem(grants: Grants, how: 'exact' | 'wildcards' | 'tried', alias: string): string | undefined {
  if (how === 'tried') {
    const first = missingPrivileges(grants)[0];
    if (first === undefined) return undefined;
    return `user ${FILTERED_USER} does not have ${first} permission on ${SIDECAR}.vreplication table on tablet ${alias}: ${commandDenied(first).message}`;
  }
  // The query looks for one grant that gives all four rights; until #18348 it compared the database's name literally.
  const seen = how === 'wildcards' ? coversSidecar(grants.on) : !grants.on.includes('%') && coversSidecar(grants.on);
  if (seen && PRIVILEGES.every((privilege) => grants.allow.includes(privilege))) return undefined;
  return `user ${FILTERED_USER} does not have the required set of permissions (select,insert,update,delete) on the ${SIDECAR}.vreplication table on tablet ${alias}`;
}

/** A database of a grant is a pattern: `%` is any text, `_` any character unless escaped. */
function coversSidecar(on: string): boolean {
  if (on === '*') return true;
  const [database, table = 'vreplication'] = on.split('.');
  if (database === undefined) throw new InvariantError('a grant on nothing');
  const pattern = database.replace(/\\_|[.*+?^${}()|[\]\\%_]/g, (found) => {
    if (found === '\\_') return '_';
    if (found === '%') return '.*';
    return found === '_' ? '.' : `\\${found}`;
  });
  return (table === 'vreplication' || table === '*') && new RegExp(`^${pattern}$`).test(SIDECAR);
}
