/** Messages of package `vttime`. Vitess: proto/vttime.proto. */
import { message, required } from './schema.ts';
import type * as R from './types.ts';

export const Time = message<R.Time>('vttime.Time', [
  ['seconds', 1, required('int64')],
  ['nanoseconds', 2, 'int32'],
]);

export const Duration = message<R.Duration>('vttime.Duration', [
  ['seconds', 1, required('int64')],
  ['nanos', 2, 'int32'],
]);
