import type { UnpublishedRule } from '../routing.ts';
import { type Found, lockName, type Picture, unique } from './found.ts';
import { intentAt } from './intent.ts';

/** Rules that queries do not follow, because a cell's copy was not made anew. */
export function unpublished(picture: Picture): Found[] {
  const { routing } = picture;
  return routing.cells.flatMap((cell) => {
    const unknown = routing.unpublished.filter((rule) => rule.cell === cell);
    const [rules, others] = [unknown.filter((rule) => rule.of === undefined), unknown.filter((rule) => rule.of !== undefined)];
    return [...unpublishedTables(picture, cell, rules), ...unpublishedOthers(picture, cell, others)];
  });
}

/** Rules for shards, or for keyspaces. */
function unpublishedOthers(picture: Picture, cell: string, rules: readonly UnpublishedRule[]): Found[] {
  return (['shards', 'keyspaces'] as const).flatMap((of) => {
    const own = rules.filter((rule) => rule.of === of);
    if (own.length === 0) return [];
    const keyspaces = new Set(own.flatMap(({ from, saved = '', published = '' }) => [from.replace(/[.@].*$/, ''), saved, published].filter((name) => name !== '')));
    const text = `${of === 'shards' ? 'shard' : 'keyspace'} routing rules of ${own.map((rule) => rule.from).join(', ')} are saved and not in the copy of ${cell}, which queries follow`;
    const intent = intentAt(picture, keyspaces);
    return [{ kind: 'rules-not-published' as const, object: `cell ${cell}`, keyspaces: [...keyspaces], workflows: [], text, next: [intent === undefined ? 'RebuildVSchemaGraph' : intent.line] }];
  });
}

function unpublishedTables(picture: Picture, cell: string, rules: readonly UnpublishedRule[]): Found[] {
  if (rules.length === 0) return [];
  const names = [...new Set(rules.map((rule) => rule.from.replace(/^.*\./, '').replace(/@.*$/, '')))].toSorted();
  const places = rules.flatMap((rule) => [rule.from.replace(/@.*$/, ''), rule.saved ?? '', rule.published ?? ''].filter((name) => name.includes('.')));
  const owners = picture.workflows.filter((workflow) => workflow.tables.some((table) => names.includes(table)));
  const keyspaces = new Set([...places.map((name) => name.split('.')[0]!), ...owners.flatMap((one) => [one.keyspace, one.sourceKeyspace])]);
  const types = [...new Set(rules.map((rule) => /@(\w+)$/.exec(rule.from)?.[1] ?? 'all types'))].toSorted();
  const text = `routing rules of ${names.join(', ')} (${types.join(', ')}) are saved and not in the copy of ${cell}, which queries follow`;
  const intent = intentAt(picture, keyspaces);
  const next = intent === undefined ? 'RebuildVSchemaGraph' : intent.line;
  return [{ kind: 'rules-not-published' as const, object: `cell ${cell}`, keyspaces: [...keyspaces], workflows: unique(owners.map(lockName)), text, next: [next] }];
}
