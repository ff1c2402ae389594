import type { Finding } from '../finding.ts';
import { type DoctorPicture, nameOfShard } from '../picture.ts';

/** Shards with tablets and no primary. One without tablets is about to get some. */
export function noPrimary({ shards }: DoctorPicture): Finding[] {
  return shards.flatMap((shard): Finding[] => {
    const { keyspace, primary, tablets, tables } = shard;
    const name = nameOfShard(shard);
    if (tablets.some((tablet) => tablet.primary) || (primary === undefined && tablets.length === 0)) return [];
    const candidate = tablets.find((tablet) => tablet.type === 'REPLICA' && tablet.state === 'up') ?? tablets.find((tablet) => tablet.state === 'up');
    const text = primary === undefined ? `${name} has no primary` : `${name} names ${primary} as its primary, and no such tablet has a record`;
    const of = tables.length === 0 ? '' : ` of ${tables.join(', ')}`;
    return [
      {
        kind: 'no-primary',
        object: name,
        keyspaces: [keyspace],
        workflows: [],
        text,
        next: candidate === undefined ? [] : [`PlannedReparentShard ${name} --new-primary ${candidate.alias}`],
        impact: [`writes${of} are refused; commands on workflows there fail`],
      },
    ];
  });
}
