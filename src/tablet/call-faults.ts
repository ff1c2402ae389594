import { vtError } from '../lib/errors.ts';
import { ExitFault } from '../lib/exit-fault.ts';
import type { Context } from '../runtime/context.ts';
import { MetCall } from '../runtime/offer-fault.ts';
import type { World } from '../runtime/world.ts';
import type { LockDescriptor } from '../topo/conn/conn.ts';
import { heldLocks } from '../topo/locks.ts';
import { type Rpc, rpcPoint } from './rpc-names.ts';

/**
 * Makes a call to a tablet as faults let it be made: not at all, twice, or after the next one to that tablet. `deliver` is the call
 * as the tablet gets it. A caller whose request or answer is lost is told what gRPC says of a connection that broke: it cannot
 * know whether the call was served.
 */
export async function callWithFaults<T>(ctx: Context, world: World, call: { rpc: Rpc; alias: string }, deliver: () => Promise<T>): Promise<T> {
  const { faults } = world;
  const name = rpcPoint(call.rpc);
  const early = faults.late.get(call.alias);
  if (!faults.concerns(name)) {
    const result = await deliver();
    await arrive(world, early, call.alias);
    return result;
  }
  const guards = heldLocks(ctx);
  const met = new MetCall(ctx, world, { name, target: call.alias });
  const how = await met.meet('before');
  if (how === 'drop') throw connectionLost();
  if (how === 'reorder') {
    faults.late.set(call.alias, [...(early ?? []), () => again(world, `${name}@${call.alias} arrived late`, guards, deliver)]);
    throw connectionLost();
  }
  const result = await deliver();
  if (how === 'dup') await again(world, `${name}@${call.alias} arrived twice`, guards, deliver);
  await arrive(world, early, call.alias);
  if ((await met.meet('after')) === 'drop') throw connectionLost();
  return result;
}

/** The calls that are still under way when a command has ended arrive now: its locks are gone, and it hears nothing of them. */
export async function deliverLate(world: World): Promise<void> {
  for (const [alias, calls] of world.faults.late) await arrive(world, calls, alias);
}

async function arrive({ faults }: World, calls: readonly (() => Promise<void>)[] | undefined, alias: string): Promise<void> {
  if (calls === undefined) return;
  const left = (faults.late.get(alias) ?? []).filter((call) => !calls.includes(call));
  if (left.length > 0) faults.late.set(alias, left);
  else faults.late.delete(alias);
  for (const call of calls) await call();
}

/** What is being served whose caller has heard of it before: the locks that were held when it was sent, whatever became of them since. */
const ARRIVING = new WeakMap<World['faults'], readonly LockDescriptor[]>();

/** The locks that such a call was sent under; undefined for any other, which has those of its context. */
export function sentUnder({ faults }: World): readonly LockDescriptor[] | undefined {
  return ARRIVING.get(faults);
}

/** A call whose caller hears nothing of what comes of it. */
async function again<T>({ events, faults }: World, text: string, guards: readonly LockDescriptor[], deliver: () => Promise<T>): Promise<void> {
  let what = 'served';
  ARRIVING.set(faults, guards);
  try {
    await deliver();
  } catch (error) {
    if (error instanceof ExitFault) throw error;
    what = (error as Error).message;
  } finally {
    ARRIVING.delete(faults);
  }
  events.log('info', `${text}: ${what}`);
}

function connectionLost(): Error {
  return vtError('UNAVAILABLE', 'rpc error: code = Unavailable desc = error reading from server: EOF');
}
