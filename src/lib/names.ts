/**
 * Names of things in the topology: what is allowed, how they are written and how they are read.
 *
 * Vitess: go/vt/topo/validator.go, go/vt/topo/shard.go, go/vt/topo/topoproto. Cells and cell aliases are not
 * checked by Vitess at all.
 */
import { errorText, plainError, vtError, wrapError } from './errors.ts';
import { type KeyRange, parseKeyRangeParts } from './key-range.ts';

/** Most bytes that the name of a keyspace or shard may have. */
const MAX_NAME_BYTES = 64;

/**
 * Checks the name of a keyspace or shard: 1 to 64 of `a-z A-Z 0-9 - _`. Vitess: validateObjectName.
 *
 * @throws VtError INVALID_ARGUMENT: `empty name`, `name X is too long`, `invalid character C in name X`
 */
export function validateObjectName(name: string): void {
  if (name === '') throw vtError('INVALID_ARGUMENT', 'empty name');
  if (new TextEncoder().encode(name).length > MAX_NAME_BYTES) {
    throw vtError('INVALID_ARGUMENT', `name ${name} is too long`);
  }
  const bad = /[^a-zA-Z0-9_-]/u.exec(name)?.[0];
  if (bad !== undefined) throw vtError('INVALID_ARGUMENT', `invalid character ${bad} in name ${name}`);
}

/**
 * Checks the name of a keyspace for one of the calls that print the reason twice: `GetKeyspace: empty name: empty name`.
 *
 * @throws VtError INVALID_ARGUMENT
 */
export function validateKeyspaceName(name: string, call: 'CreateKeyspace' | 'GetKeyspace'): void {
  try {
    validateObjectName(name);
  } catch (error) {
    throw wrapError(error, `${call}: ${errorText(error)}`);
  }
}

/** A shard's name and, where the name is a key range, that range. */
export interface ShardName {
  /** In lower case where it is a key range. */
  readonly name: string;
  readonly keyRange: KeyRange | undefined;
}

/**
 * Checks the name of a shard. With a dash it is a key range; without one any object name will do. Note that Vitess
 * files the shard under the name as it was given, and only tablets under the lower-cased one.
 * Vitess: ValidateShardName.
 *
 * @throws VtError those of validateObjectName; `invalid shardId, can only contain one '-': X` and
 *   `out of order keys: SS is not strictly smaller than EE` (INVALID_ARGUMENT); those of parseHex (plain)
 */
export function validateShardName(shard: string): ShardName {
  validateObjectName(shard);
  if (!shard.includes('-')) return { name: shard, keyRange: undefined };
  const [start = '', end = '', ...more] = shard.split('-');
  if (more.length > 0) throw vtError('INVALID_ARGUMENT', `invalid shardId, can only contain one '-': ${shard}`);
  const keyRange = parseKeyRangeParts(start, end);
  // Plain byte order: here, unlike in every other comparison, trailing zero bytes count.
  if (keyRange.end !== '' && keyRange.start >= keyRange.end) {
    throw vtError(
      'INVALID_ARGUMENT',
      `out of order keys: ${keyRange.start} is not strictly smaller than ${keyRange.end}`,
    );
  }
  return { name: shard.toLowerCase(), keyRange };
}

/** `keyspace/shard`. */
export function formatKeyspaceShard(keyspace: string, shard: string): string {
  return `${keyspace}/${shard}`;
}

/**
 * Splits `keyspace/shard` or `keyspace:shard`; neither part is checked. Vitess: ParseKeyspaceShard.
 *
 * @throws VtError (plain): `invalid shard path: X`
 */
export function parseKeyspaceShard(text: string): { keyspace: string; shard: string } {
  for (const separator of ['/', ':']) {
    const [keyspace, shard, ...more] = text.split(separator);
    if (keyspace !== undefined && shard !== undefined && more.length === 0) return { keyspace, shard };
  }
  throw plainError(`invalid shard path: ${text}`);
}

/** Which tablet: its cell, and a number unique in that cell (32 bits, unsigned). */
export interface TabletAlias {
  readonly cell: string;
  readonly uid: number;
}

const ALIAS_FORMAT = '^(?P<cell>[-_.a-zA-Z0-9]+)-(?P<uid>[0-9]+)$';
const ALIAS_PATTERN = /^([-_.a-zA-Z0-9]+)-([0-9]+)$/;
const MAX_UID = 0xffffffff;

/** True when aliases of tablets in this cell can be read back. Vitess accepts any name for a cell. */
export function isUsableCellName(cell: string): boolean {
  return /^[-_.a-zA-Z0-9]+$/.test(cell);
}

/**
 * Reads `zone1-0000000100`; leading zeros may be left out, the last dash splits. Vitess: ParseTabletAlias.
 *
 * @throws VtError (plain): `invalid tablet alias: 'X', expecting format: '…'`, `invalid tablet uid in alias 'X': …`
 */
