import type { AnyRow, Value } from './behaviours/row.ts';
import { BEHAVIOURS, type Behaviours } from './behaviours.ts';
import { UserError } from './errors.ts';

/** The newest patch of each line that we know. */
const NEWEST: Readonly<Record<number, number>> = { 18: 8, 19: 10, 20: 8, 21: 6, 22: 4, 23: 7, 24: 4 };
const SNAPSHOT = '24.0.0-SNAPSHOT';

/** A Vitess version and what it does. */
export interface Release {
  /** `hardened`, `24.0.0-SNAPSHOT` or `21.0.2`. */
  name: string;
  /** True for Vitess's own releases: they strand what they strand. */
  vitess: boolean;
  behaviours: Behaviours;
}

/** The releases that behave differently somewhere in the roll-back, oldest first: what a failed switch is compared with. */
export const LANDMARKS = [
  '18.0.8',
  '19.0.8',
  '19.0.9',
  '19.0.10',
  '20.0.4',
  '20.0.5',
  '20.0.6',
  '21.0.1',
  '21.0.2',
  '21.0.3',
  '22.0.4',
  '23.0.7',
  SNAPSHOT,
] as const;

/**
 * The release of a name: `hardened`, `v21`, `21` (its newest patch known), `v21.0.2`, `21.0.2`, `24.0.0-SNAPSHOT`.
 * Throws UserError for anything else.
 */
export function findRelease(name: string): Release {
  let release = found.get(name);
  if (release === undefined) {
    release = resolveRelease(name);
    found.set(name, release);
  }
  return release;
}

/** Every release known, oldest first: each patch of each line. */
export const EVERY_RELEASE: readonly string[] = Object.entries(NEWEST).flatMap(([line, newest]) =>
  Array.from({ length: newest + 1 }, (_, patch) => `${line}.0.${patch}`),
);

/** Resolved once: a failed switch compares a dozen releases. Only names that exist get in. */
const found = new Map<string, Release>();

function resolveRelease(name: string): Release {
  const wanted = name.trim().replace(/^v/i, '');
  if (wanted.toLowerCase() === 'hardened') return { name: 'hardened', vitess: false, behaviours: hardened() };
  if (wanted.toUpperCase() === SNAPSHOT) return { name: SNAPSHOT, vitess: true, behaviours: behavioursAt([24, 0, 0]) };
  const match = /^(\d+)(?:\.(\d+)(?:\.(\d+))?)?$/.exec(wanted);
  const line = Number(match?.[1]);
  const newest = NEWEST[line];
  if (match === null || newest === undefined) throw unknownRelease(name);
  const minor = Number(match[2] ?? 0);
  const patch = match[3] === undefined ? newest : Number(match[3]);
  if (minor !== 0 || patch > newest) throw unknownRelease(name);
  return { name: `${line}.0.${patch}`, vitess: true, behaviours: behavioursAt([line, 0, patch]) };
}

function unknownRelease(name: string): UserError {
  const lines = Object.entries(NEWEST).map(([line, patch]) => `${line}.0.0 to ${line}.0.${patch}`);
  return new UserError(`unknown Vitess version "${name}"; there are hardened, ${lines.join(', ')} and ${SNAPSHOT}`, {
    exit: 2,
  });
}

function hardened(): Behaviours {
  return mapRows((row) => row.hardened);
}

function behavioursAt(version: Version): Behaviours {
  return mapRows((row) => valueAt(row, version));
}

function mapRows(pick: (row: AnyRow) => Value): Behaviours {
  return Object.fromEntries(Object.entries(BEHAVIOURS).map(([name, row]) => [name, pick(row)])) as Behaviours;
}

type Version = [number, number, number];

/** A dozen releases are looked up in a hundred rows, which are all of the same few versions. */
const versions = new Map<string, Version>();

function versionOf(text: string): Version {
  let version = versions.get(text);
  if (version === undefined) {
    version = text.split('.').map(Number) as Version;
    versions.set(text, version);
  }
  return version;
}

/** When a row's values begin, the newest first. */
function beginnings(row: AnyRow): Beginning[] {
  let known = ofRow.get(row);
  if (known === undefined) {
    known = Object.entries(row.since).map(([since, value]) => {
      const [line, , patch] = versionOf(since);
      return { line, patch, value };
    });
    known.sort((a, b) => b.line - a.line || b.patch - a.patch);
    ofRow.set(row, known);
  }
  return known;
}

interface Beginning {
  line: number;
  patch: number;
  value: Value;
}

const ofRow = new WeakMap<AnyRow, Beginning[]>();

/** The last entry of the version's own line at or before it; else the newest `N.0.0` of an earlier line. */
function valueAt(row: AnyRow, [line, , patch]: Version): Value {
  for (const since of beginnings(row)) {
    if (since.line === line ? since.patch <= patch : since.line < line && since.patch === 0) return since.value;
  }
  throw new Error('a behaviour has no value for the oldest line');
}
