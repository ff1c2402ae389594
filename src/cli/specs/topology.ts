import { applyRulesFlags, cellsFlag } from '../flags.ts';
import type { CommandSpec } from '../spec.ts';
import { exactly, vtctldclientCommand } from './build.ts';

/** Commands that read or change the topology. Vitess: go/cmd/vtctldclient/command. */
export const topologyCommands: readonly CommandSpec[] = [
  vtctldclientCommand({
    name: 'GetKeyspace',
    aliases: ['getkeyspace'],
    about: "print a keyspace's record",
    examples: ['GetKeyspace customer'],
    args: exactly('<keyspace>'),
    load: () => import('../commands/keyspaces.ts'),
  }),
  vtctldclientCommand({
    name: 'GetKeyspaces',
    aliases: ['getkeyspaces'],
    about: "print every keyspace's record",
    load: () => import('../commands/keyspaces.ts'),
  }),
  vtctldclientCommand({
    name: 'GetShard',
    about: "print a shard's record",
    examples: ['GetShard customer/-80'],
    args: exactly('<keyspace/shard>'),
    load: () => import('../commands/shards.ts'),
  }),
  vtctldclientCommand({
    name: 'SetShardTabletControl',
    about: "change what a shard's tablets of one type refuse: tables, or every query",
    examples: ['SetShardTabletControl --denied-tables customer --remove commerce/0 primary'],
    flags: [
      cellsFlag('only in these cells (not for the primary)'),
      { kind: 'strings', name: 'denied-tables', about: 'tables to refuse queries for' },
      { kind: 'bool', name: 'remove', short: 'r', about: 'stop refusing, instead of starting to' },
      { kind: 'bool', name: 'disable-query-service', about: 'refuse every query' },
    ],
    args: exactly('<keyspace/shard>', '<tablet_type>'),
    load: () => import('../commands/shards.ts'),
  }),
  vtctldclientCommand({
    name: 'GetTablet',
    about: "print a tablet's record",
    examples: ['GetTablet zone1-0000000100'],
    args: exactly('<alias>'),
    load: () => import('../commands/tablets.ts'),
  }),
  vtctldclientCommand({
    name: 'GetTablets',
    about: 'list tablets',
    examples: ['GetTablets --keyspace customer --tablet-type primary'],
    flags: [
      { kind: 'strings', name: 'tablet-alias', short: 't', about: 'only these tablets' },
      { kind: 'strings', name: 'cell', short: 'c', about: 'only tablets in these cells' },
      { kind: 'tablet-type', name: 'tablet-type', about: 'only tablets of this type' },
      { kind: 'string', name: 'keyspace', short: 'k', about: 'only tablets of this keyspace' },
      { kind: 'string', name: 'shard', short: 's', about: 'only tablets of this shard' },
      { kind: 'string', name: 'format', default: 'awk', about: 'awk or json' },
      { kind: 'bool', name: 'strict', about: 'fail when any cell cannot be read' },
    ],
    load: () => import('../commands/tablets.ts'),
  }),
  vtctldclientCommand({
    name: 'RefreshState',
    about: 'make a tablet read its records again',
    examples: ['RefreshState zone1-0000000100'],
    args: exactly('<alias>'),
    load: () => import('../commands/refresh-state.ts'),
  }),
  vtctldclientCommand({
    name: 'RefreshStateByShard',
    about: "make a shard's tablets read their records again",
    examples: ['RefreshStateByShard customer/0'],
    flags: [cellsFlag('only tablets in these cells')],
    args: exactly('<keyspace/shard>'),
    load: () => import('../commands/refresh-state.ts'),
  }),
  vtctldclientCommand({
    name: 'GetRoutingRules',
    about: 'print the routing rules',
    load: () => import('../commands/routing-rules.ts'),
  }),
  vtctldclientCommand({
    name: 'ApplyRoutingRules',
    about: 'replace the routing rules',
    examples: ['ApplyRoutingRules --rules-file rules.json'],
    flags: applyRulesFlags,
    load: () => import('../commands/routing-rules.ts'),
  }),
  vtctldclientCommand({
    name: 'GetShardRoutingRules',
    about: 'print the shard routing rules',
    load: () => import('../commands/routing-rules.ts'),
  }),
  vtctldclientCommand({
    name: 'GetKeyspaceRoutingRules',
    about: 'print the keyspace routing rules',
    load: () => import('../commands/routing-rules.ts'),
  }),
  vtctldclientCommand({
    name: 'ApplyShardRoutingRules',
    about: 'replace the shard routing rules',
    examples: ['ApplyShardRoutingRules --rules-file rules.json'],
    flags: applyRulesFlags,
    load: () => import('../commands/apply-part-rules.ts'),
  }),
  vtctldclientCommand({
    name: 'ApplyKeyspaceRoutingRules',
    about: 'replace the keyspace routing rules',
    examples: ['ApplyKeyspaceRoutingRules --rules-file rules.json'],
    flags: applyRulesFlags,
    load: () => import('../commands/apply-part-rules.ts'),
  }),
  vtctldclientCommand({
    name: 'GetMirrorRules',
    about: 'print the mirror rules',
    load: () => import('../commands/routing-rules.ts'),
  }),
  vtctldclientCommand({
    name: 'GetVSchema',
    about: "print a keyspace's VSchema",
    examples: ['GetVSchema customer'],
    args: exactly('<keyspace>'),
    load: () => import('../commands/vschema.ts'),
  }),
  vtctldclientCommand({
    name: 'GetSrvVSchema',
    about: 'print what the gates of a cell route by',
    examples: ['GetSrvVSchema zone1'],
    args: exactly('<cell>'),
    load: () => import('../commands/vschema.ts'),
  }),
  vtctldclientCommand({
    name: 'RebuildVSchemaGraph',
    about: 'rebuild what the gates route by from the VSchemas and routing rules',
    flags: [cellsFlag('only in these cells')],
    load: () => import('../commands/vschema.ts'),
  }),
];
