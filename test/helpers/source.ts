import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';

/** One import of a file: of what, and whether it is there when the program runs. */
export interface Import {
  /** As written: `./x.ts`, `node:fs`, `commander`. */
  specifier: string;
  kind: 'static' | 'type' | 'dynamic';
}

/** A source file, by its path below the root with `/` between the parts. */
export interface SourceFile {
  path: string;
  text: string;
  /** The text without comments, and with the contents of strings blanked out. */
  code: string;
  imports: Import[];
}

/** Every TypeScript file below `root/folder`, in order of path. */
export function readSources(root: string, folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).split(sep).filter(Boolean).join('/'))
    .toSorted()
    .map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')));
}

/** Finds the imports of one file and what of its text is code. */
export function parseSource(path: string, text: string): SourceFile {
  const withStrings = scan(text, 'comments');
  const statements = withStrings.matchAll(/^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s*)?['"]([^'"]+)['"]/gm);
  const calls = withStrings.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g);
  const imports: Import[] = [
    ...Array.from(statements, (match): Import => ({ specifier: match[2]!, kind: match[1] === undefined ? 'static' : 'type' })),
    ...Array.from(calls, (match): Import => ({ specifier: match[1]!, kind: 'dynamic' })),
  ];
  return { path, text, code: scan(text, 'comments and strings'), imports };
}

/** The path that a relative import leads to; undefined for a package or a builtin module. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return normalize(join(dirname(from), specifier)).split(sep).join('/');
}

const TOKENS =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|(?<=(?:^|[(,=:[!&|?{};+]|\breturn|=>)\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/gm;

/** Blanks out parts of a text, keeping its lines. The text of templates counts as code, for the code in it. */
function scan(text: string, what: 'comments' | 'comments and strings'): string {
  return text.replace(TOKENS, (token) => {
    const comment = token.startsWith('//') || token.startsWith('/*');
    if (!comment && what === 'comments') return token;
    return token.replace(/[^\n]/g, ' ');
  });
}

/** The cycles of a graph: each as the nodes on it, smallest first. Empty if there is none. */
export function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (node: string): void => {
    const at = trail.indexOf(node);
    if (at >= 0) {
      cycles.push(trail.slice(at));
      return;
    }
    if (done.has(node)) return;
    trail.push(node);
    for (const next of graph.get(node) ?? []) visit(next);
    trail.pop();
    done.add(node);
  };
  for (const node of graph.keys()) visit(node);
  return cycles;
}
