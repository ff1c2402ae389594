/** What a diff of one table found. Its names are Vitess's: it is kept and printed as JSON. Vitess: go/vt/vttablet/tabletmanager/vdiff/report.go. */

/** A row that differs: columns as text, and the query that finds it where one was asked for. */
export interface RowDiff {
  Row?: Record<string, string>;
  Query?: string;
}

/** A row that both sides have, with different contents. */
export interface DiffMismatch {
  Source?: RowDiff;
  Target?: RowDiff;
}

/** Counts, and a few rows to look at. */
export interface DiffReport {
  TableName: string;
  ProcessedRows: number;
  MatchingRows: number;
  MismatchedRows: number;
  ExtraRowsSource: number;
  ExtraRowsTarget: number;
  ExtraRowsSourceSample?: RowDiff[];
  ExtraRowsTargetSample?: RowDiff[];
  MismatchedRowsSample?: DiffMismatch[];
}

/** A report of nothing yet. */
export function emptyReport(table = ''): DiffReport {
  return { TableName: table, ProcessedRows: 0, MatchingRows: 0, MismatchedRows: 0, ExtraRowsSource: 0, ExtraRowsTarget: 0 };
}

/** Reads a report; what it lacks is zero. Throws SyntaxError for text that is no JSON. */
export function readReport(text: string | null): DiffReport {
  return text === null || text === '' ? emptyReport() : { ...emptyReport(), ...(JSON.parse(text) as Partial<DiffReport>) };
}

/** True if the sides differ in anything. */
export function hasDifference(report: DiffReport): boolean {
  return report.MismatchedRows > 0 || report.ExtraRowsSource > 0 || report.ExtraRowsTarget > 0;
}
