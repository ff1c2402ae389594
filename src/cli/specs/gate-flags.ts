import type { FlagSpec } from '../spec.ts';

/** How the gate behaves: vtgate's own flags, and what it has no flag for. */
export const gateFlags: readonly FlagSpec[] = [
  { kind: 'string', name: 'cell', placeholder: 'CELL', about: 'the cell of the gate; the first one, if none is named' },
  {
    kind: 'bool',
    name: 'enable-partial-keyspace-migration',
    default: true,
    about: 'follow shard routing rules (vtgate: only if told so)',
  },
  { kind: 'bool', name: 'enable-buffer', about: 'hold statements for a primary while its shard or table is being switched' },
  { kind: 'duration', name: 'buffer-window', default: '10s', about: 'hold one statement for this long at most' },
  { kind: 'duration', name: 'buffer-max-failover-duration', default: '20s', about: 'stop holding statements when a switch takes longer' },
  { kind: 'int', name: 'buffer-size', default: 1000, about: 'hold this many statements at once' },
  {
    kind: 'duration',
    name: 'buffer-min-time-between-failovers',
    default: '1m0s',
    about: 'do not hold statements for a shard again so soon after the last time',
  },
  {
    kind: 'duration',
    name: 'vschema-wait',
    about: 'without a buffer: try a refused statement twice more, after a newer VSchema or this long (vtgate: 30s)',
  },
];
