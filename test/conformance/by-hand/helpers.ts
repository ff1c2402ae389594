import { expect } from 'vitest';
import { prepared, WORKFLOW_DEFAULTS } from '../adapters/workflow/adapters.ts';
import { readGiven } from '../adapters/workflow/given.ts';
import type { Stage } from '../adapters/workflow/stage.ts';
import { Fields } from '../fields.ts';
import type { Answer } from '../world.ts';

/** A case told in words. */
export type HandCases = Readonly<Record<string, () => void | Promise<void>>>;

/** A cluster with its workflow running, from fields as cases have them. */
export async function moving(fields: Readonly<Record<string, unknown>> = {}, options: { workflow?: boolean; flags?: readonly string[] } = {}): Promise<Stage> {
  const given = readGiven(new Fields(fields, 'given'), WORKFLOW_DEFAULTS);
  given.createFlags.push(...(options.flags ?? []));
  return prepared(given, options.workflow ?? true);
}

/** One table from one shard to one. */
export const ONE_SHARD = { source_keyspace: 'sourceks (unsharded)', target_keyspace: 'targetks (unsharded)', tables: ['t1'] } as const;

/** Expects a command to have failed, with these parts in its error. */
export function fails({ failure }: Answer, ...parts: readonly string[]): void {
  expect(failure).toBeDefined();
  for (const part of parts) expect(failure?.message).toContain(part);
}

export function succeeds({ failure, stdout }: Answer): string {
  expect(failure).toBeUndefined();
  return stdout;
}