export function parseTabletAlias(text: string): TabletAlias {
  const [, cell, digits] = ALIAS_PATTERN.exec(text) ?? [];
  if (cell === undefined || digits === undefined) {
    throw plainError(`invalid tablet alias: '${text}', expecting format: '${ALIAS_FORMAT}'`);
  }
  const uid = Number(digits);
  if (uid > MAX_UID) {
    const range = plainError(`strconv.ParseUint: parsing "${digits}": value out of range`);
    throw wrapError(wrapError(range, 'bad tablet uid'), `invalid tablet uid in alias '${text}'`);
  }
  return { cell, uid };
}

/** Prints an alias with the number in ten digits; `<nil>` when there is none. Vitess: TabletAliasString. */
export function formatTabletAlias(alias: TabletAlias | undefined): string {
  return alias === undefined ? '<nil>' : `${alias.cell}-${String(alias.uid).padStart(10, '0')}`;
}

/** `zone1-0000000100` as people write it: `zone1-100`. */
export function shortTabletAlias(alias: string): string {
  const dash = alias.lastIndexOf('-');
  return `${alias.slice(0, dash)}-${Number(alias.slice(dash + 1))}`;
}

/** A tablet type by the name that it is printed with. */
export type TabletType =
  | 'UNKNOWN'
  | 'PRIMARY'
  | 'REPLICA'
  | 'RDONLY'
  | 'SPARE'
  | 'EXPERIMENTAL'
  | 'BACKUP'
  | 'RESTORE'
  | 'DRAINED';

interface TabletTypeInfo {
  readonly name: TabletType;
  /** The number in topodata.TabletType. */
  readonly number: number;
  /** Older names that are still read, never printed. */
  readonly aliases: readonly string[];
}

/** Every tablet type, at the index that is its number. */
export const TABLET_TYPES: readonly TabletTypeInfo[] = [
  { name: 'UNKNOWN', number: 0, aliases: [] },
  { name: 'PRIMARY', number: 1, aliases: ['MASTER'] },
  { name: 'REPLICA', number: 2, aliases: [] },
  { name: 'RDONLY', number: 3, aliases: ['BATCH'] },
  { name: 'SPARE', number: 4, aliases: [] },
  { name: 'EXPERIMENTAL', number: 5, aliases: [] },
  { name: 'BACKUP', number: 6, aliases: [] },
  { name: 'RESTORE', number: 7, aliases: [] },
  { name: 'DRAINED', number: 8, aliases: [] },
];

/**
 * Reads a tablet type in any case; `MASTER` and `BATCH` are `PRIMARY` and `RDONLY`. Vitess: ParseTabletType.
 *
 * @throws VtError (plain): `unknown TabletType X`
 */
export function parseTabletType(text: string): TabletType {
  const found = findTabletType(text);
  if (found === undefined) throw plainError(`unknown TabletType ${text}`);
  return found;
}

/** The same; undefined when there is no such type. Never trims, as Vitess does not. */
export function findTabletType(text: string): TabletType | undefined {
  const wanted = text.toUpperCase();
  return TABLET_TYPES.find((type) => type.name === wanted || type.aliases.includes(wanted))?.name;
}

/**
 * Reads a comma-separated list of tablet types. Nothing is trimmed; the empty text is the empty list.
 * Vitess: ParseTabletTypes.
 *
 * @throws VtError (plain): `unknown TabletType X`
 */
export function parseTabletTypes(csv: string): TabletType[] {
  return csv === '' ? [] : csv.split(',').map(parseTabletType);
}

const REVERSE_SUFFIX = '_reverse';

/** The name of the workflow that runs the other way: `_reverse` added, or taken off. Vitess: ReverseWorkflowName. */
export function reverseWorkflowName(workflow: string): string {
  return workflow.endsWith(REVERSE_SUFFIX) ? workflow.slice(0, -REVERSE_SUFFIX.length) : workflow + REVERSE_SUFFIX;
}

/** `_vt_hld_<uuid>_<time>_` and the older `_vt_HOLD_<uuid>_<time>`; those of an online schema change. */
const INTERNAL_TABLE =
  /^(?:_vt_[a-zA-Z0-9]{3}_[0-9a-f]{32}_[0-9]{14}_|_vt_(?:HOLD|PURGE|EVAC|DROP)_[0-9a-f]{32}_[0-9]{14}|_[0-9a-f]{8}(?:_[0-9a-f]{4}){3}_[0-9a-f]{12}_[0-9]{14}_(?:gho|ghc|del|new|vrepl))$/;

/** True for a table that Vitess makes for its own work and takes away again. Vitess: go/vt/schema IsInternalOperationTableName. */
export function isInternalTable(table: string): boolean {
  return INTERNAL_TABLE.test(table);
}
