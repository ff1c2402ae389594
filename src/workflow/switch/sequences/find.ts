import { errorVerbose, vtError } from '../../../lib/errors.ts';
import { goQuote } from '../../../lib/go-quote.ts';
import { unescapeId } from '../../../lib/sqlescape.ts';
import type { Context } from '../../../runtime/context.ts';
import type { Cluster } from '../../../tablet/cluster.ts';
import { databaseOf } from '../../../tablet/sequences.ts';
import { Table as TableMessage } from '../../../topo/proto/messages-vschema.ts';
import { prototext } from '../../../topo/proto/prototext.ts';
import type { Table, VSchemaKeyspace } from '../../../topo/proto/types.ts';
import { getVSchema } from '../../../topo/vschema.ts';
import type { TrafficSwitcher } from '../../switcher.ts';
import { locateAsReleased, locateByRules } from './locate.ts';
import { defaultDatabase, type Sequence, type SequenceUse } from './sequence.ts';

/**
 * The sequences behind the workflow's tables, by name, as far as they can be located: one that has to be made yet has no
 * keyspace. Only reads. Throws Vitess's errors. Vitess: trafficSwitcher.getTargetSequenceMetadata.
 */
export async function findSequences(ctx: Context, cluster: Cluster, sw: TrafficSwitcher): Promise<Sequence[]> {
  const { release, topo } = cluster;
  let vschema: VSchemaKeyspace;
  try {
    vschema = (await getVSchema(ctx, topo, sw.targetKeyspace)).record;
  } catch (error) {
    throw vtError('INTERNAL', `failed to get vschema for target keyspace ${sw.targetKeyspace}: ${errorVerbose(error)}`);
  }
  const sequences = usedBy(cluster, sw, vschema);
  const every = sequences.every(({ located }) => located);
  if (release.behaviours.sequenceLookup === 'as-the-gate') await locateByRules(ctx, cluster, sw, sequences);
  // Where every name is qualified, Vitess looks no further.
  else if (!every) await locateAsReleased(ctx, cluster, sequences);
  return sequences.toSorted((a, b) => (a.name < b.name || (a.name === b.name && a.keyspace < b.keyspace) ? -1 : 1));
}

function usedBy(cluster: Cluster, sw: TrafficSwitcher, vschema: VSchemaKeyspace): Sequence[] {
  const shared = cluster.release.behaviours.sequenceLookup === 'as-the-gate';
  const found = new Map<string, Sequence>();
  for (const name of sw.tables) {
    const entry = vschema.tables?.[name];
    if ((entry?.auto_increment?.sequence ?? '') === '') continue;
    const { use, keyspace, backing } = readEntry(cluster, name, entry!);
    const usingDatabase = databaseOf(sw.targets[0]!.primary);
    const located = keyspace !== '';
    const sequence = { name: backing, keyspace, database: located ? defaultDatabase(keyspace) : '', located, uses: [use], usingDatabase };
    // Vitess keys them by the table's bare name: the last one wins.
    const key = shared ? `${keyspace}.${backing}` : backing;
    const other = shared ? found.get(key) : undefined;
    if (other === undefined) found.set(key, sequence);
    else other.uses.push(use);
  }
  return [...found.values()];
}

/** What a table's entry says of its sequence. Until v20 names are taken as they stand, backticks and all (#16160). */
function readEntry(
  { release }: Cluster,
  name: string,
  entry: Table,
): { use: SequenceUse; keyspace: string; backing: string } {
  const { column = '', sequence = '' } = entry.auto_increment ?? {};
  const [left = '', ...right] = sequence.split('.');
  const qualified = right.length > 0;
  const backing = qualified ? right.join('.') : sequence;
  if (release.behaviours.sequenceNames === 'plain') {
    return { use: { table: name, column }, keyspace: qualified ? left : '', backing };
  }
  const plain = (text: string, what: string, shown = sequence): string => {
    try {
      return unescapeId(text);
    } catch (error) {
      throw vtError('INTERNAL', `invalid ${what} ${goQuote(shown)} defined in ${inTable(entry)}: ${errorVerbose(error)}`);
    }
  };
  const table = plain(name, 'table name', name);
  const keyspace = qualified ? plain(left, 'keyspace in qualified sequence table name') : '';
  const read = plain(backing, qualified ? 'qualified sequence table name' : 'sequence table name');
  return { use: { table, column: plain(column, 'auto-increment column name', column) }, keyspace, backing: read };
}

function inTable(entry: Table): string {
  return `sequence table ${prototext(TableMessage, entry)}`;
}
