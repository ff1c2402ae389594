import { compareKeyRanges, compareIds, intersects, isComplete, type KeyRange } from '../../lib/key-range.ts';
import { isUsableCellName, parseTabletAlias, validateObjectName, validateShardName } from '../../lib/names.ts';
import { suggest } from '../../lib/suggest.ts';
import type { PathPart } from '../input/yaml.ts';
import type { LocatedFile } from './located.ts';
import type { ClusterFile, KeyspaceEntry, ShardEntry } from './schema.ts';
import { shardEntries, tabletAlias } from './spec.ts';

/** Databases that MySQL and Vitess have themselves: a keyspace of this name could not be asked for anything. */
const RESERVED_KEYSPACES = ['information_schema', 'mysql', 'performance_schema', 'sys', '_vt'];
/** Vitess's name for the topology that all cells share. */
const GLOBAL_CELL = 'global';

/** What no schema can say of cells, keyspaces, shards and tablets. Throws FileError. */
export function checkKeyspaces(file: ClusterFile, at: LocatedFile): void {
  const cells = file.cells ?? ['zone1'];
  cells.forEach((cell, index) => checkCell(cells, cell, index, at));
  if (Object.keys(file.keyspaces).length === 0) throw at.wrong(['keyspaces'], 'there is no keyspace');
  const aliases = new Map<string, string>();
  for (const [name, entry] of Object.entries(file.keyspaces)) {
    const path = ['keyspaces', name];
    at.check(path, () => validateObjectName(name), 'key');
    if (RESERVED_KEYSPACES.includes(name.toLowerCase())) throw at.wrongKey(path, `"${name}" is a database of MySQL or Vitess itself; name the keyspace otherwise`);
    checkSnapshot(file, entry, path, at);
    checkShards(entry, path, at);
    for (const [shard, given] of Object.entries(shardEntries(entry))) {
      const inShard = [...path, 'shards', shard];
      checkTablets(`${name}/${shard}`, given, inShard, { at, cells, aliases });
      checkControls(given, inShard, cells, at);
    }
  }
}

function checkCell(cells: readonly string[], cell: string, index: number, at: LocatedFile): void {
  const path = ['cells', index];
  if (!isUsableCellName(cell)) throw at.wrong(path, `"${cell}" cannot be the name of a cell: letters, digits, "-", "_" and "." only`);
  if (cell === GLOBAL_CELL) throw at.wrong(path, '"global" is the name of the topology that all cells share; name the cell otherwise');
  if (cells.indexOf(cell) !== index) throw at.wrong(path, `the cell "${cell}" was named before`);
}

function checkSnapshot(file: ClusterFile, entry: KeyspaceEntry | null, path: readonly PathPart[], at: LocatedFile): void {
  const base = entry?.base_keyspace;
  if (!base) return;
  if (entry?.keyspace_type !== 'SNAPSHOT') throw at.wrong([...path, 'base_keyspace'], 'only a keyspace of keyspace_type SNAPSHOT has a base keyspace');
  if (Object.hasOwn(file.keyspaces, base)) return;
  throw at.wrong([...path, 'base_keyspace'], `there is no keyspace "${base}"${hint(base, Object.keys(file.keyspaces))}`);
}

interface NamedRange {
  name: string;
  range: KeyRange | undefined;
  path: readonly PathPart[];
}

/** The shards that serve have to share out all keyspace ids: no gap, no overlap. */
function checkShards(entry: KeyspaceEntry | null, path: readonly PathPart[], at: LocatedFile): void {
  const given = entry?.shards;
  const list = Array.isArray(given) ? given : Object.keys(given ?? { 0: null });
  const entries = shardEntries(entry);
  if (list.length === 0) throw at.wrong([...path, 'shards'], 'must not be empty');
  const seen = new Set<string>();
  const shards = list.map((name, index): NamedRange & { serving: boolean } => {
    const here = [...path, 'shards', Array.isArray(given) ? index : name];
    const { name: plain, keyRange } = at.check(here, () => validateShardName(name), Array.isArray(given) ? 'value' : 'key', `"${name}" is no name of a shard: `);
    if (seen.has(plain)) throw at.wrong(here, `the shard "${plain}" was named before`);
    seen.add(plain);
    return { name: plain, range: keyRange, path: here, serving: entries[name]?.is_primary_serving !== false };
  });
  const serving = shards.filter((shard) => shard.serving);
  if (serving.length === 0) throw at.wrong([...path, 'shards'], 'no shard serves: is_primary_serving is false for all of them');
  const [whole] = serving.filter((shard) => shard.range === undefined);
  if (whole !== undefined && serving.length > 1) {
    throw at.wrong(whole.path, `shard "${whole.name}" has no key range, so no other shard can serve beside it`, 'is_primary_serving: false makes a shard wait for its traffic');
  }
  if (whole === undefined) checkCover(serving, path, at);
}

