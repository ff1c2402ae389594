import { formatRfc3339 } from '../../lib/go-time.ts';
import { formatTable } from '../../lib/table.ts';
import type { LockEvent, LockEventKind } from '../../topo/conn/lock-events.ts';
import { lockText } from '../../topo/lock-names.ts';
import type { ShowOptions } from './options.ts';

const WHAT: Readonly<Record<LockEventKind, string>> = {
  granted: 'for',
  expired: 'lease ran out, at step',
  reaped: 'holder was dead, at step',
  stolen: 'taken away, at step',
  released: 'ended',
};

/** What became of locks, oldest first. */
export function renderLockHistory(events: readonly LockEvent[], { paint }: ShowOptions): string[] {
  if (events.length === 0) return ['no lock has been taken yet'];
  const rows = events.map(({ at, kind, resource, token, owner, detail }) => [
    formatRfc3339(at),
    kind === 'granted' ? kind : paint.yellow(kind),
    lockText(resource),
    String(token),
    owner,
    detail === '' ? '' : `${WHAT[kind]} ${detail}`,
  ]);
  return formatTable(rows, { header: ['AT', 'EVENT', 'RESOURCE', 'TOKEN', 'HOLDER', 'DETAIL'], right: [3] }).split('\n');
}
