import { row, yesNo } from './row.ts';

/** Rows on VDiff. */
export const VDIFF = {
  vdiffFlags: row<'few' | 'samples' | 'all'>(
    'vdiff',
    'flags of VDiff that there are',
    '#14437, #14786, #16618, #16654',
    {
      few: 'not --max-report-sample-rows, --max-diff-duration, --row-diff-column-truncate-at, --auto-start, --target-shards',
      samples: 'not --row-diff-column-truncate-at, --auto-start, --target-shards',
      all: 'all of them',
    },
    'all',
    { '18.0.0': 'few', '19.0.0': 'samples', '21.0.0': 'all' },
  ),
  vdiffNeedsRunning: yesNo('vdiff', 'create is refused while not all streams of the workflow run', '#15546', true, { '18.0.0': false, '20.0.0': true }),
  vdiffLock: row<'keyspace' | 'workflow, once' | 'workflow, again and again'>(
    'vdiff',
    'the lock under which both sides are taken, and what happens if somebody has it',
    '#16260, #18998',
    {
      keyspace: 'that of the target keyspace; the diff fails',
      'workflow, once': "that on the workflow's name; the diff fails",
      'workflow, again and again': "that on the workflow's name; the diff waits",
    },
    'workflow, again and again',
    { '18.0.0': 'keyspace', '21.0.0': 'workflow, once', '24.0.0': 'workflow, again and again' },
  ),
  vdiffRestart: row<'all run' | 'as they were'>(
    'vdiff',
    'the streams of the workflow after a diff',
    'never in Vitess',
    {
      'all run': 'run, also those that were stopped or frozen before',
      'as they were': 'are as they were; a diff of a workflow of which not all run is refused',
    },
    'as they were',
    { '18.0.0': 'all run' },
  ),
  vdiffTargetRows: row<'all' | 'as written' | 'where it fits'>(
    'vdiff',
    'rows of the target that are compared, where a rule has conditions besides a key range, as of one tenant',
    '#16307',
    {
      all: 'all: those of other tenants are extra',
      'as written': 'those that meet the conditions; with columns that have other names there, the diff fails',
      'where it fits': 'those that meet the conditions, if the rule leaves rows as they are; else all',
    },
    'where it fits',
    { '18.0.0': 'all', '20.0.1': 'as written', '21.0.0': 'as written' },
  ),
  vdiffSecondLook: row<'all-or-nothing' | 'miscounts' | 'counts' | 'exact'>(
    'vdiff',
    'the second look at rows that are extra on both sides',
    '#17950, #18585, #20602',
    {
      'all-or-nothing': 'is taken only if there are as many on either side; one sample too few is kept',
      miscounts: 'counts wrong, and crashes the tablet where there are more rows than samples; one sample too few is kept',
      counts: 'passes over the rows behind the end of the other side, of which one sample is kept',
      exact: 'sees all of them, as many as --max-extra-rows-to-compare, in full',
    },
    'exact',
    { '18.0.0': 'all-or-nothing', '20.0.7': 'miscounts', '21.0.0': 'all-or-nothing', '21.0.4': 'miscounts', '22.0.0': 'miscounts', '22.0.2': 'counts', '23.0.0': 'counts' },
  ),
  vdiffSamples: row<'short' | 'characters' | 'hex'>(
    'vdiff',
    'values of rows that differ',
    '#16618, #19044',
    {
      short: 'are cut after 30 bytes, keys too',
      characters: 'are cut at --row-diff-column-truncate-at, keys never; bytes are shown as characters',
      hex: 'are cut at --row-diff-column-truncate-at, keys never; bytes are shown as hexadecimal digits',
    },
    'hex',
    { '18.0.0': 'short', '21.0.0': 'characters', '24.0.0': 'hex' },
  ),
  vdiffPercent: row<'%%' | '%'>('vdiff', 'what follows the percentage of a running diff', '#17568', { '%%': '`%%`', '%': '`%`' }, '%', {
    '18.0.0': '%%',
    '22.0.0': '%',
  }),
  vdiffShardSummaries: yesNo('vdiff', 'JSON tells of each shard by itself (`ShardSummaries`)', '#19359', true, { '18.0.0': false, '24.0.0': true }),
};
