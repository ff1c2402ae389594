import { MOVE, MOVED, PARTIAL, SHARDS_TO_SHARDS, SPLIT, SPLIT_IN_CELLS, SPLIT_WITH_FROZEN, SPLIT_WITH_STREAMS, TENANT } from './grounds.ts';
import type { Strand } from './types.ts';

const W = 'switchTraffic/writes';
const MAIN = '24.0.0-SNAPSHOT';
const SWITCH = 'MoveTables --workflow c2c --target-keyspace customer switchtraffic --tablet-types primary';
const RESHARD = 'Reshard --workflow split --target-keyspace customer switchtraffic --tablet-types primary';
const expired = (keyspace: string): string => `locks were lost: ${keyspace} keyspace lock was lost: node doesn't exist: lease`;
const BOTH = 'corder customer';

/** Engine sheet 6.4: what is there already when the locks are found lost at each of the six checks. The first check is that of K3. */
const LOST_AT = [
  { check: 1, state: 'S-A', streams: 'Running', reverse: false },
  { check: 2, state: 'S-B', streams: 'Stopped: stopped for cutover', reverse: false },
  { check: 3, state: 'S-C', streams: 'Stopped: stopped for cutover', reverse: false },
  { check: 4, state: 'S-D', streams: 'Stopped: stopped for cutover', reverse: false },
  { check: 5, state: 'S-E', streams: 'Stopped: stopped for cutover', reverse: true },
  { check: 6, state: 'S-F', streams: 'Stopped: stopped for cutover', reverse: true },
];

/** The source shards of SPLIT_WITH_STREAMS. */
const OFF = { 'zone1 PRIMARY customer/-80': 'off', 'zone1 PRIMARY customer/80-': 'off' } as const;

const lostLocks: Strand[] = LOST_AT.flatMap(({ check, state, streams, reverse }): Strand[] => [
  {
    id: `K2 ${state}`,
    about: `the lease of the source has run out at check ${check}: no roll-back`,
    ground: MOVE,
    releases: [MAIN, '21.0.6'],
    trigger: [{ fails: `${SWITCH} --fault '${W}/checkLocks#${check}=lease(expire)'`, says: expired('commerce') }],
    state: {
      denied: { 'commerce/0': BOTH },
      journals: {},
      streams: { 'customer/0 c2c': streams, ...(reverse && { 'commerce/0 c2c_reverse': 'Stopped' }) },
      locks: [],
    },
    finds: ['refused'],
  },
  {
    id: `K2 ${state} Reshard`,
    about: `the same of a Reshard that has streams of another workflow on its sources`,
    ground: SPLIT_WITH_STREAMS,
    releases: [MAIN, '21.0.6'],
    trigger: [{ fails: `${RESHARD} --fault '${W}/checkLocks#${check}=lease(expire)'`, says: expired('customer') }],
    state: { controls: OFF, journals: {}, locks: [] },
    finds: ['refused'],
  },
]);

