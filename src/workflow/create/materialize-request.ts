/** A table that a Materialize makes from a select. */
export interface TableSettings {
  target_table: string;
  source_expression: string;
  /** A CREATE TABLE statement, `copy`, `copy:drop_constraint` or `copy:drop_foreign_keys`; '' where the table is there. */
  create_ddl: string;
}

/** What `Materialize create` was asked to do. */
export interface MaterializeRequest {
  workflow: string;
  sourceKeyspace: string;
  targetKeyspace: string;
  settings: readonly TableSettings[];
  /** Tables to be copied whole to every target shard, instead of settings. */
  referenceTables: readonly string[];
  cells: readonly string[];
  tabletTypes: readonly string[];
  inOrder: boolean;
  stopAfterCopy: boolean;
}
