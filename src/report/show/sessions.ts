import type { OtherLock, SessionFacts, SessionOnShard } from '../../workflow/facts/sessions.ts';
import type { Paint } from '../paint.ts';
import type { ShowOptions } from './options.ts';
import { ago, cut, nameList } from './text.ts';

/** Sessions with what each shard knows of them, and table locks that belong to no session. */
export function renderSessions(facts: { sessions: readonly SessionFacts[]; others: readonly OtherLock[] }, options: ShowOptions): string[] {
  const { paint, now } = options;
  if (facts.sessions.length === 0 && facts.others.length === 0) return ['no session is open'];
  return [
    ...facts.sessions.flatMap((session) => [
      paint.bold(session.session),
      ...session.shards.flatMap((shard) => shardLines(shard, paint, now)),
    ]),
    ...facts.others.map(
      (lock) => `${lock.holder} ${lock.granted ? 'holds' : paint.yellow('waits for')} ${lock.table} on ${lock.shard} (${lock.mode}), for ${ago(now - lock.since)}`,
    ),
  ];
}

const MOST_STATEMENTS = 5;

function shardLines(shard: SessionOnShard, paint: Paint, now: number): string[] {
  const { statements, locks, rows } = shard;
  const hidden = statements.length - MOST_STATEMENTS;
  return [
    `  ${shard.shard}  ${shard.transaction ? paint.yellow('in a transaction') : 'idle'}, open for ${ago(now - shard.started)}`,
    ...(hidden > 0 ? [paint.dim(`    ${hidden} earlier statements`)] : []),
    ...statements.slice(-MOST_STATEMENTS).map((sql) => paint.dim(`    ${cut(sql.replace(/\s+/g, ' '), 94)}`)),
    ...locks.map((lock) => `    ${lock.granted ? 'holds' : paint.yellow('waits for')} ${lock.table} (${lock.mode})`),
    ...(rows.length === 0 ? [] : [`    row locks: ${nameList(rows.map((row) => `${row.table} ${row.key}`), 4)}`]),
  ];
}
