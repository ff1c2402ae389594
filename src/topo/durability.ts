import { plainError } from '../lib/errors.ts';
import type { Tablet } from './proto/types.ts';

/** How many acknowledgements a primary waits for, and whose count. Vitess: go/vt/vtctl/reparentutil/policy/durability.go. */
interface Durability {
  ackers: number;
  /** Types that acknowledge. */
  types: readonly string[];
  /** Only from another cell. */
  crossCell: boolean;
}

const NONE: Durability = { ackers: 0, types: [], crossCell: false };
const policy = (types: readonly string[], crossCell: boolean): Durability => ({ ackers: 1, types, crossCell });

const POLICIES: Readonly<Record<string, Durability>> = {
  none: NONE,
  semi_sync: policy(['PRIMARY', 'REPLICA'], false),
  cross_cell: policy(['PRIMARY', 'REPLICA'], true),
  semi_sync_with_rdonly_ack: policy(['PRIMARY', 'REPLICA', 'RDONLY'], false),
  cross_cell_with_rdonly_ack: policy(['PRIMARY', 'REPLICA', 'RDONLY'], true),
  test: NONE,
};

/** The names of durability policies. */
export const DURABILITY_POLICIES = Object.keys(POLICIES);

/** A keyspace's policy; without one it is `none`. Throws `durability policy X not found`. */
export function checkDurability(name = 'none'): Durability {
  const found = Object.hasOwn(POLICIES, name || 'none') ? POLICIES[name || 'none'] : undefined;
  if (found === undefined) throw plainError(`durability policy ${name} not found`);
  return found;
}

/** True if a tablet could commit as primary: enough of the others acknowledge. Vitess: canEstablishForTablet. */
export function canCommit(name: string | undefined, primary: Tablet, others: readonly Tablet[]): boolean {
  const { ackers, types, crossCell } = checkDurability(name);
  const acking = others.filter(
    (tablet) =>
      types.includes(tablet.type) &&
      (tablet.alias.cell !== primary.alias.cell || (!crossCell && tablet.alias.uid !== primary.alias.uid)),
  );
  return acking.length >= ackers;
}
