import type { StreamRow } from '../tablet/vreplication/streams.ts';

/**
 * How far a stream is behind, in seconds. `transaction` counts from the last transaction applied, unless the last
 * sign of life was a heartbeat; `time-updated`, until #17616, counted from any update, so that a throttled stream
 * looked caught up. Vitess: go/vt/vtctl/workflow/utils.go getVReplicationTrxLag.
 */
export function streamLag(row: StreamRow, now: number, by: 'transaction' | 'time-updated'): number {
  if (by === 'time-updated') return Math.max(0, now - row.time_updated);
  let base = row.transaction_timestamp;
  if (base === 0 || (row.time_updated === row.time_heartbeat && row.time_updated > base)) base = row.time_updated;
  return Math.max(0, now - base);
}

/** The state that people are told, which is not always the one stored. Vitess: getStreamState. */
export function derivedState(row: StreamRow, copying: boolean): StreamRow['state'] {
  if ((row.message ?? '').toLowerCase().includes('error')) return 'Error';
  if (row.state === 'Running' && copying) return 'Copying';
  return row.state;
}
