/** Where records stand. Vitess: go/vt/topo/server.go and the per-record files beside it. */
export const paths = {
  keyspace: (keyspace: string): string => `keyspaces/${keyspace}/Keyspace`,
  vschema: (keyspace: string): string => `keyspaces/${keyspace}/VSchema`,
  shards: (keyspace: string): string => `keyspaces/${keyspace}/shards`,
  shard: (keyspace: string, shard: string): string => `keyspaces/${keyspace}/shards/${shard}/Shard`,
  cellInfo: (cell: string): string => `cells/${cell}/CellInfo`,
  routingRules: 'RoutingRules',
  shardRoutingRules: 'ShardRoutingRules',
  mirrorRules: 'MirrorRules',
  keyspaceRoutingRules: 'routing_rules/keyspace/Rules',
  tablet: (alias: string): string => `tablets/${alias}/Tablet`,
  shardReplication: (keyspace: string, shard: string): string => `keyspaces/${keyspace}/shards/${shard}/ShardReplication`,
  srvKeyspace: (keyspace: string): string => `keyspaces/${keyspace}/SrvKeyspace`,
  srvVSchema: 'SrvVSchema',
  /** What is ours alone lies under one name, which no Vitess reads. */
  cluster: 'switchtraffic/cluster',
  stoppedCells: 'switchtraffic/stopped_cells',
  stoppedCell: (cell: string): string => `switchtraffic/stopped_cells/${cell}`,
  intents: 'switchtraffic/intents',
  intent: (keyspace: string, workflow: string): string => `switchtraffic/intents/${keyspace}/${workflow}`,
  intentProgress: (keyspace: string, workflow: string): string => `switchtraffic/intent_progress/${keyspace}/${workflow}`,
  history: 'switchtraffic/history',
  faults: 'switchtraffic/faults',
  pauses: 'switchtraffic/pauses',
  pause: (name: string): string => `switchtraffic/pauses/${name}`,
  gates: 'switchtraffic/gates',
  gate: (name: string): string => `switchtraffic/gates/${name}`,
} as const;

/** What paths begin with. */
export const ROOTS: readonly string[] = ['keyspaces', 'cells', 'tablets', 'RoutingRules', 'ShardRoutingRules', 'MirrorRules', 'routing_rules', 'SrvVSchema', 'internal', 'switchtraffic'];

/** The directories that locks are taken on. */
export const lockDirs = {
  keyspace: (keyspace: string): string => `keyspaces/${keyspace}`,
  shard: (keyspace: string, shard: string): string => `keyspaces/${keyspace}/shards/${shard}`,
  named: (name: string): string => `internal/named_locks/${name}`,
  routingRules: 'routing_rules',
} as const;
