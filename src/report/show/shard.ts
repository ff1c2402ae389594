import { formatTable } from '../../lib/table.ts';
import type { DeniedFacts, ShardFacts, TabletFacts } from '../../workflow/facts/shard.ts';
import type { Paint } from '../paint.ts';
import type { ShowOptions } from './options.ts';
import { nameList, wrapWords } from './text.ts';

/** Shards: record, primary, denied tables, and each tablet with what it believes. */
export function renderShards(shards: readonly ShardFacts[], { paint }: ShowOptions): string[] {
  if (shards.length === 0) return ['there are no shards'];
  return shards.flatMap((shard, index) => [...(index === 0 ? [] : ['']), ...shardLines(shard, paint)]);
}

function shardLines(shard: ShardFacts, paint: Paint): string[] {
  const { primary, position } = shard;
  const head = `${paint.bold(`${shard.keyspace}/${shard.shard}`)}  ${servingText(shard, paint)}, primary ${primary ?? paint.red('none')}`;
  return [
    head,
    ...wrapWords(shard.tables.length === 0 ? 'none' : nameList(shard.tables), '  tables    ', ' '.repeat(12)),
    ...deniedLines(shard.denied, paint).map((line, index) => `  ${index === 0 ? 'denied  ' : '        '}  ${line}`),
    paint.dim(`  position  ${position === '' ? 'nothing written yet' : position}`),
    ...formatTable(shard.tablets.map((tablet) => [tablet.alias, tablet.type, believesText(tablet, paint)]), { indent: '    ' }).split('\n'),
    ...shard.tablets.flatMap((tablet) => differLines(tablet, paint)),
  ];
}

function servingText({ serving }: ShardFacts, paint: Paint): string {
  return serving ? paint.green('serving') : paint.yellow('not serving');
}

/** `primary: corder, customer`, or `none`. */
export function deniedLines(denied: readonly DeniedFacts[], paint: Paint): string[] {
  if (denied.length === 0) return ['none'];
  return denied.map(({ type, tables, cells, allowReads }) => {
    const where = cells.length === 0 ? '' : ` in ${cells.join(', ')}`;
    return `${type.toLowerCase()}${where}: ${paint.yellow(nameList(tables))}${allowReads ? ' (reads allowed)' : ''}`;
  });
}

/** What a tablet believes, in a few words. */
export function believesText({ believes, state }: TabletFacts, paint: Paint): string {
  if (state === 'stopped') return paint.red('is stopped');
  if (believes === undefined) return paint.red('has not started');
  if (!believes.serving) return paint.red(`not serving: ${believes.reason}`);
  if (believes.deniedTables.length === 0) return paint.green('serving');
  const reads = believes.allowReads ? ' (reads allowed)' : '';
  return `${paint.green('serving')}, refuses ${paint.yellow(nameList(believes.deniedTables))}${reads}`;
}

/** Where a tablet's belief and the records part. */
export function differLines(tablet: TabletFacts, paint: Paint): string[] {
  return tablet.differs.flatMap((text) => wrapWords(`${tablet.alias} ${text}`, '    ', '      ').map((line) => paint.red(line)));
}
