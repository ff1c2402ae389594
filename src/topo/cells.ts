import { isTopoError, plainError, wrapError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import type { Conn } from './conn/conn.ts';
import { paths } from './paths.ts';
import type { CellInfo } from './proto/types.ts';
import { encodeRecord, listNames, readRecord, type TopoServer } from './server.ts';

/** Registers a cell. Throws NodeExists. */
export async function addCell(ctx: Context, topo: TopoServer, cell: string): Promise<void> {
  const info: CellInfo = { server_address: '', root: topo.conn.policy.names.root(cell) };
  if (cell === '') throw plainError('CellInfo.Root must be non-empty');
  await topo.conn.create(ctx, paths.cellInfo(cell), encodeRecord(info));
}

/** All cells by name; empty if none is registered. */
export function cellNames(ctx: Context, topo: TopoServer): Promise<string[]> {
  return listNames(ctx, topo.conn, 'cells');
}

/** All cells, or `GetKnownCells failed` where Vitess says so. */
export async function knownCells(ctx: Context, topo: TopoServer): Promise<string[]> {
  try {
    return (await topo.conn.listDir(ctx, 'cells')).map((entry) => entry.name);
  } catch (error) {
    throw isTopoError(error, 'NoNode') ? wrapError(error, 'GetKnownCells failed') : error;
  }
}

/** A connection to a cell. Throws NoNode for one that is not registered. */
export async function connForCell(ctx: Context, topo: TopoServer, cell: string): Promise<Conn> {
  await readRecord<CellInfo>(ctx, topo.conn, paths.cellInfo(cell));
  return topo.conn.forCell(cell);
}

/** Makes the topology server of a cell unreachable (`withOutages`). Returns false if it is already. Throws NoNode for an unknown cell. */
export async function stopCell(ctx: Context, topo: TopoServer, cell: string): Promise<boolean> {
  await readRecord<CellInfo>(ctx, topo.conn, paths.cellInfo(cell));
  try {
    await topo.conn.create(ctx, paths.stoppedCell(cell), encodeRecord({ since: topo.world.clock.now() }));
    return true;
  } catch (error) {
    if (isTopoError(error, 'NodeExists')) return false;
    throw error;
  }
}

/** Takes that back. Returns false if the cell is not stopped. Throws NoNode for an unknown cell. */
export async function startCell(ctx: Context, topo: TopoServer, cell: string): Promise<boolean> {
  await readRecord<CellInfo>(ctx, topo.conn, paths.cellInfo(cell));
  try {
    await topo.conn.delete(ctx, paths.stoppedCell(cell), null);
    return true;
  } catch (error) {
    if (isTopoError(error, 'NoNode')) return false;
    throw error;
  }
}

/** The cells whose topology servers are stopped, by name. */
export function stoppedCells(ctx: Context, topo: TopoServer): Promise<string[]> {
  return listNames(ctx, topo.conn, paths.stoppedCells);
}
