import type { Release } from '../lib/releases.ts';
import { DEFAULT_IMPLEMENTATION, refuseImplementation } from '../topo/conn/implementations.ts';
import type { Invocation } from './spec.ts';

/**
 * The topology server that a new cluster is to have: of the flag, else of the file, else Vitess's default; undefined on
 * `hardened`. Throws UserError for one that there is not, and for any on `hardened`.
 */
export function askedImplementation(inv: Invocation, release: Release, ofFile?: { name: string; source: string }): string | undefined {
  const name = inv.flags.str('topo-implementation');
  const asked = inv.flags.given('topo-implementation') ? { name, source: `--topo-implementation ${name}` } : ofFile;
  if (asked !== undefined) refuseImplementation(release, asked.name, asked.source);
  return asked?.name ?? (release.vitess ? DEFAULT_IMPLEMENTATION : undefined);
}
