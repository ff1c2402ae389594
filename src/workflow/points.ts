import type { Behaviours } from '../lib/behaviours.ts';
import type { FaultPoint } from '../runtime/failpoints.ts';
import { RPC_POINTS } from '../tablet/rpc-names.ts';
import { TOPO_POINTS } from '../topo/conn/fault-conn.ts';
import { createPoints } from './create/steps.ts';
import { endingPoints } from './end/steps.ts';
import { FIX_POINTS } from './fix-steps.ts';
import { faultPoints } from './switch/points.ts';

/** Every place where a fault can be put, for a release: in create, in a switch, in its roll-back, in complete and cancel, in a doctor's repairs, and in the calls that they make. */
export function everyPoint(behaviours: Behaviours): FaultPoint[] {
  let points = known.get(behaviours);
  if (points === undefined) {
    points = [...createPoints(behaviours), ...faultPoints(behaviours), ...endingPoints(behaviours), ...FIX_POINTS, ...RPC_POINTS, ...TOPO_POINTS];
    known.set(behaviours, points);
  }
  return points;
}

/** A release's behaviours are one record, and every command with a fault asks. */
const known = new WeakMap<Behaviours, FaultPoint[]>();
