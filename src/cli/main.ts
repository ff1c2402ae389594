import { type Parsed, type ParsedRun, checkRequired, commandPath, parseArgv } from './argv.ts';
import { rootCommand } from './commands.ts';
import { withoutControls } from './controls.ts';
import { checkDeviations } from './deviations.ts';
import { type Io, isBrokenPipe } from './io.ts';
import { buildProgram, dispatch, helpOf } from './program.ts';
import { programOf, programWords } from './program-words.ts';
import { type ErrorContext, renderError } from './render-error.ts';
import { scanFlag } from './scan.ts';
import { withSignals, type WithSignals } from './signals.ts';
import type { CommandSpec, Handler, Invocation } from './spec.ts';
import { loading } from '../lib/loading.ts';
import type { Context } from '../runtime/context.ts';

/** What in-process callers and tests replace. */
export interface MainOptions {
  /** The command tree. */
  readonly root?: CommandSpec;
  /** Handed to handlers as `inv.host`. */
  readonly host?: unknown;
  readonly withSignals?: WithSignals;
  /** The context to run under. */
  readonly parent?: Context | undefined;
}

/**
 * Runs one command line (without the program's name) and resolves to its exit status. Never rejects: this is the
 * one place where errors end, as text on stderr.
 */
export async function main(argv: readonly string[], io: Io, options: MainOptions = {}): Promise<number> {
  const root = options.root ?? rootCommand;
  let context = contextBeforeParsing(argv);
  try {
    const warn = (line: string): void => io.stderr.write(`${withoutControls(line)}\n`);
    const version = new AskedVersion(argv, io, options.host);
    const { parsed, hardened } = await parse(root, argv, warn, version);
    if (parsed.kind !== 'run') return await answer(parsed, root, io);
    context = contextOf(parsed, context);
    return await (options.withSignals ?? withSignals)((signal) =>
      call(parsed, { io, signal, hardened, host: options.host, parent: options.parent, commandLine: argv }, version),
    );
  } catch (error) {
    if (isBrokenPipe(error)) return 0;
    return renderError(error, context, io);
  }
}

/** Prints help or the version. */
async function answer(parsed: Exclude<Parsed, ParsedRun>, root: CommandSpec, io: Io): Promise<number> {
  if (parsed.kind === 'version') {
    const { version } = await loading(import('../version.ts'));
    io.stdout.write(`switchtraffic version ${version}\n`);
  } else {
    io.stdout.write(helpOf(buildProgram(root, async () => {}), parsed.chain));
  }
  return 0;
}

type Surroundings = Pick<Invocation, 'io' | 'signal' | 'hardened' | 'host' | 'parent' | 'commandLine'>;

/** Cobra's last checks, in its order, and the command. */
async function call(parsed: ParsedRun, around: Surroundings, version: AskedVersion): Promise<number> {
  let exit = 0;
  await dispatch(parsed.chain, async (chain) => {
    const spec = chain.at(-1) as CommandSpec & { load: () => Promise<Handler> };
    const inv: Invocation = { ...around, path: commandPath(chain), spec, args: parsed.args, flags: parsed.flags };
    const handler = await loading(spec.load());
    await checkVersion(inv);
    handler.validate?.(inv);
    checkRequired(parsed);
    exit = await handler.run(await checkedInvocation(inv, version));
  });
  return exit;
}

/** An unknown Vitess version is refused before anything is done. Throws UserError. */
async function checkVersion(inv: Invocation): Promise<void> {
  const wanted = inv.flags.str('vitess-version') || inv.io.env['SWITCHTRAFFIC_VITESS_VERSION'];
  if (wanted === undefined || wanted === '') return;
  const { findRelease } = await loading(import('../lib/releases.ts'));
  findRelease(wanted);
}

/** Parses as `hardened`; what that refuses is parsed again as a release does if one is what the command runs as. */
async function parse(
  root: CommandSpec,
  argv: readonly string[],
  warn: (line: string) => void,
  version: AskedVersion,
): Promise<{ parsed: Parsed; hardened: boolean }> {
  const hardened = version.looksHardened;
  try {
    return { parsed: parseArgv(root, argv, { hardened, warn }), hardened };
  } catch (error) {
    if (!hardened || !(await version.isRelease())) throw error;
    return { parsed: parseArgv(root, argv, { hardened: false, warn }), hardened: false };
  }
}

/** The same for what the table of deviations refuses. */
async function checkedInvocation(inv: Invocation, version: AskedVersion): Promise<Invocation> {
  try {
    checkDeviations(inv);
    return inv;
  } catch (error) {
    if (!inv.hardened || !(await version.isRelease())) throw error;
    const asRelease = { ...inv, hardened: false };
    checkDeviations(asRelease);
    return asRelease;
  }
}

/** The version that a command runs as, as far as it is known before the cluster is open. */
class AskedVersion {
  readonly #argv: readonly string[];
  readonly #io: Io;
  readonly #host: unknown;
  readonly #asked: string;

  constructor(argv: readonly string[], io: Io, host: unknown) {
    this.#argv = argv;
    this.#io = io;
    this.#host = host;
    this.#asked = (scanFlag(argv, 'vitess-version') || io.env['SWITCHTRAFFIC_VITESS_VERSION'] || '').trim();
  }

  /** False only when a release is named on this line or in the environment. */
  get looksHardened(): boolean {
    return this.#asked === '' || /^v?hardened$/i.test(this.#asked);
  }

  /** True if nothing is named and the cluster itself is of a release. Looked up only when a mistake is to be judged. */
  async isRelease(): Promise<boolean> {
    if (this.#asked !== '') return !this.looksHardened;
    const { recordedRelease } = await loading(import('./recorded-release.ts'));
    return recordedRelease(scanFlag(this.#argv, 'state') ?? '.switchtraffic', this.#io.cwd, this.#host);
  }
}

function contextBeforeParsing(argv: readonly string[]): ErrorContext {
  return {
    family: 'vtctldclient',
    server: scanFlag(argv, 'server') ?? '',
    logFormat: scanFlag(argv, 'log-format'),
    verbose: argv.includes('--verbose'),
    program: programWords(scanFlag(argv, 'state')),
  };
}

function contextOf(parsed: ParsedRun, before: ErrorContext): ErrorContext {
  const { flags, chain } = parsed;
  return {
    family: chain.at(-1)?.family ?? before.family,
    server: flags.str('server'),
    logFormat: flags.given('log-format') ? flags.str('log-format') : undefined,
    verbose: flags.bool('verbose'),
    program: programOf(flags),
  };
}
