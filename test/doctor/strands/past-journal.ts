import { MOVE, MOVED_TO_SHARDS, SPLIT, SPLIT_IN_CELLS, SPLIT_IN_STALE_CELL, SPLIT_WITH_STREAMS, STALE_JOURNAL, TWO_CELLS } from './grounds.ts';
import type { Strand } from './types.ts';

const W = 'switchTraffic/writes';
const MAIN = '24.0.0-SNAPSHOT';
const SWITCH = 'MoveTables --workflow c2c --target-keyspace customer switchtraffic';
const RESHARD = 'Reshard --workflow split --target-keyspace customer switchtraffic';
const BOTH = 'corder customer';

/** Engine sheet 17.2: failures past the point of no return. */
export const PAST_JOURNAL: readonly Strand[] = [
  {
    id: 'K4 tail',
    about: 'vtctld is killed behind the journal; the lock on the workflow stays for a day',
    ground: MOVE,
    releases: [MAIN, '21.0.6', '20.0.8'],
    trigger: [{ dies: `${SWITCH} --fault '${W}/createJournals:after=panic'` }],
    state: {
      denied: { 'commerce/0': BOTH },
      streams: { 'commerce/0 c2c_reverse': 'Stopped', 'customer/0 c2c': 'Stopped: stopped for cutover' },
      journals: { 'commerce/0': 1 },
    },
    finds: ['dead-lock-holder', 'refused', 'journal-without-frozen'],
  },
  {
    id: 'K4 tail Reshard',
    about: 'the same of a Reshard with streams of others, one step later',
    ground: SPLIT_WITH_STREAMS,
    releases: [MAIN, '21.0.6', '20.0.8'],
    trigger: [{ dies: `${RESHARD} --fault '${W}/changeRouting:after=panic'` }],
    state: {
      denied: {},
      streams: { 'customer/-80 sales': 'Stopped: for cutover', 'customer/-80 split_reverse': 'Stopped', 'customer/80- sales': 'Stopped: for cutover', 'customer/80- split_reverse': 'Stopped', 'customer/-40 split': 'Stopped: stopped for cutover', 'customer/-40 sales': 'Stopped', 'customer/40-80 split': 'Stopped: stopped for cutover', 'customer/40-80 sales': 'Stopped', 'customer/80-c0 split': 'Stopped: stopped for cutover', 'customer/80-c0 sales': 'Stopped', 'customer/c0- split': 'Stopped: stopped for cutover', 'customer/c0- sales': 'Stopped' },
      journals: { 'customer/-80': 1, 'customer/80-': 1 },
    },
    finds: ['dead-lock-holder', 'journal-without-frozen'],
  },
  {
    id: 'K20',
    about: 'the journal reaches one of two sources',
    ground: MOVED_TO_SHARDS,
    releases: [MAIN, '20.0.8'],
    trigger: [
      { fails: `MoveTables --workflow c2c --target-keyspace customer reversetraffic --tablet-types primary --fault '${W}/createJournals@customer/80-=return(UNAVAILABLE)'`, says: 'failed to create the journal' },
    ],
    state: {
      denied: { 'customer/-80': BOTH, 'customer/80-': BOTH },
      streams: { 'commerce/0 c2c_reverse': 'Stopped: stopped for cutover', 'customer/-80 c2c': 'Stopped', 'customer/80- c2c': 'Stopped' },
      journals: { 'commerce/0': 1, 'customer/-80': 1 },
      locks: [],
    },
    finds: ['refused', 'journals-disagree'],
  },
  {
    id: 'K21',
    about: 'a replica of the target dies past the journal: nobody serves, and the next try is refused for it',
    ground: MOVE,
    releases: [MAIN, '18.0.8'],
    trigger: [
      { while: `${SWITCH} --fault '${W}/allowTargetWrites=sleep(5s)'`, acts: ['tablet stop zone1-202'], fails: 'failed to allow writes in the customer keyspace' },
    ],
    state: {
      denied: { 'commerce/0': BOTH },
      streams: { 'commerce/0 c2c_reverse': 'Stopped', 'customer/0 c2c': 'Stopped: stopped for cutover' },
      journals: { 'commerce/0': 1 },
      locks: [],
    },
    finds: ['refused', 'journal-without-frozen', 'tablet-down'],
  },
  {
    id: 'K22',
    about: 'the topology of a cell goes away when the rules are published',
    ground: TWO_CELLS,
    releases: [MAIN, '18.0.8'],
    trigger: [
      { while: `${SWITCH} --fault '${W}/changeRouting=sleep(5s)'`, acts: ['cell stop zone2'], fails: 'failed to update the routing rules: deadline exceeded: /vitess/zone2/SrvVSchema' },
    ],
    state: {
      denied: { 'commerce/0': BOTH },
      streams: { 'commerce/0 c2c_reverse': 'Stopped', 'customer/0 c2c': 'Stopped: stopped for cutover' },
      journals: { 'commerce/0': 1 },
      locks: [],
    },
    finds: ['refused', 'journal-without-frozen', 'cell-down'],
  },
  {
    id: 'K23',
    about: 'the topology of a cell goes away when the serving graph of a Reshard is to change',
    ground: SPLIT_IN_CELLS,
    releases: [MAIN, '18.0.8'],
    trigger: [
      { while: `${RESHARD} --fault '${W}/changeRouting=sleep(5s)'`, acts: ['cell stop zone2'], fails: 'failed to update the routing rules' },
    ],
    state: {
      denied: {},
      controls: { 'zone1 PRIMARY customer/0': 'off', 'zone1 PRIMARY customer/-80': 'empty', 'zone1 PRIMARY customer/80-': 'empty', 'zone1 REPLICA customer/0': 'off', 'zone1 REPLICA customer/-80': 'empty', 'zone1 REPLICA customer/80-': 'empty', 'zone1 RDONLY customer/0': 'off', 'zone1 RDONLY customer/-80': 'empty', 'zone1 RDONLY customer/80-': 'empty', 'zone2 PRIMARY customer/0': 'off', 'zone2 PRIMARY customer/-80': 'empty', 'zone2 PRIMARY customer/80-': 'empty', 'zone2 REPLICA customer/0': 'off', 'zone2 REPLICA customer/-80': 'empty', 'zone2 REPLICA customer/80-': 'empty', 'zone2 RDONLY customer/0': 'off', 'zone2 RDONLY customer/-80': 'empty', 'zone2 RDONLY customer/80-': 'empty' },
      streams: { 'customer/0 split_reverse': 'Stopped', 'customer/-80 split': 'Stopped: stopped for cutover', 'customer/80- split': 'Stopped: stopped for cutover' },
      journals: { 'customer/0': 1 },
      locks: [],
    },
    finds: ['refused', 'journal-without-frozen', 'cell-down'],
  },
  {
    id: 'K23 mixed',
    about: 'a cell whose serving graph was behind: the new shards serve in one cell, and none in the other',
    ground: SPLIT_IN_STALE_CELL,
    releases: [MAIN, '18.0.8'],
    trigger: [{ fails: `${RESHARD} --tablet-types primary`, says: 'failed to update the routing rules: partial result: keyspace partition for PRIMARY in cell zone2 does not end with max key' }],
    state: {
      denied: {},
      controls: { 'zone2 PRIMARY customer/-80': 'off', 'zone2 PRIMARY customer/-40': 'empty', 'zone2 PRIMARY customer/40-80': 'empty' },
      streams: { 'customer/-80 split_reverse': 'Stopped', 'customer/-40 split': 'Stopped: stopped for cutover', 'customer/40-80 split': 'Stopped: stopped for cutover' },
      journals: { 'customer/-80': 1 },
      locks: [],
    },
    finds: ['journal-without-frozen'],
  },
  {
    id: 'K25',
    about: 'streams of others stay stopped on the new shards of a Reshard',
    ground: SPLIT_WITH_STREAMS,
    releases: [MAIN, '18.0.8'],
    trigger: [{ fails: `${RESHARD} --fault '${W}/streamMigraterfinalize=return'`, says: 'failed to finalize the traffic switch' }],
    state: {
      denied: {},
      streams: { 'customer/-80 sales': 'Stopped: for cutover', 'customer/-80 split_reverse': 'Stopped', 'customer/80- sales': 'Stopped: for cutover', 'customer/80- split_reverse': 'Stopped', 'customer/-40 split': 'Stopped: stopped for cutover', 'customer/-40 sales': 'Stopped', 'customer/40-80 split': 'Stopped: stopped for cutover', 'customer/40-80 sales': 'Stopped', 'customer/80-c0 split': 'Stopped: stopped for cutover', 'customer/80-c0 sales': 'Stopped', 'customer/c0- split': 'Stopped: stopped for cutover', 'customer/c0- sales': 'Stopped' },
      journals: { 'customer/-80': 1, 'customer/80-': 1 },
      locks: [],
    },
    finds: ['journal-without-frozen'],
  },
  {
    id: 'K25 half',
    about: 'streams of others run on the new shards, and those of one of the old shards are deleted',
    ground: SPLIT_WITH_STREAMS,
    releases: [MAIN, '18.0.8'],
    trigger: [{ fails: `${RESHARD} --fault '${W}/streamMigraterfinalize:after@customer/-80=return'`, says: 'failed to finalize the traffic switch' }],
    state: {
      denied: {},
      streams: { 'customer/-80 split_reverse': 'Stopped', 'customer/80- split_reverse': 'Stopped', 'customer/-40 split': 'Stopped: stopped for cutover', 'customer/-40 sales': 'Running', 'customer/40-80 split': 'Stopped: stopped for cutover', 'customer/40-80 sales': 'Running', 'customer/80-c0 split': 'Stopped: stopped for cutover', 'customer/80-c0 sales': 'Running', 'customer/c0- split': 'Stopped: stopped for cutover', 'customer/c0- sales': 'Running' },
      journals: { 'customer/-80': 1, 'customer/80-': 1 },
      locks: [],
    },
    finds: ['journal-without-frozen'],
  },
  {
    id: 'K26 reverse',
    about: 'the reverse workflow is not started',
    ground: MOVE,
    releases: [MAIN, '18.0.8'],
    trigger: [{ fails: `${SWITCH} --fault '${W}/startReverseVReplication=return'`, says: 'failed to start the reverse workflow' }],
    state: {
      denied: { 'commerce/0': BOTH },
      streams: { 'commerce/0 c2c_reverse': 'Stopped', 'customer/0 c2c': 'Stopped: stopped for cutover' },
      journals: { 'commerce/0': 1 },
      locks: [],
    },
    finds: ['journal-without-frozen'],
  },
  {
    id: 'K26 freeze',
    about: 'the workflow is not frozen',
    ground: MOVE,
    releases: [MAIN, '18.0.8'],
    trigger: [{ fails: `${SWITCH} --fault '${W}/freezeTargetVReplication=return'`, says: 'failed to freeze the workflow' }],
    state: {
      denied: { 'commerce/0': BOTH },
      streams: { 'commerce/0 c2c_reverse': 'Running', 'customer/0 c2c': 'Stopped: stopped for cutover' },
      journals: { 'commerce/0': 1 },
      locks: [],
    },
    finds: ['journal-without-frozen'],
  },
  {
    id: 'K26 Reshard',
    about: 'the same of a Reshard',
    ground: SPLIT,
    releases: [MAIN, '18.0.8'],
    trigger: [{ fails: `${RESHARD} --fault '${W}/freezeTargetVReplication=return'`, says: 'failed to freeze the workflow' }],
    state: {
      denied: {},
      streams: { 'customer/0 split_reverse': 'Running', 'customer/-80 split': 'Stopped: stopped for cutover', 'customer/80- split': 'Stopped: stopped for cutover' },
      journals: { 'customer/0': 1 },
      locks: [],
    },
    finds: ['journal-without-frozen'],
  },
  {
    id: 'K28',
    about: 'a run again past the journal is refused for the lag of streams that stand still, and somebody starts them',
    ground: MOVE,
    releases: [MAIN, '22.0.4'],
    trigger: [
      { fails: `${SWITCH} --tablet-types primary --fault '${W}/changeRouting=return'`, says: 'failed to update the routing rules' },
      { wait: '1m' },
      { fails: `${SWITCH} --tablet-types primary`, says: 'is higher than allowed lag 30s' },
      'Workflow --keyspace customer start --workflow c2c',
      { wait: '5s' },
    ],
    state: {
      denied: { 'commerce/0': BOTH },
      streams: { 'commerce/0 c2c_reverse': 'Stopped', 'customer/0 c2c': 'Running: stopped for cutover' },
      journals: { 'commerce/0': 1 },
      locks: [],
    },
    finds: ['refused', 'turned-on-itself'],
  },
  {
    id: 'K29',
    about: 'a journal of an earlier Reshard has the id of this one',
    ground: STALE_JOURNAL,
    releases: [MAIN, '18.0.8'],
    trigger: [],
    state: { denied: {}, streams: { 'customer/-80 split': 'Running', 'customer/80- split': 'Running' }, locks: [] },
    finds: ['old-journal'],
  },
];