/** Engine sheet 17.1: a switch of writes that strands state before its journal. */
export const BEFORE_JOURNAL: readonly Strand[] = [
  {
    id: 'K1',
    about: 'a source primary that dies when positions are to be read; writes stay stopped',
    ground: MOVE,
    releases: [MAIN, '21.0.6'],
    trigger: [
      { while: `${SWITCH} --action-timeout 1m --fault '${W}/gatherSourcePositions=sleep(5s)'`, acts: ['tablet stop zone1-100'], fails: 'failed to gather replication positions on migration sources' },
    ],
    state: { denied: { 'commerce/0': BOTH }, streams: { 'customer/0 c2c': 'Running' }, journals: {}, locks: [] },
    finds: ['refused', 'tablet-down'],
  },
  {
    id: 'K1 Reshard',
    about: 'the same of a Reshard: its source shard stays off',
    ground: SPLIT,
    releases: [MAIN, '21.0.6'],
    trigger: [
      { while: `${RESHARD} --action-timeout 1m --fault '${W}/gatherSourcePositions=sleep(5s)'`, acts: ['tablet stop zone1-100'], fails: 'failed to gather replication positions on migration sources' },
    ],
    state: {
      denied: {},
      controls: { 'zone1 PRIMARY customer/0': 'off' },
      streams: { 'customer/-80 split': 'Running', 'customer/80- split': 'Running' },
      journals: {},
      locks: [],
    },
    finds: ['refused', 'tablet-down'],
  },
  ...lostLocks,
  {
    id: 'K3',
    about: 'LOCK TABLES waits for a transaction of the application, longer than the leases live',
    ground: MOVE,
    releases: [MAIN, '21.0.6'],
    trigger: [
      'query --session app begin',
      `query --session app "update customer set email = 'alice@example.com' where customer_id = 1"`,
      { while: SWITCH, acts: [{ wait: '300s' }, 'query --session app commit'], fails: expired('commerce') },
    ],
    state: { denied: { 'commerce/0': BOTH }, streams: { 'customer/0 c2c': 'Running' }, journals: {}, locks: [] },
    finds: ['refused'],
  },
  ...[
    { at: 'stopSourceWrites:after', streams: 'Running', reverse: '' },
    { at: 'waitForCatchup:after', streams: 'Stopped: stopped for cutover', reverse: '' },
    { at: 'createReverseVReplication:after', streams: 'Stopped: stopped for cutover', reverse: 'Stopped' },
  ].map(
    ({ at, streams, reverse }): Strand => ({
      id: `K4 ${at}`,
      about: 'vtctld is killed; the lock on the workflow stays for a day',
      ground: MOVE,
      releases: [MAIN, '21.0.6', '20.0.8'],
      trigger: [{ dies: `${SWITCH} --fault '${W}/${at}=panic'` }],
      state: { denied: { 'commerce/0': BOTH }, journals: {}, streams: { 'customer/0 c2c': streams, ...(reverse !== '' && { 'commerce/0 c2c_reverse': reverse }) } },
      finds: ['dead-lock-holder', 'refused'],
    }),
  ),
  {
    id: 'K4 Reshard',
    about: 'vtctld is killed with the streams of others copied',
    ground: SPLIT_WITH_STREAMS,
    releases: [MAIN, '21.0.6', '20.0.8'],
    trigger: [{ dies: `${RESHARD} --fault '${W}/migrateStreams:after=panic'` }],
    state: {
      denied: {},
      controls: { 'zone1 PRIMARY customer/-80': 'off', 'zone1 PRIMARY customer/80-': 'off' },
      streams: { 'customer/-80 sales': 'Stopped: for cutover', 'customer/80- sales': 'Stopped: for cutover', 'customer/-40 split': 'Stopped: stopped for cutover', 'customer/-40 sales': 'Stopped', 'customer/40-80 split': 'Stopped: stopped for cutover', 'customer/40-80 sales': 'Stopped', 'customer/80-c0 split': 'Stopped: stopped for cutover', 'customer/80-c0 sales': 'Stopped', 'customer/c0- split': 'Stopped: stopped for cutover', 'customer/c0- sales': 'Stopped' },
      journals: {},
    },
    finds: ['dead-lock-holder', 'refused', 'stopped-for-cutover', 'copies-left-over'],
  },
  {
    id: 'K5 #17620',
    about: 'the roll-back has no locks: denied tables are not reverted, and the client is not told',
    ground: MOVE,
    releases: ['21.0.2', '20.0.5', '19.0.9'],
    trigger: [{ fails: `${SWITCH} --fault '${W}/waitForCatchup=return(DEADLINE_EXCEEDED)'`, says: 'failed to sync up replication between the source and target' }],
    state: { denied: { 'commerce/0': BOTH }, streams: { 'customer/0 c2c': 'Running' }, journals: {}, locks: [] },
    finds: ['refused'],
  },
  {
    id: 'K5 #17620 Reshard',
    about: 'the same of a Reshard: the source shard stays off',
    ground: SPLIT,
    releases: ['21.0.2', '20.0.5', '19.0.9'],
    trigger: [{ fails: `${RESHARD} --fault '${W}/waitForCatchup=return(DEADLINE_EXCEEDED)'`, says: 'failed to sync up replication between the source and target' }],
    state: {
      denied: {},
      controls: { 'zone1 PRIMARY customer/0': 'off' },
      streams: { 'customer/-80 split': 'Running', 'customer/80- split': 'Running' },
      journals: {},
      locks: [],
    },
    finds: ['refused'],
  },
  {
    id: 'K5 forward again',
    about: 'the roll-back of denied tables goes forward once more (#15977)',
    ground: MOVE,
    releases: ['21.0.1', '20.0.4'],
    trigger: [{ fails: `${SWITCH} --fault '${W}/waitForCatchup=return(DEADLINE_EXCEEDED)'`, says: 'failed to sync up replication between the source and target' }],
    state: { denied: { 'commerce/0': BOTH }, streams: { 'customer/0 c2c': 'Running' }, journals: {}, locks: [] },
    finds: ['refused'],
  },
  {
    id: 'K5 caller',
    about: 'the roll-back dies with its caller (#17326)',
    ground: MOVE,
    releases: ['21.0.1', '19.0.8', '18.0.8'],
    trigger: [{ fails: `${SWITCH} --fault '${W}/waitForCatchup=ctx(cancel)'`, says: 'context canceled' }],
    state: { denied: { 'commerce/0': BOTH }, streams: { 'customer/0 c2c': 'Running' }, journals: {}, locks: [] },
    finds: ['refused'],
  },
  {
    id: 'K5 lost',
    about: 'the locks are really gone when the roll-back needs them, which says so',
    ground: MOVE,
    releases: [MAIN, '21.0.6'],
    trigger: [
      {
        fails: `${SWITCH} --fault '${W}/waitForCatchup=lease(expire)' --fault '${W}/waitForCatchup:after=return(UNAVAILABLE)'`,
        says: "could not revert denied tables / shard access: node doesn't exist: lease",
      },
    ],
    state: { denied: { 'commerce/0': BOTH }, streams: { 'customer/0 c2c': 'Running' }, journals: {}, locks: [] },
    finds: ['refused'],
  },
  {
    id: 'K5 lost Reshard',
    about: 'the same of a Reshard',
    ground: SPLIT_WITH_STREAMS,
    releases: [MAIN, '22.0.4'],
    trigger: [
      {
        fails: `${RESHARD} --fault '${W}/waitForCatchup=lease(expire)' --fault '${W}/waitForCatchup:after=return(UNAVAILABLE)'`,
        says: "could not revert denied tables / shard access: node doesn't exist: lease",
      },
    ],
    state: {
      denied: {},
      controls: { 'zone1 PRIMARY customer/-80': 'off', 'zone1 PRIMARY customer/80-': 'off' },
      streams: { 'customer/-80 sales': 'Running', 'customer/80- sales': 'Running', 'customer/-40 split': 'Running', 'customer/40-80 split': 'Running', 'customer/80-c0 split': 'Running', 'customer/c0- split': 'Running' },
      journals: {},
      locks: [],
    },
    finds: ['refused'],
  },
  {
    id: 'K6',
    about: 'a replica in a backup fails the switch and its roll-back, although the records are right',
    ground: MOVE,
    releases: [MAIN, '20.0.6'],
    trigger: [
      {
        while: `${SWITCH} --fault '${W}/stopSourceWrites=sleep(5s)'`,
        acts: ['tablet set-type zone1-102 backup'],
        fails: 'cancel migration failed, manual cleanup work may be necessary',
      },
    ],
    state: { denied: { 'customer/0': BOTH }, streams: { 'customer/0 c2c': 'Running' }, journals: {}, locks: [] },
    finds: ['tablet-busy'],
  },
  {
    id: 'K7',
    about: 'the roll-back of a tenant leaves its source denied, whatever failed',
    ground: TENANT,
    releases: [MAIN, '20.0.8'],
    trigger: [{ fails: `MoveTables --workflow w1 --target-keyspace mt switchtraffic --tablet-types primary --fault '${W}/lockTables=return(UNAVAILABLE)'`, says: 'failed to execute LOCK TABLES' }],
    state: { denied: { 's1/0': 't1 t2' }, streams: { 'mt/0 w1': 'Running' }, journals: {}, locks: [] },
    finds: ['refused'],
  },
  {
    id: 'K7 others',
    about: 'older ones deny the tables that all tenants share on the target (#17794)',
    ground: {
      ...TENANT,
      name: 'two tenants',
      lines: [...TENANT.lines, 'MoveTables --workflow w2 --target-keyspace mt create --source-keyspace s2 --tenant-id 2 --all-tables', 'MoveTables --workflow w1 --target-keyspace mt switchtraffic'],
    },
    releases: ['21.0.3', '20.0.6'],
    trigger: [{ fails: `MoveTables --workflow w2 --target-keyspace mt switchtraffic --tablet-types primary --fault '${W}/waitForCatchup=return(UNAVAILABLE)'`, says: 'failed to sync up replication' }],
    state: {
      denied: { 's1/0': 't1 t2', 'mt/0': 't1 t2' },
      streams: { 's1/0 w1_reverse': 'Running', 'mt/0 w1': 'Stopped: FROZEN', 'mt/0 w2': 'Running' },
      journals: { 's1/0': 1 },
      locks: [],
    },
    finds: ['refused'],
  },
  {
    id: 'K8',
    about: 'the roll-back of a Reshard starts the frozen streams of a finished MoveTables',
    ground: SPLIT_WITH_FROZEN,
    releases: [MAIN, '18.0.8'],
    trigger: [{ fails: `${RESHARD} --fault '${W}/waitForCatchup=return'`, says: 'failed to sync up replication' }, { wait: '5s' }],
    state: {
      denied: { 'product/0': 'orders' },
      controls: { 'zone1 PRIMARY customer/0': 'empty' },
      streams: { 'customer/0 orders': 'Running', 'product/0 orders_reverse': 'Running', 'customer/-80 split': 'Running', 'customer/80- split': 'Running' },
      journals: { 'product/0': 1 },
      locks: [],
    },
    finds: ['turned-on-itself', 'controls-left-over'],
  },
  {
    id: 'K9',
    about: 'a Reshard takes the frozen streams of a finished MoveTables along, and starts them',
    ground: SPLIT_WITH_FROZEN,
    releases: [MAIN, '18.0.8'],
    trigger: [RESHARD, { wait: '5s' }, 'Workflow --keyspace customer show --workflow orders', { wait: '5s' }],
    state: {
      denied: { 'product/0': 'orders' },
      streams: { 'customer/0 split_reverse': 'Running', 'product/0 orders_reverse': 'Running', 'customer/-80 split': 'Stopped: FROZEN', 'customer/-80 orders': 'Running', 'customer/80- split': 'Stopped: FROZEN', 'customer/80- orders': 'Running' },
      journals: { 'customer/0': 1, 'product/0': 1 },
      locks: [],
    },
    finds: ['turned-on-itself'],
  },
  {
    id: 'K10',
    about: 'a target primary dies before the roll-back of a Reshard: streams of others stay stopped, and copies of them stay',
    ground: SPLIT_WITH_STREAMS,
    releases: [MAIN, '20.0.6'],
    trigger: [
      {
        while: `${RESHARD} --fault '${W}/createReverseVReplication=sleep(5s)' --fault '${W}/createReverseVReplication:after=return'`,
        acts: ['tablet stop zone1-300'],
        fails: 'cancel migration failed, manual cleanup work may be necessary',
      },
      'tablet start zone1-300',
    ],
    state: {
      denied: {},
      controls: { 'zone1 PRIMARY customer/-80': 'empty', 'zone1 PRIMARY customer/80-': 'empty' },
      streams: { 'customer/-80 sales': 'Stopped: for cutover', 'customer/-80 split_reverse': 'Stopped', 'customer/80- sales': 'Stopped: for cutover', 'customer/80- split_reverse': 'Stopped', 'customer/-40 split': 'Stopped: stopped for cutover', 'customer/-40 sales': 'Stopped', 'customer/40-80 split': 'Stopped: stopped for cutover', 'customer/80-c0 split': 'Stopped: stopped for cutover', 'customer/c0- split': 'Stopped: stopped for cutover' },
      journals: {},
      locks: [],
    },
    finds: ['reverse-left-over', 'stopped-for-cutover', 'copies-left-over', 'controls-left-over'],
  },
  {
    id: 'K12',
    about: 'a switch takes the mirror rules away and fails: mirroring is off, and nobody says so',
    ground: MOVE,
    releases: [MAIN, '21.0.6'],
    trigger: ['MoveTables --workflow c2c --target-keyspace customer mirrortraffic --percent 10', { fails: `${SWITCH} --fault '${W}/waitForCatchup=return'`, says: 'failed to sync up replication' }],
    state: {
      denied: { 'customer/0': BOTH },
      streams: { 'customer/0 c2c': 'Running' },
      journals: {},
      mirrors: Object.fromEntries(['corder', 'customer'].flatMap((table) => ['replica', 'rdonly'].map((type) => [`commerce.${table}@${type} -> customer.${table}`, 10]))),
      locks: [],
    },
    finds: ['mirror-rules-lost'],
  },
  {
    id: 'K13',
    about: 'reads are saved as switched and told to no cell, and the writes fail',
    ground: MOVE,
    releases: [MAIN, '20.0.6'],
    trigger: [{ fails: `MoveTables --workflow c2c --target-keyspace customer switchtraffic --fault '${W}/waitForCatchup=return'`, says: 'failed to sync up replication' }],
    state: { denied: { 'customer/0': BOTH }, streams: { 'customer/0 c2c': 'Running' }, journals: {}, locks: [] },
    finds: ['rules-not-published'],
    ways: 2,
  },
  {
    id: 'K15',
    about: 'a rolled back Reshard leaves an empty control, with which a gate never takes the keyspace for settled',
    ground: SPLIT,
    releases: [MAIN, '18.0.8'],
    trigger: [{ fails: `${RESHARD} --fault '${W}/waitForCatchup=return'`, says: 'failed to sync up replication' }],
    state: {
      denied: {},
      controls: { 'zone1 PRIMARY customer/0': 'empty' },
      streams: { 'customer/-80 split': 'Running', 'customer/80- split': 'Running' },
      journals: {},
      locks: [],
    },
    finds: ['controls-left-over'],
  },
  {
    id: 'K16',
    about: 'the roll-back of a move of one shard denies its target, which create never did',
    ground: PARTIAL,
    releases: [MAIN, '20.0.6'],
    trigger: [{ fails: `MoveTables --workflow up --target-keyspace customer2 switchtraffic --fault '${W}/waitForCatchup=return'`, says: 'failed to sync up replication' }],
    state: { denied: { 'customer2/80-': BOTH }, streams: { 'customer2/80- up': 'Running' }, journals: {}, locks: [] },
    finds: ['denied-left-over'],
  },
  {
    id: 'K18',
    about: 'tablets are rolled in the middle of a reversal (#17326)',
    ground: MOVED,
    releases: ['21.0.1', '20.0.4'],
    trigger: [
      {
        while: `MoveTables --workflow c2c --target-keyspace customer reversetraffic --fault '${W}/stopSourceWrites=sleep(5s)'`,
        acts: ['PlannedReparentShard customer/0 --new-primary zone1-201'],
        fails: 'failed to create the reverse vreplication streams',
      },
    ],
    state: {
      denied: { 'customer/0': BOTH },
      streams: { 'commerce/0 c2c_reverse': 'Running', 'customer/0 c2c': 'Stopped: FROZEN' },
      journals: { 'commerce/0': 1 },
      locks: [],
    },
    finds: ['refused'],
  },
  {
    id: 'K19',
    about: 'somebody starts the workflow in the middle of a switch, and the mark of a finished switch is lost',
    ground: MOVE,
    releases: [MAIN, '18.0.8'],
    trigger: [
      {
        while: `${SWITCH} --fault '${W}/createReverseVReplication=sleep(5s)'`,
        acts: ['Workflow --keyspace customer start --workflow c2c'],
      },
      { wait: '5s' },
    ],
    state: {
      denied: { 'commerce/0': BOTH },
      streams: { 'commerce/0 c2c_reverse': 'Running', 'customer/0 c2c': 'Running: FROZEN' },
      journals: { 'commerce/0': 1 },
      locks: [],
    },
    finds: ['turned-on-itself'],
  },
  {
    id: 'K54',
    about: 'a target primary dies before the roll-back, which spends all its time on it',
    ground: SHARDS_TO_SHARDS,
    releases: [MAIN, '20.0.8', '18.0.8'],
    trigger: [
      {
        while: `MoveTables --workflow move --target-keyspace customer2 switchtraffic --tablet-types primary --fault '${W}/createReverseVReplication=sleep(5s)' --fault '${W}/createReverseVReplication:after@customer/80-=return'`,
        acts: ['tablet stop zone1-400'],
        fails: 'failed to create the reverse vreplication streams',
      },
    ],
    state: {
      streams: { 'customer/-80 move_reverse': 'Stopped', 'customer/80- move_reverse': 'Stopped', 'customer2/-80 move': 'Running', 'customer2/80- move': 'Stopped: stopped for cutover' },
      journals: {},
      locks: [],
    },
    finds: ['reverse-left-over', 'stopped-for-cutover', 'tablet-down'],
  },
  {
    id: 'K54 Reshard',
    about: 'a source primary of a Reshard dies before the roll-back',
    ground: SPLIT_WITH_STREAMS,
    releases: [MAIN, '20.0.8'],
    trigger: [
      {
        while: `${RESHARD} --fault '${W}/createReverseVReplication=sleep(5s)' --fault '${W}/createReverseVReplication:after=return'`,
        acts: ['tablet stop zone1-100'],
        fails: 'cancel migration failed, manual cleanup work may be necessary',
      },
    ],
    state: { denied: {}, journals: {}, locks: [] },
    finds: ['refused', 'reverse-left-over', 'stopped-for-cutover', 'tablet-down'],
  },
  {
    id: 'K55',
    about: 'the primary of a source shard of a Reshard dies when its query service is to be turned off: an hour, and the locks are gone',
    ground: SPLIT,
    releases: [MAIN, '21.0.6'],
    trigger: [
      {
        while: `${RESHARD} --fault '${W}/stopSourceWrites=sleep(5s)'`,
        acts: ['tablet stop zone1-100'],
        fails: '',
      },
    ],
    state: {
      denied: {},
      controls: { 'zone1 PRIMARY customer/0': 'off' },
      streams: { 'customer/-80 split': 'Running', 'customer/80- split': 'Running' },
      journals: {},
      locks: [],
    },
    finds: ['refused', 'tablet-down'],
  },
  {
    id: 'K15 cell',
    about: 'the topology of a cell goes away when the query service is turned off, and the roll-back cannot turn it on there',
    ground: SPLIT_IN_CELLS,
    releases: [MAIN, '18.0.8'],
    trigger: [
      {
        while: `${RESHARD} --fault '${W}/stopSourceWrites=sleep(5s)'`,
        acts: ['cell stop zone2'],
        fails: '',
      },
      'cell start zone2',
    ],
    state: { denied: {}, streams: { 'customer/-80 split': 'Running', 'customer/80- split': 'Running' }, journals: {}, locks: [] },
    finds: ['controls-left-over'],
  },
  {
    id: 'K5 cell',
    about: 'the same where the roll-back has no locks either: the shard stays off, and its primary has not heard of it',
    ground: SPLIT_IN_CELLS,
    releases: ['20.0.5'],
    trigger: [
      {
        while: `${RESHARD} --fault '${W}/stopSourceWrites=sleep(5s)'`,
        acts: ['cell stop zone2'],
        fails: '',
      },
      'cell start zone2',
    ],
    state: { controls: { 'zone1 PRIMARY customer/0': 'off' }, denied: {}, streams: { 'customer/-80 split': 'Running', 'customer/80- split': 'Running' }, journals: {}, locks: [] },
    finds: ['tablet-differs'],
  },
];
