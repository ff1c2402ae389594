import { row, yesNo } from './row.ts';

/** Rows on what an application is told by the gate while its tables move. */
export const GATE = {
  doubleBufferingWindow: yesNo('gate', 'buffering may start a second time right after a switch', '#15701, #15707', false, {
    '18.0.0': true,
    '20.0.0': false,
  }),
  switchSeenBy: row<'some rules' | 'every rule'>(
    'gate',
    'what tells a gate that buffers that a move has been switched',
    '#20465, #21076 (open)',
    {
      'some rules': 'rules of tables; where shards have rules those alone, read the wrong way round; those of keyspaces not at all',
      'every rule': 'whichever rule leads away from what is refused',
    },
    'every rule',
    { '18.0.0': 'some rules' },
  ),
  vschemaWait: row<'30s' | 'half-failover' | 'half-failover-unless-drained'>(
    'gate',
    'how long a refused statement waits for a newer VSchema before it is tried again',
    '#15701',
    {
      '30s': '30 seconds',
      'half-failover': 'half of the longest failover',
      'half-failover-unless-drained': 'half of the longest failover, and not at all once its buffer was drained',
    },
    'half-failover-unless-drained',
    { '18.0.0': '30s', '20.0.0': 'half-failover' },
  ),
};
