/**
 * The tablet types the command line knows, by protobuf number.
 *
 * Vitess: proto/topodata.proto, go/vt/topo/topoproto/tablet.go ParseTabletType.
 */
export const TABLET_TYPE_NAMES = [
  'UNKNOWN',
  'PRIMARY',
  'REPLICA',
  'RDONLY',
  'SPARE',
  'EXPERIMENTAL',
  'BACKUP',
  'RESTORE',
  'DRAINED',
] as const;

/** Name of a tablet type, as records print it. */
export type TabletTypeName = (typeof TABLET_TYPE_NAMES)[number];

const ALIASES: Readonly<Record<string, TabletTypeName>> = { MASTER: 'PRIMARY', BATCH: 'RDONLY' };

/** The type of this name in any case; undefined when there is none. Never trims, as Vitess does not. */
export function tabletTypeOf(word: string): TabletTypeName | undefined {
  const upper = word.toUpperCase();
  return TABLET_TYPE_NAMES.find((name) => name === upper) ?? (Object.hasOwn(ALIASES, upper) ? ALIASES[upper] : undefined);
}
