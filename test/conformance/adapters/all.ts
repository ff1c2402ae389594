import type { Adapter } from '../fields.ts';
import { keyRangeAdapters } from './key-ranges.ts';
import { parsingAdapters } from './parsing.ts';
import { vindexAdapters } from './vindex.ts';
import { workflowAdapters } from './workflow/adapters.ts';

/** Every adapter; the first that serves a case's area and operation drives it. */
export const ADAPTERS: readonly Adapter[] = [...vindexAdapters, ...keyRangeAdapters, ...parsingAdapters, ...workflowAdapters];
