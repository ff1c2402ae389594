import type { z } from 'zod';
import { suggest } from '../../lib/suggest.ts';
import { FileError } from './place.ts';
import type { PathPart, YamlFile } from './yaml.ts';

/**
 * The file's value as the schema describes it. Throws FileError for the first thing that does not fit, at its own line
 * and column: an unknown key at the key, with the one that was probably meant.
 */
export function checkShape<T>(yaml: YamlFile, schema: z.ZodType<T>): T {
  const result = schema.safeParse(yaml.value, { reportInput: true });
  if (result.success) return result.data;
  const issues = result.error.issues.map(deepest);
  // A key that is missing was probably mistyped, if there is one that is not known.
  const mistyped = issues.some(({ code }) => code === 'unrecognized_keys');
  const errors = issues.filter((issue) => !(mistyped && isMissing(issue))).map((issue) => problemOf(yaml, issue, schema));
  errors.sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column);
  throw errors[0]!;
}

type Issue = z.core.$ZodIssue;

/** Of a union, the branch that came furthest says what is wrong. */
function deepest(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const branches = issue.errors.map((errors) => errors.map((inner) => deepest({ ...inner, path: [...issue.path, ...inner.path] })));
  const depth = (errors: readonly Issue[]): number => Math.max(0, ...errors.map((inner) => inner.path.length + (inner.code === 'unrecognized_keys' ? 1 : 0)));
  branches.sort((a, b) => depth(b) - depth(a) || a.length - b.length);
  const [best] = branches;
  if (best !== undefined && depth(best) > issue.path.length) return best.find((inner) => !isMissing(inner)) ?? best[0]!;
  // Of the right kind, and wrong in another way: that is what is wrong. Otherwise the union says all that it takes.
  const near = branches.map(([first]) => first!).find((first) => first.code !== 'invalid_type' && first.code !== 'invalid_value' && first.code !== 'invalid_union');
  return near ?? issue;
}

function problemOf(yaml: YamlFile, issue: Issue, schema: z.ZodType): FileError {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    const there = keysAt(schema, path);
    const near = suggest(key, there);
    const hint = near === undefined ? '' : `; did you mean "${near}"?`;
    const next = there.length === 0 ? undefined : `keys here: ${there.join(', ')}`;
    return new FileError(yaml.placeOfKey([...path, key]), `unknown key "${shown(key)}"${hint}`, next);
  }
  const name = path.length === 0 ? 'the file' : `"${pathText(path)}"`;
  const about = descriptionAt(schema, path);
  const next = about === undefined ? undefined : `${shown(String(path.at(-1)))}: ${about}`;
  if (isMissing(issue)) return new FileError(yaml.placeOf(path), `${name} is missing; it is ${expectedOf(issue)}`, next);
  return new FileError(yaml.placeOf(path), `${name} ${complaint(issue)}`, next);
}

function isMissing(issue: Issue): boolean {
  return issue.code === 'invalid_type' && issue.input === undefined;
}

function complaint(issue: Issue): string {
  // The schema has words of its own for it.
  if (!/^(?:Invalid|Too|Unrecognized) /.test(issue.message)) return `${issue.message}, not ${kindOf(issue.input)}`;
  switch (issue.code) {
    case 'invalid_type':
      // A schema's own words, where it has some.
      return `${issue.message.startsWith('Invalid input') ? `has to be ${expectedOf(issue)}` : issue.message}, not ${kindOf(issue.input)}`;
    case 'invalid_value':
      return `has to be ${allowed(issue).join(' or ')}, not ${kindOf(issue.input)}`;
    case 'too_small':
      if (issue.origin === 'number') return `has to be ${issue.minimum} or more`;
      return Number(issue.minimum) > 1 ? `needs ${issue.minimum} entries or more` : 'must not be empty';
    case 'too_big':
      return issue.origin === 'number' ? `has to be ${issue.maximum} or less` : `has more than ${issue.maximum} entries`;
    case 'invalid_union':
      return `has to be ${[...new Set(allowed(issue))].join(' or ')}, not ${kindOf(issue.input)}`;
    default:
      return issue.message;
  }
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
  null: 'empty',
};

function expectedOf(issue: Issue): string {
  return issue.code === 'invalid_type' ? (WORDS[issue.expected] ?? issue.expected) : 'needed';
}

/** What would fit, each in a few words. */
function allowed(issue: Issue): string[] {
  if (issue.code === 'invalid_value') return issue.values.map((value) => JSON.stringify(value));
  return issue.code === 'invalid_union' ? issue.errors.flatMap(([first]) => (first === undefined ? [] : allowed(first))) : [expectedOf(issue)];
}

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return valueText(value);
}

function valueText(value: unknown): string {
  return shown(typeof value === 'string' ? JSON.stringify(value) : typeof value === 'object' ? kindOf(value) : String(value));
}

/** Long or odd text is cut: an error is one line. */
function shown(text: string): string {
  const plain = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?');
  return plain.length > 60 ? `${plain.slice(0, 57)}...` : plain;
}

/** `steps[2].expect.exit`. */
export function pathText(path: readonly PathPart[]): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${shown(part)}`)).join('');
}

/** The schema's own words for the value at a path. */
function descriptionAt(schema: z.ZodType, path: readonly PathPart[]): string | undefined {
  let open = [schema];
  for (const part of path) open = open.flatMap(unwrapped).flatMap((definition) => inside(definition, part));
  for (; open.length > 0; open = open.flatMap(({ def }) => (def as unknown as Definition).innerType ?? [])) {
    const found = open.find(({ description }) => description !== undefined);
    if (found !== undefined) return found.description;
  }
  return undefined;
}

interface Definition {
  type: string;
  shape?: Record<string, z.ZodType>;
  element?: z.ZodType;
  valueType?: z.ZodType;
  innerType?: z.ZodType;
  in?: z.ZodType;
  options?: z.ZodType[];
  getter?: () => z.ZodType;
}

/** The keys that a map at this path may have, as the schema says. */
function keysAt(schema: z.ZodType, path: readonly PathPart[]): string[] {
  const keys = new Set<string>();
  for (const at of schemasAt([schema], path)) for (const key of Object.keys(at.shape ?? {})) keys.add(key);
  return [...keys];
}

function schemasAt(schemas: readonly z.ZodType[], path: readonly PathPart[]): Definition[] {
  const open = schemas.flatMap(unwrapped);
  const [part, ...rest] = path;
  if (part === undefined) return open;
  const inner = open.flatMap((definition) => inside(definition, part));
  return inner.length === 0 ? [] : schemasAt(inner, rest);
}

/** The schema of a key or an entry. */
function inside({ element, shape, valueType }: Definition, part: PathPart): z.ZodType[] {
  const next = typeof part === 'number' ? element : ((shape !== undefined && Object.hasOwn(shape, part) ? shape[part] : undefined) ?? valueType);
  return next === undefined ? [] : [next];
}

function unwrapped(schema: z.ZodType): Definition[] {
  const definition = schema.def as unknown as Definition;
  if (definition.innerType !== undefined) return unwrapped(definition.innerType);
  if (definition.getter !== undefined) return unwrapped(definition.getter());
  if (definition.options !== undefined) return definition.options.flatMap(unwrapped);
  return definition.in !== undefined ? unwrapped(definition.in) : [definition];
}
