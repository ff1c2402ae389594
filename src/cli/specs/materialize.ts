import { copyFromFlags, includeLogsFlag, workflowFlags } from '../flags.ts';
import type { CommandSpec, FlagSpec } from '../spec.ts';
import { startAndStop, vtctldclientCommand } from './build.ts';

const workflow = 'Materialize --workflow product_sales --target-keyspace customer';
const SETTINGS = '[{"target_table": "sales", "source_expression": "select sku, count(*) as orders, sum(price) as revenue from corder group by sku", "create_ddl": "create table sales (sku varbinary(128) primary key, orders bigint, revenue bigint)"}]';

const createFlags: readonly FlagSpec[] = [
  { kind: 'string', name: 'source-keyspace', required: true, about: 'keyspace that the selects read' },
  { kind: 'string', name: 'table-settings', placeholder: 'JSON', about: 'the tables, as a JSON list of target_table, source_expression and create_ddl' },
  { kind: 'strings', name: 'reference-tables', short: 'r', about: 'tables to copy whole to every target shard, instead of --table-settings' },
  ...copyFromFlags,
];

/** `Materialize` and its subcommands. Vitess: go/cmd/vtctldclient/command/vreplication/materialize. */
export const materialize: CommandSpec = vtctldclientCommand({
  name: 'Materialize',
  aliases: ['materialize'],
  about: 'keep tables that are made from selects up to date',
  flags: workflowFlags('keyspace of the tables that are made'),
  subcommands: [
    vtctldclientCommand({
      name: 'create',
      aliases: ['Create'],
      about: 'create the workflow and start it',
      long:
        'Create the workflow and start it. Each entry of --table-settings names a target_table and the source_expression that\n' +
        'fills it; create_ddl makes the table where it is missing: a CREATE TABLE statement, copy, copy:drop_constraint or\n' +
        'copy:drop_foreign_keys.',
      examples: [`${workflow} create --source-keyspace commerce --table-settings '${SETTINGS}'`, `${workflow} create --source-keyspace commerce --reference-tables product`],
      flags: createFlags,
      load: () => import('../commands/materialize-create.ts'),
    }),
    vtctldclientCommand({
      name: 'update',
      aliases: ['Update'],
      about: 'add reference tables to a workflow (not built yet)',
      flags: [{ kind: 'strings', name: 'add-reference-tables', required: true, about: 'reference tables to add' }],
      load: () => import('../commands/not-built-yet.ts'),
    }),
    vtctldclientCommand({
      name: 'show',
      aliases: ['Show'],
      about: 'print the workflow with its streams, as JSON',
      examples: [`${workflow} show`],
      flags: [includeLogsFlag],
      load: () => import('../commands/movetables-show.ts'),
    }),
    ...startAndStop(workflow),
    vtctldclientCommand({
      name: 'cancel',
      aliases: ['Cancel'],
      about: 'end the workflow: drop its tables and the streams',
      examples: [`${workflow} cancel`],
      load: () => import('../commands/movetables-cancel.ts'),
    }),
  ],
});
