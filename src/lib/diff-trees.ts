/** What changed between two states, as lines a person can read. */
export interface Change {
  /** `shards.commerce/0.streams[0].state`. */
  path: string;
  before: unknown;
  after: unknown;
}

/** Every place in which two trees differ. Lists of texts are compared as sets: what went, what came. */
export function diffTrees(before: unknown, after: unknown, path = ''): Change[] {
  if (areEqual(before, after)) return [];
  if (isTexts(before) && isTexts(after)) return textChanges(before, after, path);
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, index) => diffTrees(before[index], after[index], `${path}[${index}]`)).flat();
  }
  if (isMap(before) && isMap(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => diffTrees(before[key], after[key], path === '' ? key : `${path}.${key}`));
  }
  return [{ path, before, after }];
}

/** Whether there is anything to look for: most of two states is the same. */
function areEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((entry, index) => areEqual(entry, b[index]));
  if (!isMap(a) || !isMap(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && areEqual(a[key], b[key]));
}

function textChanges(before: readonly string[], after: readonly string[], path: string): Change[] {
  const [was, is] = [new Set(before), new Set(after)];
  const gone = before.filter((text) => !is.has(text)).map((text): Change => ({ path, before: text, after: undefined }));
  const come = after.filter((text) => !was.has(text)).map((text): Change => ({ path, before: undefined, after: text }));
  return [...gone, ...come];
}

/** Changes as lines of a difference under the path that they share, `-` what was, `+` what is. */
export function changeLines(changes: readonly Change[], most = 20): string[] {
  const lines: string[] = [];
  let last: string | undefined;
  for (const { path, before, after } of changes.slice(0, most)) {
    if (path !== last) lines.push(path);
    last = path;
    if (before !== undefined) lines.push(`  - ${text(before)}`);
    if (after !== undefined) lines.push(`  + ${text(after)}`);
  }
  return changes.length > most ? [...lines, `... and ${changes.length - most} more`] : lines;
}

function text(value: unknown): string {
  const whole = typeof value === 'string' ? value : JSON.stringify(value);
  return whole.length > 400 ? `${whole.slice(0, 397)}...` : whole;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
