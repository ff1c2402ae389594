import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { BEHAVIOURS, type BehaviourName, type Behaviours } from '../../src/lib/behaviours.ts';
import type { AnyRow } from '../../src/lib/behaviours/row.ts';
import { EVERY_RELEASE, findRelease, LANDMARKS } from '../../src/lib/releases.ts';
import { readSources } from '../helpers/source.ts';

const NAMES = Object.keys(BEHAVIOURS) as BehaviourName[];

/** The newest patch of each line; the tests count up to it. */
const NEWEST: Record<number, number> = { 18: 8, 19: 10, 20: 8, 21: 6, 22: 4, 23: 7, 24: 4 };
const EVERY_PATCH = Object.entries(NEWEST).flatMap(([line, newest]) =>
  Array.from({ length: newest + 1 }, (_, patch) => `${line}.0.${patch}`),
);

it('every release is known', () => expect(EVERY_RELEASE).toEqual(EVERY_PATCH));

/** The values of each row that strand, lose or refuse something for no reason: what a bug of some release does. */
const BUGS: { readonly [K in BehaviourName]: readonly Behaviours[K][] } = {
  rollbackContext: ['caller', 'detached'],
  rollbackTimeoutMs: [0],
  rollbackErrorsReturned: [false],
  rollbackDirection: ['source-only', 'forward'],
  rollbackRestoresAll: [false],
  reverseDeletesOriginal: [true],
  positionsErrorRollsBack: [false],
  lostLockRollsBack: [false],
  rebuildOnStopWrites: [true],
  rebuildAfterReads: ['always'],
  stopOrder: ['streams-first'],
  stopWritesFreesTarget: [],
  lockTablesRounds: [],
  positions: ['at-stop'],
  postJournal: ['caller'],
  journalValueBytes: [65_535],
  resumeChecksLag: [true],
  reverseStart: ['every-stream'],
  deadTabletWaitMs: [0],
  stalePrimary: ['called'],
  oldJournal: ['taken for its own'],
  targetsAtJournal: ['not asked'],
  unrefreshedTablets: ['fail'],
  notLockedCode: [],
  namedLock: ['none', 'writes'],
  endedLock: [],
  zkDirectories: ['one'],
  keyspaceLockTtl: ['none', '3T'],
  readsLockTtl: ['none'],
  leases: ['server'],
  lockChecks: [false],
  fencedWrites: [false],
  readsLocks: ['source'],
  routingRulesGuarded: [false],
  keyspaceRulesLock: [false],
  lag: ['time-updated'],
  reverseChecked: [false],
  forceRefresh: [false],
  reversePrivileges: ['none', 'exact'],
  tabletsForReverse: [false],
  noTabletsNames: ['source'],
  writesSwitchedRule: ['table'],
  leastTimeout: ['switch'],
  sameKeyspace: ['accepted', 'switch-refuses'],
  readsOnlyReversal: [false],
  reverseCancel: ['drops'],
  deniedTablesOnTargetAtCreate: [false],
  deferByDefault: [],
  configOverrides: [false],
  referenceTables: [false],
  targetWithoutPrimary: ['panic'],
  filteredUpdates: ['both images'],
  createBesideFrozen: [false],
  cancelOrder: ['unstopped', 'stream-first'],
  missingTables: ['error'],
  cancelAfterReads: [false],
  ignoreSourceKeyspace: [false],
  completeOrder: ['streams-first'],
  completeDryRun: ['publishes'],
  cancelReads: ['left'],
  endingMirrors: ['stay'],
  workflowShards: ['unknown', 'ignored'],
  moveTablesShards: ['unknown'],
  updateShards: ['unknown', 'ignored'],
  denyEntries: ['error'],
  mirrorTraffic: [false],
  mirrorLocks: [false],
  mirrorSets: ['whole'],
  allowReads: [false],
  allowReadsKept: [false],
  mirrorRemoval: [],
  mirrorEntry: ['none', 'whole'],
  tenantRollback: ['none', 'as others'],
  tenantReadCells: ['none', 'as many'],
  tenantReversal: ['none', 'looked for', 'refused', 'no effect'],
  switchSeenBy: ['some rules'],
  tenantMoves: [false],
  tenantCancel: ['none', 'drops tables'],
  partialWrites: ['never known'],
  sequenceStep: ['past-journal', 'before-journal'],
  sequenceLookup: ['by-name'],
  sequenceNullMaximum: [false],
  sequenceEmptyTables: [false],
  sequenceNames: ['plain', 'unquoted'],
  sequenceAutoReplace: ['left', 'removed', 'bare'],
  sequenceCacheReset: ['raised', 'never'],
  sequenceDryRun: ['named', 'reported'],
  sequenceDryRunMissing: ['fails', 'makes'],
  sequenceRpcs: ['one by one'],
  preparedTransactions: ['ignored', 'participants'],
  reshardCancel: ['removes shards'],
  lockCheckAsks: [false],
  doubleBufferingWindow: [true],
  vschemaWait: ['30s', 'half-failover'],
  gateBuildsMissing: [false],
  vdiffFlags: [],
  vdiffNeedsRunning: [false],
  vdiffLock: ['keyspace', 'workflow, once'],
  vdiffRestart: ['all run'],
  vdiffTargetRows: ['all', 'as written'],
  vdiffSecondLook: ['all-or-nothing', 'miscounts', 'counts'],
  vdiffSamples: ['short', 'characters'],
  vdiffPercent: ['%%'],
  vdiffShardSummaries: [],
};

