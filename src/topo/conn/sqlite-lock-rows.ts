import type { Database } from '../../store/database.ts';
import { isBusy } from '../../store/sqlite-errors.ts';
import { type LockEvent, MOST_EVENTS, PRUNED_EVERY } from './lock-events.ts';
import type { LeaseRow, LockRows, TicketRow } from './lock-rows.ts';

/** The smallest text that is greater than every text beginning with the prefix. */
export function after(prefix: string): string {
  return prefix === '' ? '\u{10ffff}' : `${prefix}\u{10ffff}`;
}

/** The next of the numbers that versions, tickets and tokens share. */
export function nextRevision(database: Database): number {
  return database.get<{ value: number }>('UPDATE revision SET value = value + 1 RETURNING value')!.value;
}

interface TicketSql {
  revision: number;
  resource: string;
  lease_id: number;
  contents: string;
  token: number | null;
}

const toTicket = (row: TicketSql): TicketRow => ({
  revision: row.revision,
  resource: row.resource,
  leaseId: row.lease_id,
  contents: row.contents,
  token: row.token ?? undefined,
});

interface LeaseSql {
  id: number;
  owner: string;
  ttl_ms: number;
  expires: number;
  granted: number | null;
  step: string;
  expires_wall: number;
  asked: number;
  command: string;
  chain: number;
}

const toLease = (row: LeaseSql): LeaseRow => ({
  id: row.id,
  owner: JSON.parse(row.owner) as LeaseRow['owner'],
  ttlMs: row.ttl_ms,
  expires: row.expires,
  granted: row.granted ?? undefined,
  step: row.step,
  expiresWall: row.expires_wall,
  asked: row.asked,
  command: row.command,
  chain: row.chain,
});

/** What the topology's file keeps for locks. */
export function sqliteLockRows(database: Database): LockRows {
  return {
    transact: (fn) => database.transact(fn),
    read: (fn) => database.read(fn),
    nextRevision: () => nextRevision(database),
    exists: (dir) =>
      database.get('SELECT 1 FROM node WHERE cell = ? AND path >= ? AND path < ? LIMIT 1', 'global', `${dir}/`, after(`${dir}/`)) !==
      undefined,
    tickets: (resource) =>
      database.all<TicketSql>('SELECT * FROM ticket WHERE resource = ? ORDER BY revision', resource).map(toTicket),
    allTickets: () => database.all<TicketSql>('SELECT * FROM ticket ORDER BY resource, revision').map(toTicket),
    ticketOfLease: (id) => {
      const row = database.get<TicketSql>('SELECT * FROM ticket WHERE revision = ?', id);
      return row === undefined ? undefined : toTicket(row);
    },
    addTicket: (ticket) =>
      void database.run(
        'INSERT INTO ticket VALUES (?, ?, ?, ?, ?)',
        ticket.revision,
        ticket.resource,
        ticket.leaseId,
        ticket.contents,
        ticket.token ?? null,
      ),
    grant: (revision, token) => void database.run('UPDATE ticket SET token = ? WHERE revision = ?', token, revision),
    removeTicket: (revision) => void database.run('DELETE FROM ticket WHERE revision = ?', revision),
    lease: (id) => {
      const row = database.get<LeaseSql>('SELECT * FROM lease WHERE id = ?', id);
      return row === undefined ? undefined : toLease(row);
    },
    putLease: (lease) =>
      void database.run(
        `INSERT INTO lease (id, owner, ttl_ms, expires, granted, step, expires_wall, asked, command, chain)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
         SET expires = excluded.expires, granted = excluded.granted, step = excluded.step, expires_wall = excluded.expires_wall`,
        lease.id,
        JSON.stringify(lease.owner),
        lease.ttlMs,
        lease.expires,
        lease.granted ?? null,
        lease.step,
        lease.expiresWall,
        lease.asked,
        lease.command,
        lease.chain,
      ),
    removeLease: (id) => void database.run('DELETE FROM lease WHERE id = ?', id),
    fence: (resource) =>
      database.get<{ token: number }>('SELECT token FROM fence WHERE resource = ?', resource)?.token ?? 0,
    setFence: (resource, token) =>
      void database.run(
        'INSERT INTO fence VALUES (?, ?) ON CONFLICT (resource) DO UPDATE SET token = excluded.token',
        resource,
        token,
      ),
    // The first tells of other connections, the second of this one.
    changes: () => {
      try {
        const others = database.get<{ data_version: number }>('PRAGMA data_version')!.data_version;
        return `${others}/${database.get<{ own: number }>('SELECT total_changes() AS own')!.own}`;
      } catch (error) {
        if (!isBusy(error)) throw error;
        // Nobody can tell, so something may have: no two of these are equal.
        return NaN;
      }
    },
    addEvent: (event) => {
      const id = database.insert(
        'INSERT INTO lock_event (at, kind, resource, token, owner, detail) VALUES (?, ?, ?, ?, ?, ?)',
        event.at,
        event.kind,
        event.resource,
        event.token,
        event.owner,
        event.detail,
      );
      if (id % PRUNED_EVERY === 0) database.run('DELETE FROM lock_event WHERE id <= ?', id - MOST_EVENTS);
    },
    events: (most) =>
      database
        .all<LockEvent>('SELECT at, kind, resource, token, owner, detail FROM lock_event ORDER BY id DESC LIMIT ?', most)
        .toReversed(),
  };
}
