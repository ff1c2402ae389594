import { formatTable } from '../../lib/table.ts';
import { sizeText } from './size.ts';

/** A snapshot that has a name. */
export interface ListedSnapshot {
  name: string;
  /** RFC 3339. */
  savedAt: string | undefined;
  vitessVersion: string | undefined;
  bytes: number | undefined;
  /** Why it was saved, where nobody asked for it. */
  reason: string | undefined;
  /** Why it cannot be restored. */
  problem: string | undefined;
}

/** A table of snapshots. */
export function renderSnapshots(snapshots: readonly ListedSnapshot[]): string[] {
  if (snapshots.length === 0) return ['no snapshot has been saved yet'];
  const rows = snapshots.map(({ name, savedAt, vitessVersion, bytes, reason, problem }) => [
    name,
    savedAt ?? '-',
    vitessVersion ?? '-',
    bytes === undefined ? '-' : sizeText(bytes),
    problem ?? reason ?? '',
  ]);
  return formatTable(rows, { header: ['NAME', 'SAVED', 'BEHAVES LIKE', 'SIZE', 'WHY'], right: [3] }).split('\n');
}
