import type { TabletFacts } from '../../workflow/facts/shard.ts';
import type { TableLockView } from '../../tablet/table-locks.ts';
import type { ShowOptions } from './options.ts';
import { believesText } from './shard.ts';
import { ago, nameList, wrapWords } from './text.ts';

/** A tablet, and the table locks of the MySQL that it stands for: those of its shard, for a primary. */
export interface TabletWithLocks extends TabletFacts {
  locks: TableLockView[];
}

/** Tablets: record, belief, where they part, and who holds which table. */
export function renderTablets(tablets: readonly TabletWithLocks[], options: ShowOptions): string[] {
  if (tablets.length === 0) return ['there are no tablets'];
  return tablets.flatMap((tablet) => tabletLines(tablet, options));
}

function tabletLines(tablet: TabletWithLocks, { paint, now }: ShowOptions): string[] {
  const { alias, keyspace, shard, type, primary, believes, denied } = tablet;
  const role = primary && type !== 'PRIMARY' ? ' (the shard names it primary)' : '';
  return [
    `${paint.bold(alias)}  ${keyspace}/${shard}  ${type}${role}`,
    `  believes  ${believesText(tablet, paint)}`,
    `  records   ${denied.length === 0 ? 'deny it nothing' : `deny it ${paint.yellow(nameList(denied))}`}`,
    ...tablet.differs.flatMap((text) => wrapWords(text, '  DIFFERS   ', ' '.repeat(12)).map((line) => paint.red(line))),
    ...(believes === undefined || believes.fence === 0 ? [] : [paint.dim(`  fence     ${believes.fence}`)]),
    ...tablet.locks.map(
      (lock) => `  ${lock.granted ? 'locked    ' : paint.yellow('waits     ')}${lock.table} ${lock.mode} by ${lock.holder}, for ${ago(now - lock.since)}`,
    ),
  ];
}
