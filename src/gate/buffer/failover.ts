import { errorText, VtError, vtError, wrapError } from '../../lib/errors.ts';

/** The errors that make a gate buffer, and those that buffering ends with. Vitess: go/vt/vtgate/buffer/buffer.go. */

/** True for an error that says a failover is going on: a tablet that does not serve, or a table that it refuses. */
export function isFailover(error: unknown): error is VtError {
  if (!(error instanceof VtError)) return false;
  if (isClusterEvent(error)) return true;
  return error.code === 'FAILED_PRECONDITION' && error.message.includes('disallowed due to rule');
}

/** True for an error that says that a primary does not serve now. */
export function isClusterEvent(error: unknown): boolean {
  return error instanceof VtError && error.code === 'CLUSTER_EVENT';
}

/** True for a statement that a tablet refused because of its denied tables: it is planned anew and tried again. */
export function isDeniedTable(error: unknown): boolean {
  return rootOf(error).includes('enforce denied tables');
}

/** The text at the bottom of wrapped errors, as Go's RootCause finds it. */
function rootOf(error: unknown): string {
  let root = error;
  while (root instanceof VtError && root.cause !== undefined) root = root.cause;
  return errorText(root);
}

/** Every place is taken, by statements for other shards. */
export const bufferFull = (): VtError => vtError('UNAVAILABLE', 'primary buffer is full');

/** The statement had waited longest when another one needed its place. */
export const evicted = (): VtError => vtError('UNAVAILABLE', 'buffer full: request evicted for newer request');

/** The statement's shard is not served any more, although its keyspace is. */
export const shardMissing = (): VtError => vtError('UNAVAILABLE', 'destination shard is missing after a resharding operation');

/** The statement's own time was up. */
export const contextEnded = (why: string): VtError =>
  vtError('UNAVAILABLE', `context was canceled before failover finished: ${why}`);

/** True for what `shardMissing` made, wrapped or not: such a statement is sent again to where its rows are now. */
export function isShardMissing(error: unknown): boolean {
  return rootOf(error) === shardMissing().message;
}

/** What a statement ends with whose shards were gone each time. Vitess: vcursorImpl.ExecutePrimitive. */
export const noUpstreamShards = (): VtError => vtError('UNAVAILABLE', 'upstream shards are not available');

/** What a client is told when its statement was not buffered, or not long enough. `original` is what it met first. */
export function couldNotBuffer(error: VtError, original: VtError | undefined): VtError {
  // Go's %T and %v of the first error: none, when the statement met a buffer that was filling already.
  const [type, text] = original === undefined ? ['<nil>', '<nil>'] : ['*vterrors.fundamental', original.message];
  return wrapError(
    error,
    `failed to automatically buffer and retry failed request during failover. original err (type=${type}): ${text}`,
  );
}

/** What a statement ends with that was refused each time. Vitess: go/vt/vtgate/plan_execute.go. */
export function failedAfterRetries(sql: string, error: unknown): VtError {
  return vtError('INTERNAL', `query ${sql} failed after retries: ${errorText(error)} `);
}
