import { problemEntry } from '../../lib/problems.ts';
import { formatTable } from '../../lib/table.ts';
import type { Elsewhere, KeyspaceFacts, Verdict } from '../../workflow/facts/keyspace.ts';
import { ROUTED_TYPES, type RoutedType } from '../../workflow/facts/routing.ts';
import type { Refused, ServedFacts } from '../../workflow/facts/serving.ts';
import type { ShardFacts } from '../../workflow/facts/shard.ts';
import type { Stranded } from '../../workflow/facts/stranded/found.ts';
import type { Paint } from '../paint.ts';
import { lockLines } from './locks.ts';
import type { ShowOptions } from './options.ts';
import { deniedLines, differLines, servingText } from './shard.ts';
import { nameList, wrapWords } from './text.ts';
import { workflowSummary } from './workflow.ts';

/** Keyspaces, each with its verdict first. What two of them share is told in full once. */
export function renderKeyspaces(keyspaces: readonly KeyspaceFacts[], options: ShowOptions): string[] {
  if (keyspaces.length === 0) return ['there are no keyspaces'];
  const told = new Set<string>();
  return keyspaces.flatMap((facts, index) => [...(index === 0 ? [] : ['']), ...keyspaceLines(facts, options, told)]);
}

function keyspaceLines(facts: KeyspaceFacts, options: ShowOptions, told: Set<string>): string[] {
  const { paint } = options;
  return [
    ...headline(facts, paint),
    ...section('stranded', facts.stranded.flatMap((entry) => strandedLines(entry, options, told))),
    ...section('shards', facts.shards.flatMap((shard) => shardLines(shard, paint))),
    ...section('tables', tableLines(facts, paint)),
    ...section('locks', lockSection(facts, paint)),
    ...section('under way', underWay(facts)),
    ...section(
      'workflows',
      facts.workflows.flatMap((workflow) => {
        const name = `${workflow.keyspace}.${workflow.workflow}`;
        return once(told, name) ? workflowSummary(workflow, paint, 96) : [`${name}  see above`];
      }),
    ),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`  ${title}`, ...lines.map((line) => `    ${line}`)];
}

function once(told: Set<string>, what: string): boolean {
  if (told.has(what)) return false;
  told.add(what);
  return true;
}

function headline({ keyspace, verdict, stranded, locks }: KeyspaceFacts, paint: Paint): string[] {
  const worker = stranded.find((entry) => entry.atWork !== undefined)?.atWork ?? locks.find((lock) => lock.holder?.alive === 'alive')?.holder;
  const rest = stranded.filter((entry) => entry.kind !== 'refused').length;
  const left = verdict.level !== 'warning' ? '' : `; ${rest === 1 ? 'one thing is' : `${rest} things are`} stranded, see below`;
  const busy = worker === undefined ? '' : `; ${worker.action || 'a command'} is at work: ${worker.owner}`;
  const colour = { ok: paint.green, warning: paint.yellow, refused: paint.red }[verdict.level];
  const start = `${keyspace}  `;
  const [first = '', ...more] = wrapWords(verdictText(verdict) + left + busy, start, ' '.repeat(start.length));
  return [paint.bold(keyspace) + '  ' + colour(first.slice(start.length)), ...more.map((line) => colour(line))];
}

/** The verdict in one line: `serves its tables`, `WRITES REFUSED: customer (routed here, denied on commerce/0)`. */
export function verdictText(verdict: Verdict): string {
  if (verdict.refused.length > 0) return verdict.refused.map(refusedText).join('; ');
  const { serves, servesReadsOf, writesElsewhere, readsElsewhere, shardsElsewhere, servesShardsOf } = verdict;
  if (serves.length + writesElsewhere.length === 0) return 'has no tables';
  const own = serves.length === 0 ? [] : [`serves ${writesElsewhere.length === 0 ? 'its tables' : nameList(serves)}`];
  const reads = servesReadsOf.length === 0 ? [] : [`serves reads of ${nameList(servesReadsOf)}`];
  const shards = servesShardsOf.map((entry) => `serves ${shardList(entry.shards)} of ${nameList(entry.tables)}`);
  const none = own.length + reads.length + shards.length === 0 ? ['serves none of its tables'] : [];
  const what = reads.length > 0 ? 'writes of ' : '';
  return [
    ...own,
    ...reads,
    ...shards,
    ...none,
    ...shardsElsewhere.map((entry) => `${shardList(entry.shards)} of ${nameList(entry.tables)} ${entry.shards.length > 1 ? 'are' : 'is'} served by ${entry.keyspace}`),
    ...readsElsewhere.map((entry) => `reads of ${elsewhere(entry, true)}`),
    ...writesElsewhere.map((entry) =>
      servesShardsOf.some(({ tables }) => entry.tables.every((table) => tables.includes(table))) && !entry.refused && entry.keyspace !== ''
        ? `the other shards are served by ${entry.keyspace}`
        : what + elsewhere(entry, what !== ''),
    ),
  ].join('; ');
}

