/** The command that takes another back, as far as one exists; '' where it has to be run once more after the others, as a refresh. */
const OPPOSITES: readonly [typed: RegExp, opposite: (...parts: string[]) => string][] = [
  [/^SetShardTabletControl (--denied-tables=\S+) --remove (.+)$/, (tables, rest) => `SetShardTabletControl ${tables} ${rest}`],
  [/^SetShardTabletControl (--denied-tables=\S+) (.+)$/, (tables, rest) => `SetShardTabletControl ${tables} --remove ${rest}`],
  [/^SetShardTabletControl --disable-query-service=false (.+)$/, (rest) => `SetShardTabletControl --disable-query-service ${rest}`],
  [/^(RefreshState(?:ByShard)? .+)$/, (same) => same],
  [/^Workflow --keyspace (\S+) start --workflow (\S+)$/, (keyspace, workflow) => `Workflow --keyspace ${keyspace} stop --workflow ${workflow}`],
  [/^Workflow --keyspace (\S+) stop --workflow (\S+)$/, (keyspace, workflow) => `Workflow --keyspace ${keyspace} start --workflow ${workflow}`],
  [/^SetShardIsPrimaryServing (\S+) true$/, (shard) => `SetShardIsPrimaryServing ${shard} false`],
  [/^SetShardIsPrimaryServing (\S+) false$/, (shard) => `SetShardIsPrimaryServing ${shard} true`],
  [/^((?:MoveTables|Reshard) .*)\bswitchtraffic\b( --tablet-types \S+)?.*$/, (start, types = '') => `${start}reversetraffic${types}`],
  [/^((?:MoveTables|Reshard) .*)\breversetraffic\b( --tablet-types \S+)?.*$/, (start, types = '') => `${start}switchtraffic${types}`],
];

/** A command whose effect an earlier one's undoing needs again. */
const REFRESHES = /^RefreshState/;

/**
 * The command lines that take a plan back: the opposites, the last first, each refresh after what it makes tablets notice. Commands
 * that only bring what is saved to where it is read from (a rebuild), or whose work the next switch does again, have none.
 */
export function undoOf(commands: readonly string[]): string[] {
  const undone: string[] = [];
  let refreshes: string[] = [];
  for (const command of commands.toReversed()) {
    const opposite = oppositeOf(command);
    if (opposite === undefined) continue;
    if (REFRESHES.test(opposite)) {
      refreshes = [opposite, ...refreshes];
      continue;
    }
    undone.push(opposite, ...(opposite.startsWith('SetShardTabletControl') ? refreshes : []));
    refreshes = [];
  }
  // A refresh alone changes nothing that could be taken back.
  return [...new Set(undone)];
}

function oppositeOf(command: string): string | undefined {
  for (const [typed, opposite] of OPPOSITES) {
    const match = typed.exec(command);
    if (match !== null) return opposite(...match.slice(1).map((part) => part ?? ''));
  }
  return undefined;
}
