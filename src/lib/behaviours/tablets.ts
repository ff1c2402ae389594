import { row } from './row.ts';

/** Rows on tablets that do not answer, or are no longer what they were. */
export const TABLETS = {
  deadTabletWaitMs: row<number>(
    'tablets',
    'how long a call tries a tablet that is down, where the step sets no limit of its own',
    'K1, K54, K55, never in Vitess',
    { 0: "until the caller's time is up, an hour unless --action-timeout says otherwise; source writes may be stopped meanwhile", 30_000: '30 seconds' },
    30_000,
    { '18.0.0': 0 },
  ),
  stalePrimary: row<'called' | 'looked up again'>(
    'tablets',
    'who is called when a shard got another primary since the switch read its workflow',
    'K18, #17326, never in Vitess',
    { called: 'the old primary', 'looked up again': 'the new primary' },
    'looked up again',
    { '18.0.0': 'called' },
  ),
  targetsAtJournal: row<'not asked' | 'asked'>(
    'tablets',
    'whether target primaries, and the topology of each cell, answer just before the journal',
    'never in Vitess',
    { 'not asked': 'not asked: what has died meanwhile is found out past the journal', asked: 'asked: the switch rolls back if one does not' },
    'asked',
    { '18.0.0': 'not asked' },
  ),
  unrefreshedTablets: row<'fail' | 'passed over'>(
    'tablets',
    'a tablet that cannot be refreshed in a roll-back, or past the journal',
    'K6, K21, never in Vitess',
    {
      fail: 'fails the step, be it only a replica',
      'passed over': 'is passed over with a warning, unless it is a primary that runs',
    },
    'passed over',
    { '18.0.0': 'fail' },
  ),
};
