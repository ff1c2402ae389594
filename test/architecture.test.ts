import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findCycles, parseSource, readSources, resolveImport, type SourceFile } from './helpers/source.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** From the top down; a folder may import those of later rows only, and itself. */
const LAYERS = [
  ['cli'],
  ['scenario'],
  ['explore'],
  ['doctor'],
  ['report'],
  ['workload'],
  ['workflow'],
  ['gate'],
  ['tablet'],
  ['topo'],
  ['store'],
  ['sql', 'vindex'],
  ['runtime'],
  ['lib'],
];
/** What the order alone would allow. As in Vitess, workflow and gate meet in the topology and at the tablets. */
const FORBIDDEN = ['workflow -> gate', 'gate -> workflow', 'sql -> runtime', 'vindex -> runtime'];
const MAX_LINES = 400;

/** What only src/runtime and src/cli may touch: the clock, chance, the environment, the terminal. */
const WORLDLY =
  /\bprocess\.(?:env|argv|exit|exitCode|stdin|stdout|stderr|hrtime)\b|\bDate\.now\b|\bMath\.random\b|\bnew Date\(\s*\)|\bperformance\.now\b|\bconsole\.|\brandomUUID\b|\brandomBytes\b/g;

/** The folder right below src; `lib` for src/version.ts, which stands alone. */
function layerOf(path: string): string {
  const parts = path.split('/');
  return parts.length > 2 ? parts[1]! : 'lib';
}

function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  const rank = (folder: string): number => LAYERS.findIndex((row) => row.includes(folder));
  return rank(to) > rank(from) && !FORBIDDEN.includes(`${from} -> ${to}`);
}

/** `a/x.ts -> b/y.ts` for each import, type imports and those at run time included, that goes the wrong way. */
function wrongImports(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    file.imports.flatMap(({ specifier }) => {
      const target = resolveImport(file.path, specifier);
      if (target === undefined || mayImport(layerOf(file.path), layerOf(target))) return [];
      return [`${file.path} -> ${target}`];
    }),
  );
}

function worldlyUses(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => !['runtime', 'cli'].includes(layerOf(file.path)))
    .flatMap((file) => Array.from(file.code.matchAll(WORLDLY), (match) => `${file.path}: ${match[0]}`));
}

/** Which files each file needs when it is loaded; type imports are gone by then. */
function loadGraph(files: readonly SourceFile[]): Map<string, string[]> {
  return new Map(
    files.map((file) => {
      const loaded = file.imports.filter((one) => one.kind === 'static');
      return [file.path, loaded.flatMap((one) => resolveImport(file.path, one.specifier) ?? [])];
    }),
  );
}

/** The packages that loading a file loads, through every file that it needs. */
function packagesOf(start: string, files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const graph = loadGraph(files);
  const reached = new Set([start]);
  for (const path of reached) for (const next of graph.get(path) ?? []) reached.add(next);
  const specifiers = [...reached].flatMap((path) => byPath.get(path)?.imports ?? []).filter((one) => one.kind === 'static');
  const packages = specifiers.map((one) => one.specifier).filter((specifier) => !/^(\.|node:)/.test(specifier));
  return [...new Set(packages)].toSorted();
}

