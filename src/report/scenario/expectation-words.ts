import { formatDuration } from '../../lib/duration.ts';
import type { Count, Expectation, Served, TextTest } from '../scenario-file/schema.ts';

type Key = keyof Expectation;
type Words<K extends Key> = (wanted: NonNullable<Expectation[K]>) => string[];

/** What is expected, in words, a text for each thing. Keys without words of their own are told as they stand. */
export function expectationWords(expected: Expectation): string[] {
  return Object.entries(expected).flatMap(([key, wanted]) => {
    if (wanted === undefined) return [];
    const words = (WORDS as Partial<Record<string, Words<Key>>>)[key];
    return words === undefined ? treeWords(key, wanted) : words(wanted as never);
  });
}

const WORDS: { [K in Key]?: Words<K> } = {
  exit: (wanted) => {
    const statuses = [wanted].flat();
    return [statuses.length === 1 && statuses[0] === 0 ? 'it succeeds' : `it ends with ${statuses.join(' or ')}`];
  },
  stdout: (test) => textWords('stdout', test),
  stderr: (test) => textWords('stderr', test),
  json: (wanted) => [`its JSON document has ${JSON.stringify(wanted)}`],
  fired: (wanted) => Object.entries(wanted).map(([point, count]) => `the fault ${point} fires ${countWords(count, 'time')}`),
  took: (limits) => [`it takes ${limitWords(limits)}`],
  outage: (limits) => [`writes are refused for ${limitWords(limits)}`],
  unchanged: (wanted) => {
    const { since, except } = typeof wanted === 'string' ? { since: wanted, except: undefined } : wanted;
    return [`everything is as it was at "${since}"${except === undefined ? '' : `, but for ${[except].flat().join(', ')}`}`];
  },
  writes: (wanted) => Object.entries(wanted).map(([table, served]) => `writes of ${table} ${servedWords(served)}`),
  reads: (wanted) => Object.entries(wanted).map(([table, served]) => `reads of ${table} ${servedWords(served)}`),
  rows: (wanted) => Object.entries(wanted).map(([table, count]) => `${table} has ${countWords(count, 'row')}`),
  denied: (wanted) =>
    Object.entries(wanted).map(([shard, tables]) => (Array.isArray(tables) && tables.length > 0 ? `${shard} denies ${tables.join(', ')}` : isNothing(tables) ? `${shard} denies no table` : `${shard} denies ${JSON.stringify(tables)}`)),
  routing: (wanted) => Object.entries(wanted).map(([table, to]) => `${table} leads to ${typeof to === 'string' ? to : JSON.stringify(to)}`),
  rules: (wanted) => Object.entries(wanted).map(([table, to]) => (isNothing(to) ? `there is no routing rule for ${table}` : `the routing rule of ${table} is ${JSON.stringify(to)}`)),
  shardRules: (wanted) => Object.entries(wanted).map(([shard, to]) => (isNothing(to) ? `there is no shard routing rule for ${shard}` : `what is for ${shard} goes to ${wordOf(to)}`)),
  keyspaceRules: (wanted) => Object.entries(wanted).map(([from, to]) => (isNothing(to) ? `there is no keyspace routing rule for ${from}` : `what is for ${from} goes to ${wordOf(to)}`)),
  serving: (wanted) => Object.entries(wanted).map(([keyspace, shards]) => `queries of ${keyspace} go to ${Array.isArray(shards) ? nameWords(shards) : JSON.stringify(shards)}`),
  disabled: (wanted) => Object.entries(wanted).map(([shard, types]) => (isNothing(types) ? `the query service of ${shard} is on` : `the query service of ${shard} is off for ${Array.isArray(types) ? nameWords(types) : JSON.stringify(types)}`)),
  journals: (wanted) => Object.entries(wanted).map(([shard, count]) => `${shard} has ${typeof count === 'number' ? countWords(count, 'journal') : JSON.stringify(count)}`),
  locks: (wanted) => [isNothing(wanted) ? 'no lock is held' : `the locks are like ${JSON.stringify(wanted)}`],
  intents: (wanted) => [isNothing(wanted) ? 'no switch is left half-way' : `the unfinished switches are like ${JSON.stringify(wanted)}`],
  sessions: (wanted) => [isNothing(wanted) ? 'no session is open' : `the sessions are like ${JSON.stringify(wanted)}`],
};

function treeWords(key: string, wanted: unknown): string[] {
  if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted)) return [`${key} is like ${JSON.stringify(wanted)}`];
  return Object.entries(wanted).map(([name, tree]) => (isNothing(tree) ? `there is no ${key} ${name}` : `${key} ${name} is like ${JSON.stringify(tree)}`));
}

function nameWords(names: readonly unknown[]): string {
  return names.length === 0 ? 'nothing' : names.map(String).join(', ');
}

function isNothing(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}

function textWords(where: string, test: TextTest): string[] {
  if (typeof test === 'string') return [`${where} is ${JSON.stringify(test)}`];
  return [
    ...(test.equals === undefined ? [] : [`${where} is ${JSON.stringify(test.equals)}`]),
    ...[test.contains ?? []].flat().map((part) => `${where} contains ${JSON.stringify(part)}`),
    ...[test.lacks ?? []].flat().map((part) => `${where} does not contain ${JSON.stringify(part)}`),
    ...(test.matches === undefined ? [] : [`${where} matches ${String(test.matches)}`]),
    ...(test.golden === undefined ? [] : [`${where} is what the file ${test.golden} holds`]),
  ];
}

function servedWords(served: Served): string {
  if (served === 'pass') return 'pass';
  return served === 'refused' ? 'are refused' : `are refused: ${textWords('the error', served.refused).join(', ')}`;
}

function countWords(count: Count, what: string): string {
  const plural = (n: number): string => `${n} ${what}${n === 1 ? '' : 's'}`;
  if (typeof count === 'number') return plural(count);
  const { min, max } = count;
  if (max === undefined) return `${plural(min ?? 0)} or more`;
  return min === undefined ? `${plural(max)} at most` : `${min} to ${plural(max)}`;
}

function limitWords({ min, max }: { min?: number | undefined; max?: number | undefined }): string {
  if (max === undefined) return `${formatDuration(min ?? 0)} or more`;
  return min === undefined ? `${formatDuration(max)} at most` : `${formatDuration(min)} to ${formatDuration(max)}`;
}

function wordOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
