/**
 * Which process works on a diff. In Vitess a diff runs in its target's vttablet, and again when that comes back; here it runs in the
 * command that began it, and another command goes on with it if that one has died.
 */
import { formatDateTime, parseDateTime } from '../../lib/go-time.ts';
import type { ProcessIdentity } from '../../runtime/processes.ts';
import type { World } from '../../runtime/world.ts';
import type { ShardDb } from '../shard-db.ts';
import { readVDiff } from './records.ts';

/** A process that cannot be asked for, as of another machine, is taken for dead when it has not been heard of for so long. */
const SILENT_MS = 60_000;

interface ClaimRow {
  vdiff_id: number;
  /** A ProcessIdentity as JSON. */
  owner: string;
  held: string | null;
}

function readClaim(shard: ShardDb, id: number): ClaimRow | undefined {
  return shard.db.get<ClaimRow>('SELECT * FROM _vdiff_run WHERE vdiff_id = ?', id);
}

/** Takes a diff that nobody works on. False if somebody does. Run it in a transaction. */
export function claimVDiff(shard: ShardDb, world: World, id: number): boolean {
  if (isWorkedOn(shard, world, id)) return false;
  shard.db.run(
    'INSERT INTO _vdiff_run (vdiff_id, owner) VALUES (?, ?) ON CONFLICT (vdiff_id) DO UPDATE SET owner = excluded.owner',
    id,
    JSON.stringify(world.processes.self),
  );
  showLife(shard, world, id);
  return true;
}

/** True while a process that lives works on a diff: this one too. */
export function isWorkedOn(shard: ShardDb, world: World, id: number): boolean {
  const claim = readClaim(shard, id);
  return claim !== undefined && !isDead(shard, world, claim);
}

/** True if this process has the claim. */
export function ownsVDiff(shard: ShardDb, world: World, id: number): boolean {
  return readClaim(shard, id)?.owner === JSON.stringify(world.processes.self);
}

/** Lets a diff go. */
export function releaseVDiff(shard: ShardDb, world: World, id: number): void {
  if (ownsVDiff(shard, world, id)) shard.db.run('DELETE FROM _vdiff_run WHERE vdiff_id = ?', id);
}

/** Notes that the process that works on a diff is alive. */
export function showLife(shard: ShardDb, world: World, id: number): void {
  shard.db.run('UPDATE "_vt.vdiff" SET liveness_timestamp = ? WHERE id = ?', formatDateTime(world.clock.now()), id);
}

function isDead(shard: ShardDb, world: World, claim: ClaimRow): boolean {
  const liveness = world.processes.liveness(JSON.parse(claim.owner) as ProcessIdentity);
  if (liveness !== 'unknown') return liveness === 'dead';
  const heard = parseDateTime(readVDiff(shard, claim.vdiff_id)?.liveness_timestamp ?? '');
  return !(world.clock.now() - heard < SILENT_MS);
}

/** The claims of processes that died while they held streams. */
export function deadHolders(shard: ShardDb, world: World): { id: number; held: string }[] {
  const claims = shard.db.all<ClaimRow>('SELECT * FROM _vdiff_run WHERE held IS NOT NULL ORDER BY vdiff_id');
  return claims.flatMap((claim) => (isDead(shard, world, claim) ? [{ id: claim.vdiff_id, held: claim.held! }] : []));
}

/** Notes which streams this process holds for a diff; null for none. */
export function noteHeld(shard: ShardDb, id: number, held: string | null): void {
  shard.db.run('UPDATE _vdiff_run SET held = ? WHERE vdiff_id = ?', held, id);
}
