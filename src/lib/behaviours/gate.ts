import { row, yesNo } from './row.ts';

/** Rows on what an application is told by the gate while its tables move. */
export const GATE = {
  doubleBufferingWindow: yesNo('gate', 'buffering may start a second time right after a switch', '#15701, #15707', false, {
    '18.0.0': true,
    '20.0.0': false,
  }),
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
