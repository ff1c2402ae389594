import type { World } from '../runtime/world.ts';
import type { TabletControl, TabletType } from '../topo/proto/types.ts';
import type { ShardDb } from './shard-db.ts';

/** What may hold a tablet's action lock for as long as it likes. */
export type Busy = 'BACKUP' | 'RESTORE';

/** What is true of a tablet's process, whatever its records say. It lives in its shard's database, so every command sees it. */
export interface TabletProcess {
  /** It is not running: nothing answers at its address. */
  stopped: boolean;
  /** A backup or a restore that holds its action lock. */
  busy: Busy | undefined;
  /** The type it starts as (`--init-tablet-type`), where it is another one now. */
  base: TabletType | undefined;
}

/** What a tablet read of its shard when it was last refreshed: a change of its type goes by this and does not read again. */
export interface LastRead {
  /** The shard's tablet controls that hold in the tablet's cell. */
  controls: TabletControl[];
  /** The types whose query service is disabled. */
  disabled: string[];
}

interface ProcessRow {
  alias: string;
  stopped: number;
  busy: Busy | null;
  base: TabletType | null;
}

const UP: Readonly<TabletProcess> = { stopped: false, busy: undefined, base: undefined };
const COLUMNS = 'alias, stopped, busy, base';

/** What became of a tablet's process; one that was never touched is up and free. */
export function readProcess(shard: ShardDb, alias: string): Readonly<TabletProcess> {
  return shard.db.remember('_process', alias, () => {
    const row = shard.db.get<ProcessRow>(`SELECT ${COLUMNS} FROM _process WHERE alias = ?`, alias);
    return row === undefined ? UP : processOf(row);
  });
}

/** The same of all tablets of a shard that are not simply up. */
export function readProcesses(shard: ShardDb): ReadonlyMap<string, TabletProcess> {
  return shard.db.remember('_process', 'not simply up', () => {
    const rows = shard.db.all<ProcessRow>(`SELECT ${COLUMNS} FROM _process WHERE stopped = 1 OR busy IS NOT NULL`);
    return new Map(rows.map((row) => [row.alias, processOf(row)]));
  });
}

function processOf({ stopped, busy, base }: ProcessRow): TabletProcess {
  return { stopped: stopped === 1, busy: busy ?? undefined, base: base ?? undefined };
}

/** True while nothing answers at the tablet's address. */
export function isStopped(shard: ShardDb, alias: string): boolean {
  return readProcess(shard, alias).stopped;
}

/** Changes what is true of a tablet's process. */
export function writeProcess(shard: ShardDb, world: World, alias: string, process: TabletProcess): Promise<void> {
  const { stopped, busy = null, base = null } = process;
  return shard.db.write(world.clock, () => {
    shard.db.run(
      `INSERT INTO _process (${COLUMNS}) VALUES (?, ?, ?, ?)
       ON CONFLICT (alias) DO UPDATE SET stopped = excluded.stopped, busy = excluded.busy, base = excluded.base`,
      alias,
      stopped ? 1 : 0,
      busy,
      base,
    );
  });
}

/** What a tablet last read; undefined for one that was never refreshed. */
export function lastRead(shard: ShardDb, alias: string): LastRead | undefined {
  const text = lastReadText(shard, alias);
  return text === undefined ? undefined : (JSON.parse(text) as LastRead);
}

/** True if a tablet has read just this last. */
export function hasRead(shard: ShardDb, alias: string, read: LastRead): boolean {
  return lastReadText(shard, alias) === JSON.stringify(read);
}

function lastReadText(shard: ShardDb, alias: string): string | undefined {
  return shard.db.remember(
    '_process',
    `read ${alias}`,
    () => shard.db.get<{ read: string | null }>('SELECT read FROM _process WHERE alias = ?', alias)?.read ?? undefined,
  );
}

/** Keeps what a tablet read, inside the caller's transaction. */
export function keepRead(shard: ShardDb, alias: string, read: LastRead): void {
  shard.db.run(
    'INSERT INTO _process (alias, read) VALUES (?, ?) ON CONFLICT (alias) DO UPDATE SET read = excluded.read',
    alias,
    JSON.stringify(read),
  );
}

/** Forgets a tablet that is no more: what it believed, and what became of it. */
export function forgetTablet(shard: ShardDb, world: World, alias: string): Promise<void> {
  return shard.db.write(world.clock, () => {
    for (const table of ['_tablet', '_process', '_server']) shard.db.run(`DELETE FROM ${table} WHERE alias = ?`, alias);
  });
}

/** The primary of a shard where none runs: as tablets see themselves. A shard that no tablet calls itself primary of is not asked about. */
export function stoppedPrimary(shard: ShardDb): string | undefined {
  return shard.db.remember('_process _tablet', 'stopped primary', () => {
    const down = `EXISTS (SELECT 1 FROM _process WHERE _process.alias = _tablet.alias AND stopped = 1)`;
    const rows = shard.db.all<{ alias: string; down: number }>(
      `SELECT alias, ${down} AS down FROM _tablet WHERE json_extract(view, '$.type') = 'PRIMARY' ORDER BY alias`,
    );
    return rows.every((row) => row.down === 1) ? rows[0]?.alias : undefined;
  });
}

/** True unless the shard's primary is stopped. */
export function isPrimaryUp(shard: ShardDb): boolean {
  return stoppedPrimary(shard) === undefined;
}
