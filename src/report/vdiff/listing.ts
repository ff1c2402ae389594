/** The diffs of a workflow as `show all` prints them. Vitess: go/cmd/vtctldclient/command/vreplication/vdiff/vdiff.go buildListings. */
import { displayWidth, padStart } from '../../lib/table.ts';
import { goJson } from '../../topo/proto/encode.ts';

/** One diff on one shard. */
export interface VDiffListing {
  UUID: string;
  Workflow: string;
  Keyspace: string;
  Shard: string;
  State: string;
}

const COLUMNS = ['UUID', 'Workflow', 'Keyspace', 'Shard', 'State'] as const;
/** Blanks left of the longest cell of a column, and right of every one. */
const LEFT = 4;
const RIGHT = 1;

/** A grid, followed by an empty line; a sentence where there are none. */
export function listingText(listings: readonly VDiffListing[], keyspace: string, workflow: string): string {
  if (listings.length === 0) return `No vdiffs found for ${keyspace}.${workflow}\n`;
  const rows = listings.map((listing) => COLUMNS.map((column) => listing[column]));
  const widths = COLUMNS.map((column, at) => Math.max(displayWidth(column), ...rows.map((row) => displayWidth(row[at]!))));
  const rule = (char: string): string => `+${widths.map((width) => char.repeat(LEFT + width + RIGHT)).join('+')}+`;
  const line = (cells: readonly string[]): string => `|${cells.map((cell, at) => ' '.repeat(LEFT) + padStart(cell, widths[at]!) + ' '.repeat(RIGHT)).join('|')}|`;
  const body = rows.flatMap((row) => [line(row), rule('-')]);
  return [rule('-'), line(COLUMNS), rule('='), ...body, '', ''].join('\n');
}

export function listingJson(listings: readonly VDiffListing[]): string {
  return goJson('plain', listings);
}
