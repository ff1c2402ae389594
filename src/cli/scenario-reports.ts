import { accessSync, appendFileSync, constants, realpathSync, renameSync, rmSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { errorText, UserError } from '../lib/errors.ts';
import { loading } from '../lib/loading.ts';
import { suggest } from '../lib/suggest.ts';
import type { RunResult } from '../report/scenario/result.ts';
import { inputPath } from './input-path.ts';
import type { Io } from './io.ts';
import type { Invocation } from './spec.ts';

type Render = (run: RunResult, io: Io) => string;

/** The kinds of report; each renderer is loaded when it is asked for. */
const KINDS: Readonly<Record<string, () => Promise<Render>>> = {
  junit: async () => (await loading(import('../report/scenario/junit.ts'))).renderJunit,
  tap: async () => (await loading(import('../report/scenario/tap.ts'))).renderTap,
  json: async () => (await loading(import('../report/scenario/json.ts'))).renderJson,
  github: async () => {
    const { renderGithub } = await loading(import('../report/scenario/github.ts'));
    return (run, io) => renderGithub(run, (file) => fromRepository(io, file));
  },
};

/** Reports that were asked for. */
export interface Reports {
  /** True when one of them is the answer on stdout: nothing else may be printed there. */
  readonly stdout: boolean;
  /** True when one of them tells the trace of each run. */
  readonly traced: boolean;
  /** Writes them all. Throws UserError for one that cannot be written, when the others are. */
  write(run: RunResult): Promise<void>;
}

interface Report {
  kind: string;
  /** As typed. */
  name: string;
  /** Undefined is stdout. */
  path: string | undefined;
}

/**
 * Reports asked for by `--report KIND=FILE`; `-` is stdout. Throws UserError, before anything has run, for what could not
 * be written afterwards. `inputs` are the files that are read: none of them is overwritten.
 */
export function openReports(inv: Invocation, inputs: readonly string[]): Reports {
  const { io } = inv;
  const reports = inv.flags.strings('report').map((text) => readReport(io, text));
  const stdout = reports.filter(({ path }) => path === undefined);
  if (stdout.length > 1) throw refused('two reports on stdout would mix', 'give all but one a file');
  if (stdout.length === 1 && inv.flags.str('format') === 'json') throw refused('--format json and a report on stdout would mix', 'give the report a file, or leave --format out');
  const files = reports.flatMap(({ path }) => path ?? []);
  const twice = reports.find(({ path }, index) => path !== undefined && files.indexOf(path) !== files.lastIndexOf(path) && index > 0);
  if (twice !== undefined) throw refused(`two reports would be written to ${twice.name}`);
  for (const report of reports) checkWritable(io, report, inputs);
  return {
    stdout: stdout.length > 0,
    traced: reports.some(({ kind }) => kind === 'json'),
    write: async (run) => {
      let failure: unknown;
      for (const report of reports) {
        try {
          await writeReport(io, report, run);
        } catch (error) {
          failure ??= error;
        }
      }
      if (failure !== undefined) throw failure;
    },
  };
}

function readReport(io: Io, text: string): Report {
  const equals = text.indexOf('=');
  const kind = equals < 0 ? text : text.slice(0, equals);
  const name = equals < 0 ? '' : text.slice(equals + 1);
  if (!Object.hasOwn(KINDS, kind)) {
    const near = suggest(kind, Object.keys(KINDS));
    const hint = near === undefined ? '' : ` (did you mean "${near}"?)`;
    throw refused(`there is no report "${kind}"${hint}`, `--report KIND=FILE; kinds: ${Object.keys(KINDS).join(', ')}`);
  }
  if (name === '') throw refused(`--report ${kind} has no file`, `--report ${kind}=FILE, or --report ${kind}=- for stdout`);
  return { kind, name, path: name === '-' ? undefined : target(inputPath(io, name)) };
}

/** The file behind a link, so that renaming over it does not replace the link. What is not a file has no other name. */
function target(path: string): string {
  return statOf(path)?.isFile() === true ? realpathSync(path) : path;
}

function checkWritable(io: Io, { name, path }: Report, inputs: readonly string[]): void {
  if (path === undefined) return;
  const stat = statOf(path);
  if (stat?.isDirectory() === true) throw refused(`the report ${name} is a folder`, `name a file in it: ${join(name, 'results')}`);
  if (inputs.some((input) => target(resolve(io.cwd, input)) === path)) throw refused(`the report ${name} would overwrite a scenario`);
  if (stat === undefined && statOf(dirname(path))?.isDirectory() !== true) {
    throw refused(`the report ${name} cannot be written: there is no folder ${dirname(name)}`, `mkdir -p ${dirname(name)}`);
  }
  try {
    if (stat !== undefined) accessSync(path, constants.W_OK);
    // A file is replaced, for which its folder has to be writable; a pipe or a device is not.
    if (stat === undefined || stat.isFile()) accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    throw refused(`the report ${name} cannot be written: ${errorText(error)}`);
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

async function writeReport(io: Io, { kind, name, path }: Report, run: RunResult): Promise<void> {
  const render = await KINDS[kind]!();
  const text = render(run, io);
  if (path === undefined) io.stdout.write(text);
  else {
    try {
      replaceFile(path, text);
    } catch (error) {
      throw refused(`the report ${name} could not be written: ${errorText(error)}`);
    }
  }
  if (kind === 'github') await addToSummary(io, run);
}

/** Whoever reads the file sees the old one or the new one, never a half. */
function replaceFile(path: string, text: string): void {
  const stat = statOf(path);
  if (stat !== undefined && !stat.isFile()) {
    writeFileSync(path, text);
    return;
  }
  const temporary = join(dirname(path), `.${basename(path).slice(0, 100)}.${process.pid}.tmp`);
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** The page that GitHub shows of a job. That it cannot be written fails no run. */
async function addToSummary(io: Io, run: RunResult): Promise<void> {
  const page = io.env['GITHUB_STEP_SUMMARY'] ?? '';
  if (page === '') return;
  const { renderStepSummary } = await loading(import('../report/scenario/github.ts'));
  try {
    appendFileSync(page, renderStepSummary(run));
  } catch (error) {
    io.stderr.write(`warning: the step summary could not be written: ${errorText(error)}\n`);
  }
}

/** GitHub counts the paths of annotations from the root of the repository. */
function fromRepository(io: Io, file: string): string {
  const root = io.env['GITHUB_WORKSPACE'] ?? '';
  return root === '' ? file : relative(root, resolve(io.cwd, file));
}

function refused(text: string, next?: string): UserError {
  return new UserError(text, { exit: 2, ...(next === undefined ? {} : { next }) });
}
