/**
 * What a VDiff was asked to do, as `_vt.vdiff` keeps it: the record tabletmanagerdata.VDiffOptions in Go's JSON, so that a resumed
 * diff knows it. Vitess: go/vt/vtctl/workflow/vdiff.go VDiffCreate.
 */
export interface VDiffOptions {
  picker_options: {
    /** `in_order:RDONLY,REPLICA,PRIMARY`. */
    tablet_types: string;
    /** Cells with commas between them. */
    source_cell: string;
    target_cell: string;
  };
  core_options: {
    /** Tables with commas between them; empty means all. */
    tables: string;
    auto_retry: boolean;
    /** Rows to compare of each table. */
    max_rows: number;
    /** How long streams may take to reach the position of the sources. */
    timeout_seconds: number;
    max_extra_rows_to_compare: number;
    update_table_stats: boolean;
    /** 0: no limit. */
    max_diff_seconds: number;
    auto_start: boolean;
  };
  report_options: {
    only_pks: boolean;
    debug_query: boolean;
    max_sample_rows: number;
    row_diff_column_truncate_at: number;
  };
}

const IN_ORDER = 'in_order:';

/** Tablet types as a picker reads them. Vitess: go/vt/discovery BuildTabletTypesString. */
export function tabletTypesText(types: readonly string[], inOrder: boolean): string {
  return `${inOrder ? IN_ORDER : ''}${types.join(',')}`;
}

/** The types of such a text. */
export function tabletTypesOf(text: string): string[] {
  return text.replace(IN_ORDER, '').split(',').filter((type) => type !== '');
}

/** The parts of a list with commas, without empty ones. */
export function listOf(text: string): string[] {
  return text.split(',').map((part) => part.trim()).filter((part) => part !== '');
}
