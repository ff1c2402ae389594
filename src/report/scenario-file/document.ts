import { z } from 'zod';
import { scenarioSchema } from './schema.ts';

/** A JSON Schema, as far as it is read here. */
interface JsonSchema {
  type?: string | string[];
  description?: string;
  pattern?: string;
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  additionalProperties?: JsonSchema | boolean;
}

/** The JSON Schema of a scenario file, for editors. */
export function scenarioJsonSchema(): object {
  return { $schema: 'http://json-schema.org/draft-07/schema#', title: 'A scenario file of switchtraffic', ...withPlaceholders(plainSchema()) };
}

function plainSchema(): JsonSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(scenarioSchema, { io: 'input', unrepresentable: 'any', target: 'draft-7' });
  return schema as JsonSchema;
}

/** The value of a case, which may stand wherever a value does. */
const PLACEHOLDER: JsonSchema = { type: 'string', pattern: '^\\$\\{[^{}]*\\}$' };

/** An editor must not complain of `exit: '${exit}'`. */
function withPlaceholders(schema: JsonSchema): JsonSchema {
  const { properties, items, anyOf, additionalProperties, description, ...own } = schema;
  const inner: JsonSchema = {
    ...own,
    ...(properties === undefined ? {} : { properties: Object.fromEntries(Object.entries(properties).map(([key, one]) => [key, withPlaceholders(one)])) }),
    ...(items === undefined ? {} : { items: withPlaceholders(items) }),
    ...(typeof additionalProperties === 'object' ? { additionalProperties: withPlaceholders(additionalProperties) } : additionalProperties === undefined ? {} : { additionalProperties }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(withPlaceholders) }),
  };
  const about = description === undefined ? {} : { description };
  const isValue = own.const !== undefined || own.enum !== undefined || ['integer', 'number', 'boolean'].includes(String(own.type));
  return isValue ? { ...about, anyOf: [inner, PLACEHOLDER] } : { ...about, ...inner };
}

/** The maps of the format, each by the way that leads to it. */
const MAPS: Readonly<Record<string, readonly string[]>> = {
  file: [],
  given: ['given'],
  workload: ['given', 'workload'],
  step: ['steps'],
  parallel: ['steps', 'parallel'],
  expect: ['steps', 'expect'],
  text: ['steps', 'expect', 'stderr'],
};

/** The tables of docs/scenarios.md: a row for each key of each map, with the schema's own words. */
export function scenarioTables(): Record<string, string> {
  const schema = plainSchema();
  return Object.fromEntries(Object.entries(MAPS).map(([name, way]) => [name, table(mapAt(schema, way))]));
}

/** The map at the end of a way; of a list the one that its entries are, of a choice the one that is a map. */
function mapAt(schema: JsonSchema, way: readonly string[]): JsonSchema {
  const [key, ...rest] = way;
  const map = asMap(schema);
  return key === undefined ? map : mapAt(map.properties?.[key] ?? {}, rest);
}

function asMap(schema: JsonSchema): JsonSchema {
  if (schema.properties !== undefined) return schema;
  if (schema.items !== undefined) return asMap(schema.items);
  return schema.anyOf?.map(asMap).find(({ properties }) => properties !== undefined) ?? schema;
}

function table({ properties = {}, required = [] }: JsonSchema): string {
  const rows = Object.entries(properties).map(([key, schema]) => {
    const needed = required.includes(key) ? ' (needed)' : '';
    return `| \`${key}\`${needed} | ${cell(kindText(schema))} | ${cell(schema.description ?? '')} |`;
  });
  return ['| key | value | |', '|---|---|---|', ...rows].join('\n');
}

function kindText(schema: JsonSchema): string {
  if (schema.const !== undefined) return String(schema.const);
  if (schema.enum !== undefined) return schema.enum.join(' or ');
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(kindText))].join(' or ');
  if (schema.type === 'array') return schema.items === undefined ? 'list' : `list of ${kindText(schema.items)}`;
  return [schema.type ?? ''].flat().map((type) => KINDS[type] ?? 'any').join(' or ');
}

const KINDS: Readonly<Record<string, string>> = { string: 'text', number: 'number', integer: 'number', boolean: 'true or false', object: 'map' };

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