describe('hardened', () => {
  it.each(NAMES)("does not have a release's bug: %s", (name) => {
    expect(BUGS[name]).not.toContain(BEHAVIOURS[name].hardened);
  });

  it('is what Vitess has come to, or what no release does', () => {
    const otherwise = NAMES.filter((name) => value('24.0.4', name) !== BEHAVIOURS[name].hardened);
    const backToAnOldOne = otherwise.filter((name) => EVERY_PATCH.some((release) => value(release, name) === BEHAVIOURS[name].hardened));
    // Until v20 positions were part of stopping writes, and so rolled back. v19.0.0 sent the shards of an update. Until v23 a stream's
    // filter looked at each image by itself.
    expect(backToAnOldOne.toSorted()).toEqual(['filteredUpdates', 'positionsErrorRollsBack', 'updateShards']);
  });
});

describe('the code', () => {
  const sources = readSources(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'src').filter((file) => !file.path.startsWith('src/lib/behaviours'));
  /** `behaviours.name`, or `{ …, name, … } = … behaviours`. */
  const reads = (name: string): boolean => {
    const read = new RegExp(`behaviours\\.${name}\\b|\\{[^{}]*\\b${name}\\b[^{}]*\\}\\s*=\\s*[\\w.]*behaviours\\b`);
    return sources.some((file) => read.test(file.code));
  };

  it('reads each row that waits for nothing', () => {
    expect(NAMES.filter((name) => !('waitsFor' in BEHAVIOURS[name]) && !reads(name))).toEqual([]);
  });

  it('reads no row that waits: then it would be built', () => {
    expect(NAMES.filter((name) => 'waitsFor' in BEHAVIOURS[name] && reads(name))).toEqual([]);
  });
});

function value<K extends BehaviourName>(release: string, name: K): Behaviours[K] {
  return findRelease(release).behaviours[name];
}

