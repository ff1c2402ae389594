import { formatDuration } from '../lib/duration.ts';
import { UserError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import type { GateOptions } from '../gate/gate.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { cellNames } from '../topo/cells.ts';
import type { Invocation } from './spec.ts';

const OF_THE_BUFFER = ['buffer-window', 'buffer-max-failover-duration', 'buffer-size', 'buffer-min-time-between-failovers'];

/** The gate that the flags ask for, in the cell that they name. Throws UserError for an unknown cell, and for flags that do nothing. */
export async function gateOptions(ctx: Context, cluster: Cluster, { flags }: Invocation): Promise<GateOptions> {
  const cells = await cellNames(ctx, cluster.topo);
  const cell = flags.given('cell') ? flags.str('cell') : (cells[0] ?? '');
  if (flags.given('cell') && !cells.includes(cell)) throw new UserError(`there is no cell '${cell}'; there are: ${cells.join(', ')}`, { exit: 2 });
  const shardRules = flags.bool('enable-partial-keyspace-migration');
  const vschemaWaitMs = flags.duration('vschema-wait');
  if (vschemaWaitMs < 0) throw new UserError(`--vschema-wait ${formatDuration(vschemaWaitMs)} is negative`, { exit: 2 });
  if (!flags.bool('enable-buffer')) {
    const idle = OF_THE_BUFFER.find((name) => flags.given(name));
    if (idle !== undefined) throw new UserError(`--${idle} does nothing without --enable-buffer`, { exit: 2 });
    return { cell, shardRules, vschemaWaitMs };
  }
  if (flags.given('vschema-wait')) {
    const next = 'with a buffer a refused statement waits for half of --buffer-max-failover-duration';
    throw new UserError('--vschema-wait does nothing with --enable-buffer', { next, exit: 2 });
  }
  return {
    cell,
    shardRules,
    buffer: {
      windowMs: flags.duration('buffer-window'),
      size: flags.int('buffer-size'),
      maxFailoverMs: flags.duration('buffer-max-failover-duration'),
      minBetweenMs: flags.duration('buffer-min-time-between-failovers'),
    },
  };
}
