import { describe, expect, it } from 'vitest';
import { commandFlags, commandPath } from '../../src/cli/argv.ts';
import { renderHelp } from '../../src/cli/help.ts';
import { allChains, run } from './harness.ts';

describe('help', () => {
  it.each(allChains().map((chain) => [commandPath(chain).join(' ') || '(root)', chain] as const))(
    '%s: shows each flag and each subcommand once, and nothing hidden',
    (_, chain) => {
      const lines = renderHelp(chain).split('\n');
      const shown = lines.flatMap((line) => /^ {2}(?:-\w,| {3}) --([\w-]+)/.exec(line)?.[1] ?? []);
      const visible = commandFlags(chain).filter((flag) => flag.hidden !== true);
      expect(shown.toSorted()).toEqual(visible.map((flag) => flag.name).toSorted());
      for (const sub of chain.at(-1)?.subcommands ?? []) {
        expect(lines.filter((line) => line.startsWith(`  ${sub.name} `) && line.endsWith(sub.about))).toHaveLength(1);
      }
      expect(lines.every((line) => line === line.trimEnd())).toBe(true);
    },
  );

  it('of a parent', async () => {
    expect(beforeGlobals((await run(['MoveTables', '--help'])).stdout)).toMatchInlineSnapshot(`
      "move tables from one keyspace to another, and switch their traffic

      Usage:
        switchtraffic MoveTables [command]

      Aliases:
        MoveTables, movetables

      Available Commands:
        cancel         give up a workflow whose writes are not switched: drop the target tables, rules and streams
        complete       end a workflow whose traffic is all switched: drop the source tables, rules and streams
        create         create the workflow and start copying
        mirrortraffic  send a part of the reads to the target too
        reversetraffic switch traffic back to the source
        show           print the workflow with its streams, as JSON
        start          start the workflow's streams
        status         print how far the streams are and where traffic goes
        stop           stop the workflow's streams
        switchtraffic  switch reads, writes or both to the target

      Flags:
            --format string            text or json (default "text")
        -h, --help                     help for MoveTables
            --target-keyspace string   keyspace the tables are moved to (required)
        -w, --workflow string          name of the workflow (required)"
    `);
  });

  it('of a command', async () => {
    expect(beforeGlobals((await run(['MoveTables', 'cancel', '-h'])).stdout)).toMatchInlineSnapshot(`
      "give up a workflow whose writes are not switched: drop the target tables, rules and streams

      Usage:
        switchtraffic MoveTables cancel

      Aliases:
        cancel, Cancel

      Examples:
      switchtraffic MoveTables --workflow commerce2customer --target-keyspace customer cancel

      Flags:
            --delete-batch-size int    rows deleted at a time when a tenant's data is removed (default 1000)
        -h, --help                     help for cancel
            --ignore-source-keyspace   do not look at the source keyspace, for when it is gone already
            --keep-data                leave the tables where they are
            --keep-routing-rules       leave the routing rules as they are
            --shards strings           only these target shards"
    `);
  });

  it('of a command of ours', async () => {
    expect(beforeGlobals((await run(['query', '-h'])).stdout)).toMatchInlineSnapshot(`
      "run one SQL statement through the gate

      Usage:
        switchtraffic query SQL

      Examples:
      switchtraffic query 'select * from customer'
      switchtraffic query --session a 'begin'

      Flags:
            --buffer-max-failover-duration duration        stop holding statements when a switch takes longer (default 20s)
            --buffer-min-time-between-failovers duration   do not hold statements for a shard again so soon after the last time (default 1m0s)
            --buffer-size int                              hold this many statements at once (default 1000)
            --buffer-window duration                       hold one statement for this long at most (default 10s)
            --cell CELL                                    the cell of the gate; the first one, if none is named
            --enable-buffer                                hold statements for a primary while its shard or table is being switched
            --enable-partial-keyspace-migration            follow shard routing rules (vtgate: only if told so) (default true)
            --format string                                text or json (default "text")
        -h, --help                                         help for query
            --session NAME                                 session to run it in, kept between commands
            --target TARGET                                where to: customer, customer:-80, @replica, customer@rdonly
            --timeout duration                             give up on the statement after this long (default 30s)
            --vschema-wait duration                        without a buffer: try a refused statement twice more, after a newer VSchema or this long (vtgate: 30s)"
    `);
  });

  it('of the program', async () => {
    expect((await run(['--help'])).stdout).toMatchSnapshot();
  });
});

function beforeGlobals(text: string): string {
  return text.split('\n\nGlobal Flags:')[0] ?? '';
}