describe('the table of behaviours', () => {
  it.each(NAMES)('%s says what it is, where it comes from, and has a value for the oldest line', (name) => {
    const row = BEHAVIOURS[name];
    expect(row.about).not.toBe('');
    expect(row.refs).toMatch(/#\d+|never|always/);
    expect(Object.keys(row.since)).toContain('18.0.0');
    for (const since of Object.keys(row.since)) expect(since).toMatch(/^(1[89]|2[0-4])\.0\.\d+$/);
  });

  it.each([...LANDMARKS, ...EVERY_PATCH, 'hardened'])('%s has a value for each behaviour', (release) => {
    const { behaviours } = findRelease(release);
    expect(Object.keys(behaviours)).toEqual(NAMES);
    expect(NAMES.filter((name) => behaviours[name] === undefined)).toEqual([]);
  });

  it('changes only where a row says so', () => {
    for (const name of NAMES) {
      const entries = new Set(Object.keys(BEHAVIOURS[name].since));
      for (const [index, release] of EVERY_PATCH.entries()) {
        const before = EVERY_PATCH[index - 1];
        if (before === undefined || release.endsWith('.0.0') || entries.has(release)) continue;
        expect(value(release, name), `${name} of ${release} is that of ${before}`).toEqual(value(before, name));
      }
    }
  });

  it('hardened has the value that the row calls hardened', () => {
    const { behaviours } = findRelease('hardened');
    for (const name of NAMES) expect(behaviours[name]).toBe(BEHAVIOURS[name].hardened);
  });

  it('says of a row on which hardened and every release agree that they do', () => {
    const idle = NAMES.filter((name) => EVERY_PATCH.every((release) => value(release, name) === BEHAVIOURS[name].hardened));
    expect(idle).toEqual(NAMES.filter((name) => BEHAVIOURS[name].refs.endsWith('the same on every release')));
  });

  it.each(NAMES)('%s has words for each of its values, and no others', (name) => {
    const row: AnyRow = BEHAVIOURS[name];
    const values = new Set([...Object.values(row.since), row.hardened].map(String));
    const isYesNo = typeof row.hardened === 'boolean';
    expect(Object.keys(row.words).toSorted()).toEqual(isYesNo ? ['false', 'true'] : [...values].toSorted());
    expect(row.about).toMatch(/^[^.\n]{8,110}$/);
  });

  it('is, release by release, what it was', async () => {
    const lines = NAMES.map((name) => {
      const changes = EVERY_PATCH.filter((release, i) => i === 0 || value(release, name) !== value(EVERY_PATCH[i - 1]!, name));
      return `${name}: ${changes.map((release) => `${release} ${value(release, name)}`).join(', ')}; hardened ${value('hardened', name)}`;
    });
    await expect(`${lines.toSorted().join('\n')}\n`).toMatchFileSnapshot('behaviours.golden.txt');
  });
});

/** One row of failures.md B.1 or B.2: releases and what they do, in any order. */
type Boundaries<K extends BehaviourName> = [name: K, expected: Record<string, Behaviours[K]>];
const boundaries = <K extends BehaviourName>(name: K, expected: Record<string, Behaviours[K]>): Boundaries<K> => [name, expected];

describe('the patches in which releases changed', () => {
  it.each([
    boundaries('targetWithoutPrimary', {
      '18.0.5': 'panic',
      '18.0.6': 'error',
      '19.0.4': 'panic',
      '19.0.5': 'error',
      '20.0.0': 'panic',
      '20.0.1': 'error',
      '21.0.0': 'error',
    }),
    boundaries('rollbackContext', {
      '18.0.0': 'caller',
      '18.0.8': 'caller',
      '19.0.0': 'caller',
      '19.0.8': 'caller',
      '19.0.9': 'detached',
      '19.0.10': 'inherited',
      '20.0.0': 'caller',
      '20.0.4': 'caller',
      '20.0.5': 'detached',
      '20.0.6': 'inherited',
      '20.0.8': 'inherited',
      '21.0.0': 'caller',
      '21.0.1': 'caller',
      '21.0.2': 'detached',
      '21.0.3': 'inherited',
      '21.0.6': 'inherited',
      '22.0.0': 'inherited',
      '24.0.0-SNAPSHOT': 'inherited',
    }),
    boundaries('rollbackTimeoutMs', {
      '19.0.8': 0,
      '19.0.9': 60_000,
      '19.0.10': 120_000,
      '20.0.4': 0,
      '20.0.5': 60_000,
      '20.0.6': 120_000,
      '21.0.1': 0,
      '21.0.2': 60_000,
      '21.0.3': 120_000,
      '22': 120_000,
    }),
    boundaries('rollbackErrorsReturned', {
      '18': false,
      '19.0.9': false,
      '19.0.10': true,
      '20.0.0': false,
      '20.0.5': false,
      '20.0.6': true,
      '21.0.2': false,
      '21.0.3': true,
      '22.0.0': true,
    }),
    boundaries('rollbackDirection', {
      '18': 'source-only',
      '19.0.10': 'source-only',
      '20.0.0': 'forward',
      '20.0.5': 'forward',
      '20.0.6': 'backward',
      '21.0.0': 'forward',
      '21.0.2': 'forward',
      '21.0.3': 'backward',
      '22.0.0': 'backward',
    }),
    boundaries('notLockedCode', { '19.0.9': 'INVALID_ARGUMENT', '20.0.8': 'INVALID_ARGUMENT', '21.0.0': 'INTERNAL', '22': 'INTERNAL' }),
    boundaries('deniedTablesOnTargetAtCreate', { '19.0.10': false, '20.0.0': true, '21.0.0': true }),
    boundaries('stopWritesFreesTarget', { '19.0.10': false, '20.0.0': true }),
    boundaries('denyEntries', { '19.0.10': 'error', '20.0.0': 'warning' }),
    boundaries('rebuildOnStopWrites', { '19.0.10': true, '20.0.0': false }),
    boundaries('rebuildAfterReads', { '19.0.10': 'always', '20.0.0': 'reads-only' }),
    boundaries('mirrorRemoval', { '20.0.8': 'none', '21.0.0': 'always', '23.0.7': 'always', '24.0.0': 'when-mirrored' }),
    boundaries('stopOrder', { '19.0.10': 'streams-first', '20.0.0': 'writes-first' }),
    boundaries('positions', { '20.0.8': 'at-stop', '21.0.0': 'after-lock-tables' }),
    boundaries('positionsErrorRollsBack', { '20.0.8': true, '21.0.0': false, '24.0.0-SNAPSHOT': false, hardened: true }),
    boundaries('namedLock', { '20.0.8': 'none', '21.0.0': 'writes', '21.0.6': 'writes', '22.0.0': 'command' }),
    boundaries('keyspaceLockTtl', { '20.0.8': 'none', '21.0.0': '3T', '22.0.4': '3T', '23.0.3': '3T', '23.0.4': '3T+tail', '24.0.0': '3T+tail' }),
    boundaries('readsLockTtl', { '20.0.8': 'none', '21.0.0': 'T' }),
    boundaries('lockChecks', { '20.0.8': false, '21.0.0': true }),
    boundaries('lockCheckAsks', { '18.0.0': false, '20.0.8': false, '21.0.0': true }),
    boundaries('readsLocks', { '23.0.7': 'source', '24.0.0': 'both' }),
    boundaries('lag', {
      '18': 'time-updated',
      '19.0.9': 'time-updated',
      '19.0.10': 'transaction',
      '20.0.0': 'time-updated',
      '20.0.5': 'time-updated',
      '20.0.6': 'transaction',
      '21.0.2': 'time-updated',
      '21.0.3': 'transaction',
      '22.0.0': 'transaction',
    }),
    boundaries('reverseChecked', { '20.0.8': false, '21.0.0': true }),
    boundaries('readsOnlyReversal', { '20.0.8': false, '21.0.0': true }),
    boundaries('cancelAfterReads', { '21.0.6': false, '22.0.0': true }),
    boundaries('reversePrivileges', { '20.0.8': 'none', '21.0.0': 'exact', '22.0.4': 'exact', '23.0.0': 'wildcards', '24.0.0': 'tried' }),
    boundaries('postJournal', { '22.0.4': 'caller', '23.0.3': 'caller', '23.0.4': 'bounded', '24.0.0': 'bounded' }),
    boundaries('writesSwitchedRule', { '20.0.8': 'table', '21.0.0': 'source.table' }),
    boundaries('sameKeyspace', { '23.0.3': 'accepted', '23.0.4': 'switch-refuses', '24.0.0': 'refused' }),
    boundaries('leastTimeout', { '20.0.8': 'none', '21.0.0': 'switch', '24.0.0-SNAPSHOT': 'switch', hardened: 'both' }),
    boundaries('createBesideFrozen', { '19.0.10': false, '20.0.0': true }),
    boundaries('cancelOrder', { '19.0.10': 'unstopped', '20.0.0': 'stream-first', '21.0.6': 'stream-first', '22.0.0': 'stopped' }),
    boundaries('missingTables', { '19.0.10': 'error', '20.0.1': 'error', '20.0.2': 'warning', '21.0.0': 'warning' }),
    boundaries('tenantMoves', { '19.0.10': false, '20.0.0': true }),
    boundaries('tenantReversal', { '19.0.10': 'none', '20.0.8': 'looked for', '21.0.6': 'refused', '22.0.0': 'no effect' }),
    boundaries('tenantCancel', { '20.0.8': 'drops tables', '21.0.6': 'drops tables', '22.0.0': 'deletes rows' }),
    boundaries('reverseDeletesOriginal', { '18': true, '24': true, hardened: false }),
    boundaries('lostLockRollsBack', { '24.0.0-SNAPSHOT': false, hardened: true }),
    boundaries('leases', { '18': 'server', '24.0.0-SNAPSHOT': 'server', hardened: 'renewed' }),
    boundaries('endedLock', { '21.0.6': 'the lock', '22.0.0': 'the context' }),
    boundaries('zkDirectories', { '21.0.0': 'one', '21.0.6': 'one', '22.0.1': 'one', '22.0.2': 'all', '23.0.0': 'all' }),
    boundaries('fencedWrites', { '24.0.0-SNAPSHOT': false, hardened: true }),
    boundaries('rollbackRestoresAll', { '24.0.0-SNAPSHOT': false, hardened: true }),
  ] as Boundaries<BehaviourName>[])('%s', (name, expected) => {
    const actual = Object.fromEntries(Object.keys(expected).map((release) => [release, value(release, name)]));
    expect(actual).toEqual(expected);
  });

  it('three releases lose the locks in a roll-back, and no other (vitess#17620)', () => {
    expect(EVERY_PATCH.filter((release) => value(release, 'rollbackContext') === 'detached')).toEqual(['19.0.9', '20.0.5', '21.0.2']);
  });

  it('nine releases switch forward again in a roll-back', () => {
    expect(EVERY_PATCH.filter((release) => value(release, 'rollbackDirection') === 'forward')).toEqual([
      ...[0, 1, 2, 3, 4, 5].map((patch) => `20.0.${patch}`),
      ...[0, 1, 2].map((patch) => `21.0.${patch}`),
    ]);
  });
});
