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
  'tablet-differs': {
    code: 'SWT0206',
    title: 'a tablet believes otherwise than its records say',
    severity: 'pending',
    meaning: 'A tablet refuses or serves what the shard record and the serving graph say that it should not: it has not read them since they changed.',
    causes: ['a tablet that was down, or in a backup, while a switch refreshed the tablets of its shard (vitessio/vitess#15630)', 'source primaries that a Reshard left (#6822)'],
    cure: 'RefreshState makes it read its records.',
  },
} as const satisfies Record<string, ProblemEntry>;
