import type { Adapter } from '../fields.ts';
import { deniedTablesAdapters } from './denied-tables.ts';
import { keyRangeAdapters } from './key-ranges.ts';
import { lockAdapters } from './locks.ts';
import { parsingAdapters } from './parsing.ts';
import { ruleAdapters } from './rules.ts';
import { srvKeyspaceAdapters } from './srv-keyspace.ts';
import { topoRecordAdapters } from './topo-records.ts';
import { vdiffAdapters } from './vdiff.ts';
import { vindexAdapters } from './vindex.ts';
import { createAdapters } from './workflow/create.ts';
import { dryRunStepAdapters } from './workflow/dry-run-steps.ts';
import { engineAdapters } from './workflow/engine.ts';
import { mirrorAdapters } from './workflow/mirror.ts';
import { partAdapters } from './workflow/parts.ts';
import { partialAdapters } from './workflow/partial.ts';
import { reshardAdapters } from './workflow/reshard.ts';
import { sequenceAdapters } from './workflow/sequences.ts';
import { workflowAdapters } from './workflow/adapters.ts';

/** Every adapter; the first that serves a case's area and operation drives it. */
export const ADAPTERS: readonly Adapter[] = [
  ...vindexAdapters,
  ...keyRangeAdapters,
  ...parsingAdapters,
  ...deniedTablesAdapters,
  ...lockAdapters,
  ...topoRecordAdapters,
  ...srvKeyspaceAdapters,
  ...ruleAdapters,
  ...partAdapters,
  ...vdiffAdapters,
  ...engineAdapters,
  ...sequenceAdapters,
  ...dryRunStepAdapters,
  ...reshardAdapters,
  ...partialAdapters,
  ...mirrorAdapters,
  ...createAdapters,
  ...workflowAdapters,
];
