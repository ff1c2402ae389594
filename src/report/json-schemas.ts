/** The JSON Schemas of the files that people write, for their editors; `npm run docs` writes them. */
import { z } from 'zod';
import { clusterFile } from './cluster-file/schema.ts';
import { scenarioJsonSchema } from './scenario-file/document.ts';

interface FileSchema {
  /** Where it is kept. */
  path: string;
  schema: () => object;
}

/** One line for each kind of file. */
export const FILE_SCHEMAS: readonly FileSchema[] = [
  { path: 'fixtures/schemas/cluster.schema.json', schema: clusterJsonSchema },
  { path: 'fixtures/schemas/scenario.schema.json', schema: scenarioJsonSchema },
];

/** The schema of cluster files. */
export function clusterJsonSchema(): object {
  const { $schema, ...rest } = z.toJSONSchema(clusterFile, { io: 'input', reused: 'ref', target: 'draft-7' });
  return { $schema, title: 'A cluster file of switchtraffic', ...rest };
}