function shardList(shards: readonly string[]): string {
  return `shard${shards.length > 1 ? 's' : ''} ${nameList(shards)}`;
}

function elsewhere({ keyspace, tables, refused }: Elsewhere, plural: boolean): string {
  const be = plural || tables.length > 1 ? 'are' : 'is';
  if (keyspace === '') return `${nameList(tables)} ${be} routed nowhere`;
  return refused ? `${nameList(tables)} ${be} routed to ${keyspace} and REFUSED there` : `${nameList(tables)} ${be} served by ${keyspace}`;
}

const REFUSED: Record<RoutedType, string> = { PRIMARY: 'WRITES REFUSED', REPLICA: 'REPLICA READS REFUSED', RDONLY: 'RDONLY READS REFUSED' };

function refusedText({ type, tables, on, why }: Refused): string {
  return `${REFUSED[type]}: ${nameList(tables)} (routed here, ${why} ${nameList(on)})`;
}

function strandedLines(entry: Stranded, { paint, program }: ShowOptions, told: Set<string>): string[] {
  const lines = wrapWords(`${problemEntry(entry.kind).code} ${entry.text}`, '! ', '  ', 96).map((line) => paint.red(line));
  if (entry.atWork !== undefined) {
    return [...lines, paint.yellow(`  ${entry.atWork.owner} is at work; this may pass`), `  next: look again: ${program} show locks`];
  }
  if (entry.next.length === 0) return lines;
  // A command that has been printed does not have to be run twice.
  if (entry.next.every((command) => told.has(command))) return [...lines, '  next: as above'];
  for (const command of entry.next) told.add(command);
  return [...lines, '  next:', ...entry.next.map((command) => `    ${program} ${command}`)];
}

function shardLines(shard: ShardFacts, paint: Paint): string[] {
  const tablets = shard.tablets.filter((tablet) => !tablet.primary).map((tablet) => `${tablet.type.toLowerCase()} ${tablet.alias}${runText(tablet)}`);
  const primary = shard.primary === undefined ? paint.red('no primary') : `primary ${shard.primary}${runText(shard.tablets.find((tablet) => tablet.primary))}`;
  const denied = shard.denied.length === 0 ? [] : deniedLines(shard.denied, paint).map((line) => `  denied to ${line}`);
  return [
    ...wrapWords([primary, ...tablets].join(', '), `${shard.keyspace}/${shard.shard}  ${servingText(shard, paint)}  `, '  ', 96),
    ...denied,
    ...shard.tablets.flatMap((tablet) => differLines(tablet, paint).map((line) => line.slice(2))),
  ];
}

function runText(tablet: ShardFacts['tablets'][number] | undefined): string {
  return tablet?.state === 'stopped' ? ' (stopped)' : '';
}

function lockSection({ locks }: KeyspaceFacts, paint: Paint): string[] {
  if (locks.length === 0) return [paint.dim('none is held')];
  return locks.flatMap((lock) => [paint.yellow(lock.resource), ...lockLines(lock, paint).map((line) => `  ${line}`)]);
}

const MOST_TABLES = 40;

/** Who serves each table; tables of which the same is true share a line. */
function tableLines({ tables }: KeyspaceFacts, paint: Paint): string[] {
  const groups = new Map<string, { names: string[]; cells: string[] }>();
  for (const { table, types } of tables) {
    const cells = ROUTED_TYPES.map((type) => servedText(types[type], table, paint));
    const key = cells.join('\0');
    const group = groups.get(key) ?? { names: [], cells };
    group.names.push(table);
    groups.set(key, group);
  }
  if (groups.size === 0) return [];
  const rows = [...groups.values()].slice(0, MOST_TABLES).map(({ names, cells }) => [nameList(names, 4), ...cells]);
  return formatTable(rows, { header: ['TABLE', 'WRITES', 'REPLICA READS', 'RDONLY READS'] }).split('\n');
}

function servedText({ keyspace, table, moved, otherwise, refusedOn }: ServedFacts, name: string, paint: Paint): string {
  const home = keyspace === '' ? 'nowhere' : table === name ? keyspace : `${keyspace}.${table}`;
  const place = home + moved.map((entry) => ` (${entry.shards.join(', ')}: ${entry.keyspace})`).join('');
  const cells = otherwise.map(({ cell, to }) => ` (${cell}: ${to === '' ? 'nowhere' : to})`).join('');
  if (keyspace === '' || refusedOn.length > 0) return paint.red(`${place}${keyspace === '' ? '' : ', REFUSED'}`) + cells;
  return place + (cells === '' ? '' : paint.yellow(cells));
}

function underWay({ intents }: KeyspaceFacts): string[] {
  return intents
    .filter((intent) => intent.alive === 'alive')
    .map((intent) => `${intent.command} by ${intent.owner}${intent.step === undefined ? '' : `, at ${intent.step}`}`);
}
