import { describe, expect, it } from 'vitest';
import { findRelease } from '../../../src/lib/releases.ts';
import type { LockClientFacts, LockFacts } from '../../../src/workflow/facts/locks.ts';
import { findStranded } from '../../../src/workflow/facts/stranded.ts';
import type { Picture } from '../../../src/workflow/facts/stranded/found.ts';

function holder(changes: Partial<LockClientFacts> = {}): LockClientFacts {
  return { owner: 'me@here pid 7', pid: 7, alive: 'alive', token: 3, action: 'SwitchWrites', command: '', since: '', heldMs: 5, waitedMs: undefined, expiresMs: 1000, clock: 'boot', step: 'a/b', ...changes };
}

function lock(name: string, changes: Partial<LockClientFacts> = {}): LockFacts {
  return { resource: `keyspaces/${name}`, name, kind: 'keyspace', holder: holder(changes), waiters: [] };
}

/** A cell that has not been told of a rule, and some locks. */
function picture(locks: LockFacts[]): Picture {
  const unpublished = [{ cell: 'zone1', from: 'commerce.customer@replica', saved: 'customer.customer', published: 'commerce.customer' }];
  return { keyspaces: ['commerce', 'customer'], shards: [], routing: { cells: ['zone1'], routes: [], shards: [], unpublished }, locks, workflows: [], intents: [], stoppedCells: [] };
}

const { behaviours } = findRelease('hardened');

describe('findStranded', () => {
  it('names the keyspaces that a rule concerns, and the command that publishes it', () => {
    expect(findStranded(picture([]), behaviours)).toEqual([
      {
        kind: 'rules-not-published',
        object: 'cell zone1',
        keyspaces: ['commerce', 'customer'],
        workflows: [],
        text: 'routing rules of customer (replica) are saved and not in the copy of zone1, which queries follow',
        next: ['RebuildVSchemaGraph'],
        atWork: undefined,
      },
    ]);
  });

  it('says who is at work, so that nobody repairs what is about to pass', () => {
    expect(findStranded(picture([lock('commerce')]), behaviours)[0]?.atWork).toEqual(holder());
    expect(findStranded(picture([lock('customer/c2c')]), behaviours)[0]?.atWork).toEqual(holder());
  });

  it.each([
    ['a lock of another keyspace', lock('other')],
    ['a keyspace whose name begins the same', lock('commerce2')],
    ['a lease that has run out', lock('commerce', { expiresMs: 0 })],
  ])('does not count %s', (_what, one) => {
    const found = findStranded(picture([one]), behaviours);
    expect(found.map((entry) => [entry.kind, entry.atWork])).toEqual([['rules-not-published', undefined]]);
  });

  it('says of a dead holder what frees its locks, once for all of them', () => {
    const locks = [lock('commerce', { alive: 'dead' }), lock('customer', { alive: 'dead', expiresMs: 90_000 })];
    const text = (version: string): string | undefined => {
      const dead = findStranded(picture(locks), findRelease(version).behaviours).filter((entry) => entry.kind === 'dead-lock-holder');
      expect(dead).toHaveLength(1);
      return dead[0]?.text;
    };
    expect(text('hardened')).toBe('me@here pid 7 has died at a/b and still holds the locks on commerce, customer: the next command that needs them takes them');
    expect(text('21')).toContain('nobody gets them before their leases end, the last in 1m30s');
  });
});
