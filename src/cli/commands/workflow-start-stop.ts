import type { Invocation } from '../spec.ts';
import { startOrStop } from './movetables-start-stop.ts';

/** Starts or stops a workflow's streams. */
export function run(inv: Invocation): Promise<number> {
  return startOrStop(inv, inv.flags.str('keyspace'));
}
