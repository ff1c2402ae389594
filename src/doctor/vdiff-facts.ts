import type { Cluster } from '../tablet/cluster.ts';
import { readVDiffTables, recentVDiffs } from '../tablet/vdiff/records.ts';
import type { Picture } from '../workflow/facts/stranded/found.ts';

/** What the newest VDiff of a workflow found on a target shard. */
export interface VDiffFacts {
  keyspace: string;
  workflow: string;
  shard: string;
  uuid: string;
  state: string;
  /** `2026-03-27 12:00:00` UTC. */
  at: string;
  /** Tables whose rows differ. */
  differ: string[];
}

/** The newest VDiff of each workflow, by shard. */
export function gatherVDiffs(cluster: Cluster, { workflows }: Pick<Picture, 'workflows'>): VDiffFacts[] {
  return workflows.flatMap(({ keyspace, workflow, targets }) =>
    targets.flatMap((place): VDiffFacts[] => {
      const shard = place.slice(keyspace.length + 1);
      const db = cluster.shards.open(keyspace, shard);
      const [newest] = recentVDiffs(db, keyspace, workflow, 1);
      if (newest === undefined) return [];
      const differ = readVDiffTables(db, newest.id).filter(({ mismatch }) => mismatch === 1).map((table) => table.table_name);
      return [{ keyspace, workflow, shard, uuid: newest.vdiff_uuid, state: newest.state, at: newest.completed_at ?? newest.created_at, differ }];
    }),
  );
}
