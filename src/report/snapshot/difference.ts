import type { Change } from '../../lib/diff-trees.ts';
import type { StateDifference } from '../../workflow/facts/compare/compare.ts';
import type { Area } from '../../workflow/facts/compare/print.ts';
import type { RowsDifference } from '../../workflow/facts/compare/rows.ts';
import type { Paint } from '../paint.ts';
import { nameList, wrapWords } from '../show/text.ts';

/** One of two states. */
export interface StateName {
  /** As it was given; undefined for the cluster as it is now. */
  name: string | undefined;
  /** RFC 3339. */
  savedAt: string | undefined;
}

const TITLES: Readonly<Record<Area, string>> = {
  cluster: 'cluster',
  cells: 'cells',
  keyspaces: 'keyspaces',
  vschemas: 'VSchemas',
  shards: 'shards',
  tablets: 'tablets',
  believes: 'what tablets believe',
  rules: 'routing rules',
  serving: 'serving graph',
  'served vschemas': "what cells serve by (SrvVSchema)",
  streams: 'streams',
  journals: 'journals',
  interrupted: 'switches that are not finished',
  tables: 'definitions of tables',
  other: 'other records',
};

/** Changes that are shown of one area. */
const MOST_CHANGES = 20;
const MOST_CHARACTERS = 160;
/** Two values that are told on one line. */
const SHORT_CHARACTERS = 60;

/** What differs, part by part: `-` what was, `+` what is. */
export function renderDifference(before: StateName, after: StateName, { areas, rows, notCompared }: StateDifference, paint: Paint): string[] {
  const lines: string[] = [];
  if (areas.length === 0 && rows.length === 0) lines.push(`${stateName(before)} and ${stateName(after)} are the same`);
  else lines.push(`${paint.dim('-')} ${stateName(before)}`, `${paint.dim('+')} ${stateName(after)}`);
  for (const { area, changes } of areas) {
    lines.push(paint.bold(TITLES[area]), ...changeLines(changes, paint));
  }
  if (rows.length > 0) lines.push(paint.bold('rows'), ...rows.flatMap((one) => rowLines(one, paint)));
  if (notCompared.length > 0) {
    lines.push(...wrapWords(`not compared, since streams write them: ${nameList(notCompared)} (--copied compares them)`, '', '  ').map((line) => paint.dim(line)));
  }
  return lines;
}

function stateName({ name, savedAt }: StateName): string {
  return name === undefined ? 'the cluster now' : `${name}, saved ${savedAt ?? 'some time'}`;
}

function changeLines(changes: readonly Change[], paint: Paint): string[] {
  const lines: string[] = [];
  let last: string | undefined;
  for (const { path, before, after } of changes.slice(0, MOST_CHANGES)) {
    const [was, is] = [valueText(before), valueText(after)];
    if (before !== undefined && after !== undefined && was.length + is.length <= SHORT_CHARACTERS) {
      lines.push(`  ${path}: ${paint.red(was === '' ? "''" : was)} -> ${paint.green(is === '' ? "''" : is)}`);
      continue;
    }
    if (path !== last) lines.push(`  ${path}`);
    last = path;
    if (before !== undefined) lines.push(`    ${paint.red(`- ${was}`)}`);
    if (after !== undefined) lines.push(`    ${paint.green(`+ ${is}`)}`);
  }
  return changes.length > MOST_CHANGES ? [...lines, `  and ${changes.length - MOST_CHANGES} more`] : lines;
}

function valueText(value: unknown): string {
  const whole = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return whole.length > MOST_CHARACTERS ? `${whole.slice(0, MOST_CHARACTERS - 3)}...` : whole;
}

function rowLines({ shard, table, before, after, gone, come, changed }: RowsDifference, paint: Paint): string[] {
  const kinds = [
    ['gone', gone, paint.red],
    ['new', come, paint.green],
    ['changed', changed, paint.yellow],
  ] as const;
  return [
    `  ${shard} ${table}: ${before === after ? `${rowsText(after)} as before` : `${rowsText(before)}, now ${after}`}`,
    ...kinds.flatMap(([title, { count, examples }, colour]) =>
      count === 0
        ? []
        : [
            `    ${colour(`${count} ${title}`)}`,
            ...examples.map((example) => `      ${example}`),
            ...(count > examples.length ? [`      and ${count - examples.length} more`] : []),
          ],
    ),
  ];
}

function rowsText(count: number): string {
  return count === 1 ? '1 row' : `${count} rows`;
}
