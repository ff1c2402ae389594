/** The JSON Schemas of the files that people write, for their editors; `npm run docs` writes them. */
import { z } from 'zod';
import { clusterFile } from './cluster-file/schema.ts';

interface FileSchema {
  /** Where it is kept. */
  path: string;
  title: string;
  schema: z.ZodType;
}

/** One line for each kind of file. */
export const FILE_SCHEMAS: readonly FileSchema[] = [
  { path: 'fixtures/schemas/cluster.schema.json', title: 'A cluster file of switchtraffic', schema: clusterFile },
];

/** The text of one of them. */
export function jsonSchemaText({ title, schema }: FileSchema): string {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', reused: 'ref', target: 'draft-7' });
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`;
}
