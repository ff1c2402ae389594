import { UserError } from '../../lib/errors.ts';
import { FileError } from '../../report/input/place.ts';
import { visibleLine } from '../../report/visible.ts';
import { printFacts } from '../facts-output.ts';
import { outputFormat } from '../flags.ts';
import { isInput, kindOfFile } from '../input-kinds.ts';
import { scenarioRigs } from '../rig.ts';
import { filesNamed, readInputText } from '../scenario-files.ts';
import type { Invocation } from '../spec.ts';

/** What is wrong with a file; null stands for nothing. */
interface Finding {
  file: string;
  kind: string;
  problem: { line: number | null; column: number | null; text: string; next: string | null } | null;
}

/** Checks files without running them. Its answer is the list: it stands on stdout. */
export async function run(inv: Invocation): Promise<number> {
  const { io } = inv;
  const format = outputFormat(inv);
  const rigs = scenarioRigs(() => io.now());
  const files = filesNamed(io.cwd, inv.args, (path) => isInput(io.cwd, path));
  const findings = files.map((file) => lint(file, () => {
    const text = readInputText(io.cwd, file);
    const kind = kindOfFile(file, text);
    return { kind: kind.name, check: () => kind.check(rigs, io.cwd, file, text) };
  }));
  const bad = findings.filter(({ problem }) => problem !== null);
  if (format === 'json') printFacts(inv, { version: 1, files: findings });
  else io.stdout.write([...bad.flatMap(lines), summary(findings.length, bad.length)].map((line) => `${line}\n`).join(''));
  return bad.length === 0 ? 0 : 2;
}

function lint(file: string, open: () => { kind: string; check: () => void }): Finding {
  let kind = 'scenario';
  try {
    const opened = open();
    kind = opened.kind;
    opened.check();
    return { file, kind, problem: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const next = error.next ?? null;
    if (!(error instanceof FileError)) return { file, kind, problem: { line: null, column: null, text: error.message, next } };
    const { line, column } = error.place;
    return { file, kind, problem: { line, column, text: error.problem, next } };
  }
}

function lines({ file, problem }: Finding): string[] {
  if (problem === null) return [];
  const { line, column, text, next } = problem;
  const place = line === null ? '' : `${file}:${line}:${column}: `;
  return [visibleLine(`${place}${text}`), ...(next === null ? [] : [`  ${visibleLine(next)}`])];
}

function summary(files: number, bad: number): string {
  const all = files === 1 ? '1 file' : `${files} files`;
  return bad === 0 ? `${all}, nothing wrong` : `${all}, ${bad} with a problem`;
}
