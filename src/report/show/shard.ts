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

/** `serving`, `not serving`, or what of it while a Reshard is half switched: `serving rdonly reads, replica reads in zone1`. */
export function servingText({ serving, tablets }: ShardFacts, paint: Paint): string {
  const reads = ['RDONLY', 'REPLICA'].flatMap((type) => {
    const all = tablets.filter((tablet) => tablet.type === type && !tablet.primary);
    const cells = new Set(all.filter((tablet) => tablet.routed).map(cellOf));
    return all.length === 0 ? [] : [{ type: type.toLowerCase(), cells, everywhere: all.every((tablet) => cells.has(cellOf(tablet))) }];
  });
  if (serving && reads.every(({ everywhere }) => everywhere)) return paint.green('serving');
  if (!serving && reads.every(({ cells }) => cells.size === 0)) return paint.yellow('not serving');
  const parts = reads.filter(({ cells }) => cells.size > 0).map(({ type, cells, everywhere }) => `${type} reads${everywhere ? '' : ` in ${[...cells].join(' and ')}`}`);
  return paint.yellow(`serving ${[...(serving ? ['writes'] : []), ...parts].join(', ')}`);
}

function cellOf({ alias }: ShardFacts['tablets'][number]): string {
  return alias.slice(0, alias.lastIndexOf('-'));
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
