import type { ProblemEntry } from './entry.ts';

/** SWT02xx. */
export const TRAFFIC_PROBLEMS = {
  refused: {
    code: 'SWT0201',
    title: 'queries are routed to where they are refused',
    severity: 'blocking',
    meaning: 'The routing rules or the serving graph send queries to a shard whose tablets turn them away: nobody serves them.',
    causes: [
      'a switch that broke off between refusing writes on the source and routing them to the target (vitessio/vitess#17620, #17326, #20340)',
      'a roll-back that failed, or denied the tables of all tenants (#17794)',
      'a SetShardTabletControl that nobody took back',
    ],
    cure: 'Before the journal: back, by freeing the source again. Past it: forward, by running the switch again.',
  },
  'two-writers': {
    code: 'SWT0202',
    title: 'two keyspaces take writes to the same tables',
    severity: 'blocking',
    meaning: 'Both sides of a workflow answer writes to its tables, each under some name or in some cell. Rows are going to two places, and no reader sees all of them.',
    causes: [
      'routing rules that were replaced by hand, or lost to a concurrent save, while no table was denied (vitessio/vitess#15807)',
      "a cell that still follows old rules, where the source's denied tables were removed by hand",
    ],
    cure: 'Deny the tables on one side and lead every name to the other. Which side is right only you know, unless the switch has been made; compare both with VDiff.',
  },
  'denial-missing': {
    code: 'SWT0203',
    title: 'a shard does not deny the tables that another one serves',
    severity: 'pending',
    meaning: 'Of the two sides of a workflow the one that does not serve the tables has to refuse them. This one does not: a query that names the shard itself is answered, and what it writes is on the wrong side.',
    causes: ['a roll-back that left it so (v20.0.0 to v20.0.5, v21.0.0 to v21.0.2)', 'SetShardTabletControl --remove by hand'],
    cure: 'Deny the tables there again.',
  },
  'incomplete-rules': {
    code: 'SWT0204',
    title: 'routing rules of one workflow lead to both sides',
    severity: 'pending',
    meaning: 'A switch sets the rules of all tables of a workflow, each under three names, together. These do not agree: some names lead to the source, others to the target.',
    causes: ['two commands that each read, edited and saved all rules at the same time: one change is lost (vitessio/vitess#15807)', 'ApplyRoutingRules with a part of the rules'],
    cure: 'Lead all names to one side: to the target where the switch has been made.',
  },
  'rules-not-published': {
    code: 'SWT0205',
    title: 'saved rules are not in what the gates route by',
    severity: 'pending',
    meaning: "Routing rules are saved in the topology, but a cell's SrvVSchema, which its gates route by, says otherwise. The next rebuild by anybody changes where queries go.",
    causes: [
      'a switch of all tablet types that failed with its writes: read rules are saved, and the SrvVSchema is not rebuilt (the later half of vitessio/vitess#15701)',
      'a rebuild that failed in one cell, or was limited to some cells with --cells',
      'ApplyRoutingRules --skip-rebuild',
    ],
    cure: 'RebuildVSchemaGraph makes the gates follow the saved rules. If those are not what you want, save others first.',
  },
  'serving-graph-differs': {
    code: 'SWT0207',
    title: 'the serving graph is not what the shard records say',
    severity: 'pending',
    meaning: "A cell's SrvKeyspace, which gates and tablets go by, names other shards for the writes than those whose records say that they serve; or it has gaps; or it is missing.",
    causes: [
      'a Reshard switch that failed between the shard records and the cells, or in one cell of several (vitessio/vitess#7481)',
      'SetShardIsPrimaryServing without RebuildKeyspaceGraph',
      'a cell that was added and never built (#17909)',
    ],
    cure: 'RebuildKeyspaceGraph makes it anew from the shard records; of a Reshard past its journal, the switch itself does, run again.',
  },
  'tablet-differs': {
    code: 'SWT0206',
    title: 'a tablet believes otherwise than its records say',
    severity: 'pending',
    meaning: 'A tablet refuses or serves what the shard record and the serving graph say that it should not: it has not read them since they changed.',
    causes: ['a tablet that was down, or in a backup, while a switch refreshed the tablets of its shard (vitessio/vitess#15630)', 'source primaries that a Reshard left (#6822)'],
    cure: 'RefreshState makes it read its records. Where those turn off what queries are routed to, they are put right first.',
  },
} as const satisfies Record<string, ProblemEntry>;