describe('the source', () => {
  const files = readSources(ROOT, 'src');

  it('was found', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap((file) => file.imports).length).toBeGreaterThan(100);
  });

  it('lies in folders that have a place in the order', () => {
    const known = LAYERS.flat();
    expect([...new Set(files.map((file) => layerOf(file.path)))].filter((folder) => !known.includes(folder))).toEqual([]);
  });

  it('imports downwards only', () => {
    expect(wrongImports(files)).toEqual([]);
  });

  it('has no cycle of imports', () => {
    expect(findCycles(loadGraph(files))).toEqual([]);
  });

  it('names its imports in full', () => {
    const vague = files.flatMap((file) =>
      file.imports
        .filter((one) => one.specifier.startsWith('.') && !/\.(ts|json)$/.test(one.specifier))
        .map((one) => `${file.path}: ${one.specifier}`),
    );
    expect(vague).toEqual([]);
  });

  it('touches clock, chance, environment and terminal in runtime and cli only', () => {
    expect(worldlyUses(files)).toEqual([]);
  });

  it(`has no file of more than ${MAX_LINES} lines`, () => {
    const long = files.map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }));
    expect(long.filter((file) => file.lines > MAX_LINES)).toEqual([]);
  });

  it('lets no virtual time pass while it loads a module', () => {
    // A handler is waited for by whoever calls `load`; libraries of the terminal are not used beside a virtual clock.
    const bare = files.flatMap((file) =>
      file.text.split('\n').flatMap((line, index) => {
        const imports = /\bimport\(/.test(line) && !/^\s*(?:\/\/|\*)/.test(line);
        return imports && !/loading\(import\(|load: \(\) => import\(|import\('(?:chalk|ora)'\)/.test(line) ? [`${file.path}:${index + 1}`] : [];
      }),
    );
    expect(bare).toEqual([]);
  });

  it('starts without loading any package but commander', () => {
    const start = 'src/cli/main.ts';
    if (!existsSync(join(ROOT, start))) return;
    expect(packagesOf(start, files).filter((name) => name !== 'commander')).toEqual([]);
  });
});

describe('the rules themselves', () => {
  const file = parseSource;

  it('see every form of import', () => {
    const source = `
      import { a, type B } from './a.ts';
      import type { C } from "./c.ts";
      import './side-effect.ts';
      import D, {
        e,
      } from 'd';
      export * from './f.ts';
      export type { G } from './g.ts';
      // import './comment.ts';
      /* import './block.ts'; */
      const text = "import './string.ts'";
      const late = await import('./late.ts');
    `;
    expect(file('src/lib/x.ts', source).imports).toEqual([
      { specifier: './a.ts', kind: 'static' },
      { specifier: './c.ts', kind: 'type' },
      { specifier: './side-effect.ts', kind: 'static' },
      { specifier: 'd', kind: 'static' },
      { specifier: './f.ts', kind: 'static' },
      { specifier: './g.ts', kind: 'type' },
      { specifier: './late.ts', kind: 'dynamic' },
    ]);
  });

  it.each([
    ['topo', 'store', true],
    ['topo', 'topo', true],
    ['store', 'topo', false],
    ['workflow', 'tablet', true],
    ['workflow', 'gate', false],
    ['gate', 'workflow', false],
    ['tablet', 'gate', false],
    ['sql', 'vindex', false],
    ['vindex', 'sql', false],
    ['sql', 'runtime', false],
    ['vindex', 'runtime', false],
    ['sql', 'lib', true],
    ['runtime', 'sql', false],
    ['runtime', 'lib', true],
    ['scenario', 'cli', false],
    ['cli', 'lib', true],
  ])('%s may import %s: %s', (from, to, allowed) => {
    const source = file(`src/${from}/x.ts`, `import type { a } from '../${to}/deep/y.ts';`);
    expect(wrongImports([source])).toEqual(allowed ? [] : [`src/${from}/x.ts -> src/${to}/deep/y.ts`]);
  });

  it('see imports from deeper folders, and those at run time', () => {
    const source = file('src/topo/conn/x.ts', "const a = import('../../cli/main.ts'); import { b } from '../server.ts';");
    expect(wrongImports([source])).toEqual(['src/topo/conn/x.ts -> src/cli/main.ts']);
  });

  it('find cycles, but not through types', () => {
    const ring = (kind: string): SourceFile[] => [
      file('src/lib/a.ts', "import { b } from './b.ts';"),
      file('src/lib/b.ts', "import { c } from './c.ts';"),
      file('src/lib/c.ts', `import ${kind} { a } from './a.ts';`),
    ];
    expect(findCycles(loadGraph(ring('')))).toEqual([['src/lib/a.ts', 'src/lib/b.ts', 'src/lib/c.ts']]);
    expect(findCycles(loadGraph(ring('type')))).toEqual([]);
  });

  it.each([
    ['const a = process.env.HOME;', ['process.env']],
    ['const a = `${Date.now()}`;', ['Date.now']],
    ['return Math.random() + performance.now();', ['Math.random', 'performance.now']],
    ['new Date( ); new Date(0); new Date(x)', ['new Date( )']],
    ["console.log('x')", ['console.']],
    ["const quote = /'/; console.log(1); const other = /[/']/g;", ['console.']],
    ['// Date.now and console.log', []],
    ["const a = 'process.env'; /* Math.random */", []],
    ["import { a } from 'node:fs'; a.console;", []],
  ])('in %s they see %j', (code, expected) => {
    const uses = (folder: string): string[] => worldlyUses([file(`src/${folder}/x.ts`, code)]);
    expect(uses('topo')).toEqual(expected.map((use) => `src/topo/x.ts: ${use}`));
    expect(uses('runtime')).toEqual([]);
    expect(uses('cli')).toEqual([]);
  });

  it('follow packages through the files that are loaded', () => {
    const sources = [
      file('src/cli/main.ts', "import { a } from './a.ts'; import { c } from 'commander'; const d = import('./late.ts');"),
      file('src/cli/a.ts', "import { x } from 'chalk'; import { y } from 'node:fs'; import type { Z } from 'zod';"),
      file('src/cli/late.ts', "import ora from 'ora';"),
    ];
    expect(packagesOf('src/cli/main.ts', sources)).toEqual(['chalk']);
  });
});
