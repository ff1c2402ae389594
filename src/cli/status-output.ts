import { WorkflowStatusResponse } from '../topo/proto/messages-vtctldata-workflow.ts';
import type { WorkflowStatus } from '../workflow/status.ts';
import type { Invocation } from './spec.ts';
import { printRecord } from './vtctl-output.ts';

/** Prints a status as `create` and `status` do. Vitess: go/cmd/vtctldclient/command/vreplication/common/status.go. */
export function printStatus(inv: Invocation, status: WorkflowStatus, format: string): void {
  if (format === 'json') {
    printRecord(inv, WorkflowStatusResponse, status);
    return;
  }
  const { flags } = inv;
  const keyspace = flags.str('target-keyspace');
  const lines = [`The following vreplication streams exist for workflow ${keyspace}.${flags.str('workflow')}:`, ''];
  for (const [, { streams = [] }] of Object.entries(status.shard_streams ?? {}).toSorted()) {
    for (const { id, tablet, status: state, info } of streams) {
      lines.push(`id=${id} on ${keyspace}/${tablet?.cell}-${tablet?.uid}: Status: ${state}. ${info}.`);
    }
  }
  lines.push('');
  const tables = Object.entries(status.table_copy_state ?? {}).toSorted();
  if (tables.length > 0) {
    lines.push('Table Copy Status:');
    for (const [table, copy] of tables) {
      const percent = (value: number | undefined): string => (value ?? 0).toFixed(2);
      lines.push(
        `\t${table}: RowsCopied:${copy.rows_copied}, RowsTotal:${copy.rows_total}, RowsPercentage:${percent(copy.rows_percentage)}, BytesCopied:${copy.bytes_copied}, BytesTotal:${copy.bytes_total}, BytesPercentage:${percent(copy.bytes_percentage)}${phaseText(copy.phase)}`,
      );
    }
    lines.push('');
  }
  lines.push(`Traffic State: ${status.traffic_state}`, '');
  inv.io.stdout.write(lines.join('\n'));
}

/** A server of before v24 sends no phase, and then there is nothing to print. */
function phaseText(phase: string | undefined): string {
  return phase === undefined || phase === 'UNKNOWN' ? '' : `, Phase:${phase}`;
}
