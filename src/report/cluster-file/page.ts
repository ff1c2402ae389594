import type { z } from 'zod';
import { CLUSTER_FILE_PARTS } from './schema.ts';

const INTRODUCTION = `# Cluster files

\`switchtraffic init FILE\` makes the cluster that a YAML (or JSON) file describes: its cells, keyspaces, shards and
tablets, VSchemas, tables, rows and routing rules. It is made whole or not at all: when anything in the file or in the
SQL is wrong, the error names file, line and column, and nothing is written. With \`--force\` a cluster that is there
stays until the new one takes its place.

\`\`\`yaml
vitess: 21.0.2
cells: [zone1]
keyspaces:
  commerce:
    schema: commerce.sql          # mysqldump --no-data commerce > commerce.sql
    vschema: commerce.vschema.json # vtctldclient GetVSchema commerce > commerce.vschema.json
    rows: [customers.sql, orders.sql]
  customer:
    shards: ['-80', '80-']
    vschema:
      sharded: true
      vindexes: {hash: {type: hash}}
      tables:
        customer: {column_vindexes: [{column: customer_id, name: hash}]}
routing_rules: routing-rules.json # vtctldclient GetRoutingRules > routing-rules.json
\`\`\`

## Starting one

- \`switchtraffic init --like commerce > my.yaml\` prints an example as a file, each field explained. \`init\` without a
  name lists the examples.
- \`switchtraffic init --like . > my.yaml\` prints the cluster at hand in the same form: records, rules and tables, not
  rows, streams or sessions.
- \`switchtraffic init --schema > cluster.schema.json\` is the JSON Schema; editors with a YAML language server use it for
  files that begin with \`# yaml-language-server: $schema=cluster.schema.json\`.

## From a cluster that exists

The fields have the names and values that vtctldclient prints, so its output can be pasted, nulls and all:

| from | to |
|---|---|
| \`GetKeyspace\` | \`durability_policy\`, \`keyspace_type\`, ... of the keyspace |
| \`GetShard\` | \`is_primary_serving\` and \`tablet_controls\` of the shard |
| \`GetTablets --format json\` | \`alias\` and \`type\` of each tablet |
| \`GetVSchema\` | \`vschema\`, or a file that it names |
| \`GetRoutingRules\`, \`GetShardRoutingRules\`, \`GetKeyspaceRoutingRules\`, \`GetMirrorRules\` | the rules, or a file |

Denied tables that a failed cutover left behind are \`tablet_controls\` of the source's shards.

## Good to know

- Files that a cluster file names count from its own folder.
- A text with a line break or a semicolon is SQL; any other is the name of a file. Row files are read in pieces, whatever
  their size; the cluster file itself has at most 4 MiB.
- Shards are text: \`'0'\`, \`'-80'\`. Without the quotes YAML takes them for numbers.
- The shards that serve have to cover all keyspace ids once. One with \`is_primary_serving: false\` waits for its traffic, as
  the targets of a Reshard do.
- Tablets that are left out get the numbers 100, 101, 102 for the first shard, 200, 201, 202 for the next, and so on.
- \`--vitess-version\` and \`SWITCHTRAFFIC_VITESS_VERSION\` win over \`vitess\` in the file.
`;

/** docs/clusters.md: what to know of cluster files, and every field as the schema describes it. */
export function clustersPage(): string {
  const parts = CLUSTER_FILE_PARTS.map(([heading, schema]) => `### ${heading}\n\n${fieldTable(schema)}`);
  return `${INTRODUCTION}\n## Fields\n\n${parts.join('\n')}`;
}

function fieldTable(schema: z.ZodObject): string {
  const rows = Object.entries(schema.shape as Record<string, z.ZodType>).map(([name, field]) => {
    const needed = field.safeParse(undefined).success ? '' : ' (needed)';
    return `| \`${name}\`${needed} | ${(field.description ?? '').replaceAll('|', '\\|')} |\n`;
  });
  return `| field | what it is |\n|---|---|\n${rows.join('')}`;
}
