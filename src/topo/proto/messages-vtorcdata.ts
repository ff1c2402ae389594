/** Messages of package `vtorcdata` that records hold. Vitess: proto/vtorcdata.proto. */
import { message } from './schema.ts';
import type * as R from './types.ts';

export const Keyspace = message<R.VtorcState>('vtorcdata.Keyspace', [['disable_emergency_reparent', 1, 'bool']]);

export const Shard = message<R.VtorcState>('vtorcdata.Shard', [['disable_emergency_reparent', 1, 'bool']]);
