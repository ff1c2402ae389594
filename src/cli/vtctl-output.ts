import type { MessageType } from '../topo/proto/schema.ts';
import { protojson } from '../topo/proto/encode.ts';
import type { Invocation } from './spec.ts';

/** Prints one record as vtctldclient does: protojson, defaults included unless `--compact`. */
export function printRecord<T extends object>(inv: Invocation, type: MessageType<T>, value: NoInfer<T> | null): void {
  inv.io.stdout.write(`${protojson(type, value, { compact: inv.flags.bool('compact') })}\n`);
}