function checkCover(shards: readonly NamedRange[], path: readonly PathPart[], at: LocatedFile): void {
  const sorted = shards.toSorted((a, b) => compareKeyRanges(a.range, b.range));
  let end = '';
  let before: NamedRange | undefined;
  for (const shard of sorted) {
    const { start } = shard.range!;
    if (before !== undefined && (end === '' || intersects(before.range, shard.range))) {
      throw at.wrong(shard.path, `the ranges of shards "${before.name}" and "${shard.name}" overlap`, 'is_primary_serving: false makes a shard wait for its traffic');
    }
    if (compareIds(start, end) !== 0) throw at.wrong(shard.path, `no shard has the range ${end}-${start}`);
    end = shard.range!.end;
    before = shard;
  }
  const last = sorted.at(-1)!;
  if (end !== '' && !isComplete(last.range)) throw at.wrong([...path, 'shards'], `no shard has the range ${end}-`);
}

interface TabletScope {
  at: LocatedFile;
  cells: readonly string[];
  /** Alias to the shard that has it. */
  aliases: Map<string, string>;
}

function checkTablets(where: string, shard: ShardEntry, path: readonly PathPart[], { at, cells, aliases }: TabletScope): void {
  if (shard.tablets === undefined) return;
  let primary: string | undefined;
  shard.tablets.forEach((tablet, index) => {
    const here = [...path, 'tablets', index];
    const alias = at.check([...here, 'alias'], () => tabletAlias(tablet.alias));
    const { cell } = parseTabletAlias(alias);
    if (!cells.includes(cell)) throw at.wrong([...here, 'alias'], `there is no cell "${cell}"${hint(cell, cells)}`, `the cells are: ${cells.join(', ')}`);
    const owner = aliases.get(alias);
    if (owner !== undefined) throw at.wrong([...here, 'alias'], `the alias ${alias} is that of a tablet of ${owner} already`);
    aliases.set(alias, where);
    if (tablet.type.toUpperCase() !== 'PRIMARY') return;
    if (primary !== undefined) throw at.wrong([...here, 'type'], `shard ${where} has a primary already: ${primary}`);
    primary = alias;
  });
  if (primary === undefined) throw at.wrong([...path, 'tablets'], `shard ${where} has no PRIMARY among its tablets`);
}

/** Types of tablet that queries are sent to. */
const CONTROLLED = ['PRIMARY', 'REPLICA', 'RDONLY'];

function checkControls(shard: ShardEntry, path: readonly PathPart[], cells: readonly string[], at: LocatedFile): void {
  const seen = new Set<string>();
  (shard.tablet_controls ?? []).forEach((control, index) => {
    const here = [...path, 'tablet_controls', index];
    const type = String(control.tablet_type);
    if (!CONTROLLED.includes(type)) throw at.wrong([...here, 'tablet_type'], `has to be one of ${CONTROLLED.join(', ')}`);
    if (seen.has(type)) throw at.wrong([...here, 'tablet_type'], `there is a tablet control for ${type} already`);
    seen.add(type);
    const inCells = control.cells ?? [];
    if (type === 'PRIMARY' && inCells.length > 0) throw at.wrong([...here, 'cells'], 'the tablet control of a primary names no cells');
    const unknown = inCells.find((cell) => !cells.includes(cell));
    if (unknown !== undefined) throw at.wrong([...here, 'cells', inCells.indexOf(unknown)], `there is no cell "${unknown}"${hint(unknown, cells)}`);
  });
}

/** `; did you mean "x"?`, or nothing. */
export function hint(word: string, candidates: readonly string[]): string {
  const near = suggest(word, candidates);
  return near === undefined ? '' : `; did you mean "${near}"?`;
}
