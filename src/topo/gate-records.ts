import type { Context } from '../runtime/context.ts';
import type { ProcessIdentity, Processes } from '../runtime/processes.ts';
import type { Conn } from './conn/conn.ts';
import { paths } from './paths.ts';
import { encodeRecord, findRecord, listNames } from './server.ts';

/** A time during which a gate held the statements for a shard. */
export interface BufferWindow {
  keyspace: string;
  shard: string;
  /** Epoch milliseconds; `to` is absent while it lasts. */
  from: number;
  to?: number;
  /** Statements held so far. */
  statements: number;
  /** The longest that one of them was held, in milliseconds. */
  longest_ms: number;
}

/** What a gate that buffers leaves for others to read: a switch reports it. Ours, not Vitess's. */
export interface GateRecord {
  process: ProcessIdentity;
  /** The last ones, oldest first. */
  windows: BufferWindow[];
}

export async function writeGateRecord(ctx: Context, conn: Conn, name: string, record: GateRecord): Promise<void> {
  await conn.update(ctx, paths.gate(name), encodeRecord(record), null);
}

export async function removeGateRecord(ctx: Context, conn: Conn, name: string): Promise<void> {
  await conn.delete(ctx, paths.gate(name), null);
}

/** The records of every gate that has buffered and is not known to be dead. */
export async function readGateRecords(ctx: Context, conn: Conn, processes: Processes): Promise<GateRecord[]> {
  const names = await listNames(ctx, conn, paths.gates);
  const found = await Promise.all(names.map((name) => findRecord<GateRecord>(ctx, conn, paths.gate(name))));
  const records = found.flatMap((one) => (one === undefined ? [] : [one.record]));
  return records.filter((record) => processes.liveness(record.process) !== 'dead');
}
