import { UserError } from '../../lib/errors.ts';
import { parseTabletAlias, type TabletAlias } from '../../lib/names.ts';
import { listTablets } from '../../topo/list-tablets.ts';
import { getTablet } from '../../topo/tablets.ts';
import { clientSide } from '../client-error.ts';
import { withCluster } from '../cluster.ts';
import { outputFormat } from '../flags.ts';
import type { Invocation } from '../spec.ts';
import { loading } from '../../lib/loading.ts';

/** Prints one tablet's record, or lists tablets. */
export function run(inv: Invocation): Promise<number> {
  return inv.path.at(-1) === 'GetTablet' ? printOne(inv) : printList(inv);
}

function printOne(inv: Invocation): Promise<number> {
  const alias = clientSide(() => parseTabletAlias(inv.args[0]!));
  return withCluster(inv, {}, async ({ ctx, cluster }) => {
    const record = await getTablet(ctx, cluster.topo, alias);
    const [{ printRecord }, { Tablet }] = await Promise.all([
      loading(import('../vtctl-output.ts')),
      loading(import('../../topo/proto/messages-topodata.ts')),
    ]);
    printRecord(inv, Tablet, record);
    return 0;
  });
}

function printList(inv: Invocation): Promise<number> {
  const { flags, io } = inv;
  const format = outputFormat(inv, ['awk', 'json']);
  const aliases = readAliases(inv);
  const filter = {
    aliases,
    keyspace: flags.str('keyspace'),
    shard: flags.str('shard'),
    cells: flags.strings('cell'),
    tabletType: typeFlag(inv),
    strict: flags.bool('strict'),
  };
  if (filter.shard !== '' && filter.keyspace === '') {
    throw new UserError(`--shard (= ${filter.shard}) cannot be passed without also passing --keyspace`);
  }
  return withCluster(inv, {}, async ({ ctx, cluster }) => {
    const tablets = await listTablets(ctx, cluster.topo, filter);
    if (format === 'awk') {
      const { tabletLine } = await loading(import('../tablet-line.ts'));
      io.stdout.write(tablets.map((tablet) => `${tabletLine(tablet)}\n`).join(''));
      return 0;
    }
    const [{ goJson }, { Tablet }] = await Promise.all([
      loading(import('../../topo/proto/encode.ts')),
      loading(import('../../topo/proto/messages-topodata.ts')),
    ]);
    io.stdout.write(`${goJson({ list: Tablet }, tablets.length === 0 ? null : tablets)}\n`);
    return 0;
  });
}

function typeFlag({ flags }: Invocation): string {
  return flags.tabletTypes('tablet-type')[0] ?? 'UNKNOWN';
}

/** The aliases asked for, and that nothing else was: vtctldclient's checks, in its order. */
function readAliases(inv: Invocation): TabletAlias[] {
  const { flags } = inv;
  const typed = flags.strings('tablet-alias');
  if (typed.length === 0) return [];
  const others: [flag: string, value: string][] = [
    ['keyspace', flags.str('keyspace')],
    ['shard', flags.str('shard')],
    ['cell', flags.strings('cell').length === 0 ? '' : goList(flags.strings('cell'))],
    ['tablet-type', typeFlag(inv) === 'UNKNOWN' ? '' : typeFlag(inv)],
  ];
  const other = others.find(([, value]) => value !== '');
  if (other !== undefined) {
    throw new UserError(`--${other[0]} (= ${other[1]}) cannot be passed when using --tablet-alias (= ${goList(typed)})`);
  }
  return typed.map((alias) => clientSide(() => parseTabletAlias(alias)));
}

/** A list as Go's `%v` prints it. */
function goList(items: readonly string[]): string {
  return `[${items.join(' ')}]`;
}
