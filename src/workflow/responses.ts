import type { TabletAlias } from '../topo/proto/types.ts';

/** Vitess's answer to start and stop. */
export interface UpdateResponse {
  summary: string;
  details: { tablet: TabletAlias; changed: boolean }[];
}

/** Vitess's answer to cancel and to Workflow delete. */
export interface DeleteResponse {
  summary: string;
  details: { tablet: TabletAlias; deleted: boolean }[];
}

/** Vitess's answer to complete. */
export interface CompleteResponse {
  summary: string;
  dry_run_results: string[];
}
