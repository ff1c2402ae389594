import { lockName } from '../../workflow/facts/stranded/found.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture, ServingRecord } from '../picture.ts';
import { readsMoved } from './serving-graph.ts';

/** Keyspaces that still have entries for query services which are all on: what a cancelled Reshard switch leaves (K15). */
export function controlsLeftOver(picture: DoctorPicture): Finding[] {
  return withIdleControls(picture).flatMap(({ keyspace, cells }) => {
    // A rebuild would switch the reads back.
    if (readsMoved(picture.records.serving.filter((one) => one.keyspace === keyspace))) return [];
    return [
      {
        kind: 'controls-left-over',
        object: keyspace,
        keyspaces: [keyspace],
        workflows: picture.workflows.filter((one) => one.kind === 'shards' && one.keyspace === keyspace).map(lockName),
        text: `${keyspace} has tablet controls in ${cells.map(({ cell }) => cell).join(', ')}, and no switch is under way`,
        next: [`RebuildKeyspaceGraph ${keyspace}`],
      },
    ];
  });
}

/** The same where the reads of a Reshard are switched: only a switch that succeeds clears them. */
export function controlNotes(picture: DoctorPicture): string[] {
  return withIdleControls(picture)
    .filter(({ keyspace }) => readsMoved(picture.records.serving.filter((one) => one.keyspace === keyspace)))
    .map(({ keyspace }) => `${keyspace} has tablet controls of a switch that did not happen; the next one that succeeds clears them, a rebuild would take the reads back`);
}

function withIdleControls({ keyspaces, records }: DoctorPicture): { keyspace: string; cells: ServingRecord[] }[] {
  return keyspaces.flatMap((keyspace) => {
    const own = records.serving.filter((one) => one.keyspace === keyspace);
    const controls = ({ record }: ServingRecord) => (record?.partitions ?? []).flatMap((partition) => partition.shard_tablet_controls ?? []);
    const cells = own.filter((one) => controls(one).length > 0);
    return cells.length === 0 || own.some((one) => controls(one).some((control) => control.query_service_disabled === true)) ? [] : [{ keyspace, cells }];
  });
}
