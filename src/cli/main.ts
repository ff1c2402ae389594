import { type Parsed, type ParsedRun, checkRequired, commandPath, parseArgv } from './argv.ts';
import { rootCommand } from './commands.ts';
import { withoutControls } from './controls.ts';
import { checkDeviations } from './deviations.ts';
import { type Io, isBrokenPipe } from './io.ts';
import { buildProgram, dispatch, helpOf } from './program.ts';
import { type ErrorContext, renderError } from './render-error.ts';
import { scanFlag } from './scan.ts';
import { withSignals, type WithSignals } from './signals.ts';
import type { CommandSpec, Handler, Invocation } from './spec.ts';

/** What in-process callers and tests replace. */
export interface MainOptions {
  /** The command tree. */
  readonly root?: CommandSpec;
  /** Handed to handlers as `inv.host`. */
  readonly host?: unknown;
  readonly withSignals?: WithSignals;
}

/**
 * Runs one command line (without the program's name) and resolves to its exit status. Never rejects: this is the
 * one place where errors end, as text on stderr.
 */
export async function main(argv: readonly string[], io: Io, options: MainOptions = {}): Promise<number> {
  const root = options.root ?? rootCommand;
  let context = contextBeforeParsing(argv);
  try {
    const hardened = looksHardened(argv, io);
    const warn = (line: string): void => io.stderr.write(`${withoutControls(line)}\n`);
    const parsed = parseArgv(root, argv, { hardened, warn });
    if (parsed.kind !== 'run') return await answer(parsed, root, io);
    context = contextOf(parsed, context);
    return await (options.withSignals ?? withSignals)((signal) => call(root, parsed, { io, signal, hardened, host: options.host, commandLine: argv }));
  } catch (error) {
    if (isBrokenPipe(error)) return 0;
    return renderError(error, context, io);
  }
}

/** Prints help or the version. */
async function answer(parsed: Exclude<Parsed, ParsedRun>, root: CommandSpec, io: Io): Promise<number> {
  if (parsed.kind === 'version') {
    const { version } = await import('../version.ts');
    io.stdout.write(`switchtraffic version ${version}\n`);
  } else {
    io.stdout.write(helpOf(buildProgram(root, async () => {}), parsed.chain));
  }
  return 0;
}

type Surroundings = Pick<Invocation, 'io' | 'signal' | 'hardened' | 'host' | 'commandLine'>;

/** Cobra's last checks, in its order, and the command. */
async function call(root: CommandSpec, parsed: ParsedRun, around: Surroundings): Promise<number> {
  let exit = 0;
  const program = buildProgram(root, async (chain) => {
    const spec = chain.at(-1) as CommandSpec & { load: () => Promise<Handler> };
    const inv: Invocation = { ...around, path: commandPath(chain), spec, args: parsed.args, flags: parsed.flags };
    const handler = await spec.load();
    await checkVersion(inv);
    handler.validate?.(inv);
    checkRequired(parsed);
    checkDeviations(inv);
    exit = await handler.run(inv);
  });
  await dispatch(program, parsed.chain);
  return exit;
}

/** An unknown Vitess version is refused before anything is done. Throws UserError. */
async function checkVersion(inv: Invocation): Promise<void> {
  const wanted = inv.flags.str('vitess-version') || inv.io.env['SWITCHTRAFFIC_VITESS_VERSION'];
  if (wanted === undefined || wanted === '') return;
  const { findRelease } = await import('../lib/releases.ts');
  findRelease(wanted);
}

/**
 * False when a Vitess release is asked for on this line or in the environment. The cluster's own version does not
 * count here: it is known only once the state is open, and letting a mistake pass takes an explicit wish.
 */
function looksHardened(argv: readonly string[], io: Io): boolean {
  const wanted = scanFlag(argv, 'vitess-version') || io.env['SWITCHTRAFFIC_VITESS_VERSION'] || 'hardened';
  return /^v?hardened$/i.test(wanted.trim());
}

function contextBeforeParsing(argv: readonly string[]): ErrorContext {
  return {
    family: 'vtctldclient',
    server: scanFlag(argv, 'server') ?? '',
    logFormat: scanFlag(argv, 'log-format'),
    verbose: argv.includes('--verbose'),
  };
}

function contextOf(parsed: ParsedRun, before: ErrorContext): ErrorContext {
  const { flags, chain } = parsed;
  return {
    family: chain.at(-1)?.family ?? before.family,
    server: flags.str('server'),
    logFormat: flags.given('log-format') ? flags.str('log-format') : undefined,
    verbose: flags.bool('verbose'),
  };
}
