import { formatTable } from '../../lib/table.ts';
import { ROUTED_TYPES, type RouteFacts, type RoutingFacts, type ShardRouteFacts } from '../../workflow/facts/routing.ts';
import type { Paint } from '../paint.ts';
import type { ShowOptions } from './options.ts';

/** Where queries for each table go, by the saved rules; where a cell's copy says otherwise, that too. */
export function renderRouting({ cells, routes, shards }: RoutingFacts, { paint, program }: ShowOptions): string[] {
  if (routes.length === 0) return ['there are no tables'];
  const rows: string[][] = [];
  const marked: string[] = [];
  for (const from of new Set(routes.map((route) => route.from))) {
    const own = ROUTED_TYPES.map((type) => routes.find((route) => route.from === from && route.type === type));
    rows.push([from, ...own.map((route) => (route === undefined ? '' : target(route, paint)))]);
    marked.push(...own.flatMap((route) => (route?.differs === true ? differing(route, paint) : [])));
  }
  const lines = formatTable(rows, { header: ['A QUERY FOR', 'PRIMARY', 'REPLICA', 'RDONLY'] }).split('\n');
  lines.push(...shardLines(shards, paint));
  marked.push(...shards.flatMap((shard) => (shard.differs ? differingShard(shard, paint) : [])));
  if (marked.length === 0) return [...lines, paint.dim(`the copies of ${cells.join(', ') || 'no cell'} say the same`)];
  return [
    ...lines,
    '',
    paint.yellow('* saved, but the copy that queries of a cell follow says otherwise:'),
    ...marked,
    `next: publish what is saved: ${program} RebuildVSchemaGraph`,
  ];
}

/** Shards whose rows are not where the table's keyspace says. */
function shardLines(shards: readonly ShardRouteFacts[], paint: Paint): string[] {
  if (shards.length === 0) return [];
  const rows = shards.map(({ keyspace, shard, global, differs }) => [`${keyspace}/${shard}`, differs ? `${global}/${shard} ${paint.yellow('*')}` : `${global}/${shard}`]);
  return ['', ...formatTable(rows, { header: ['OF IT, WHAT IS FOR', 'ALL TYPES'] }).split('\n')];
}

function differingShard({ keyspace, shard, cells, global }: ShardRouteFacts, paint: Paint): string[] {
  return Object.entries(cells)
    .filter(([, to]) => to !== global)
    .map(([cell, to]) => `  ${keyspace}/${shard} goes to ${paint.bold(`${to}/${shard}`)} in ${cell}`);
}

function target({ global, differs }: RouteFacts, paint: Paint): string {
  const text = global === '' ? paint.red('nowhere') : global;
  return differs ? `${text} ${paint.yellow('*')}` : text;
}

function differing({ from, type, cells, global }: RouteFacts, paint: Paint): string[] {
  return Object.entries(cells)
    .filter(([, to]) => to !== global)
    .map(([cell, to]) => `  ${from} for ${type.toLowerCase()} goes to ${paint.bold(to === '' ? 'nowhere' : to)} in ${cell}`);
}
