import { outputFormat } from '../flags.ts';
import type { Invocation } from '../spec.ts';
import { deleteAndPrint } from './workflow-delete.ts';

/** Gives a workflow up. */
export function run(inv: Invocation): Promise<number> {
  return deleteAndPrint(inv, inv.flags.str('target-keyspace'), outputFormat(inv));
}
