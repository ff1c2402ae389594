import { compactTimestamp } from '../../lib/go-time.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import type { NewStream } from '../../tablet/vreplication/streams.ts';
import { BinlogSource } from '../../topo/proto/messages-binlogdata.ts';
import { prototext } from '../../topo/proto/prototext.ts';
import type { BinlogSource as Source } from '../../topo/proto/types-workflow.ts';
import { WORKFLOW_TYPES } from '../switcher.ts';
import type { Member } from './request.ts';

/** What every workflow that is created is asked of its streams. */
interface StreamsAsked {
  workflow: string;
  cells: readonly string[];
  tabletTypes: readonly string[];
  inOrder: boolean;
  stopAfterCopy: boolean;
}

/**
 * The row of a stream that is made and not started yet: it copies from `source` into `target`. What only one type of workflow
 * has comes on top. Vitess: go/vt/vtctl/workflow/materializer.go generateBinlogSources.
 */
export function newStreamRow(cluster: Cluster, asked: StreamsAsked, type: (typeof WORKFLOW_TYPES)[number], source: Source, target: Member): NewStream {
  const types = asked.tabletTypes.join(',');
  const binlog: Source = asked.stopAfterCopy ? { ...source, stop_after_copy: true } : source;
  return {
    workflow: asked.workflow,
    source: prototext(BinlogSource, binlog),
    pos: '',
    state: 'Stopped',
    db_name: target.db.dbName,
    // Vitess stores now() into a bigint here: YYYYMMDDhhmmss until the first update.
    time_updated: compactTimestamp(cluster.world.clock.now()),
    cell: asked.cells.length > 0 ? asked.cells.join(',') : (target.primary.alias?.cell ?? ''),
    tablet_types: asked.inOrder ? `in_order:${types}` : types,
    workflow_type: WORKFLOW_TYPES.indexOf(type),
    defer_secondary_keys: 0,
    options: '{}',
  };
}
