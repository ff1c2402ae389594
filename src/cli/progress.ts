import type { Io } from './io.ts';

/** Shows, on stderr, which step of a long command is under way. */
export interface Progress {
  /** A step begins; the one before it, if still open, has ended well. */
  step(name: string): void;
  /** The open step has ended well. */
  done(): void;
  /** The open step has failed. */
  fail(): void;
}

export interface ProgressOptions {
  /** stdout carries a JSON document. */
  readonly json?: boolean;
  /** Nothing at all. */
  readonly quiet?: boolean;
  /** Colours allowed on stderr. */
  readonly color?: boolean;
}

/**
 * True where an animation works. Zero columns is a terminal too (ora divides by the width and never ends), and a
 * CI log keeps every frame.
 */
export function canAnimate(io: Io, options: ProgressOptions = {}): boolean {
  const { isTTY, columns, raw } = io.stderr;
  return isTTY && columns > 0 && raw !== undefined && !isCi(io.env) && options.json !== true;
}

function isCi(env: Io['env']): boolean {
  const value = env['CI'] ?? '';
  return value !== '' && value !== 'false' && value !== '0';
}

/** One line per finished step, or a spinner where one works. */
export async function createProgress(io: Io, options: ProgressOptions = {}): Promise<Progress> {
  if (options.quiet === true) return new Steps({ start: () => {}, end: () => {} });
  return new Steps(canAnimate(io, options) ? await animated(io, options) : plain(io));
}

/** How steps are drawn. */
interface Renderer {
  start(name: string): void;
  end(name: string, ok: boolean): void;
}

/** Keeps which step is open; a renderer draws it. */
class Steps implements Progress {
  readonly #renderer: Renderer;
  #open: string | undefined;

  constructor(renderer: Renderer) {
    this.#renderer = renderer;
  }

  step(name: string): void {
    this.#end(true);
    this.#open = name;
    this.#renderer.start(name);
  }

  done(): void {
    this.#end(true);
  }

  fail(): void {
    this.#end(false);
  }

  #end(ok: boolean): void {
    if (this.#open === undefined) return;
    this.#renderer.end(this.#open, ok);
    this.#open = undefined;
  }
}

function plain(io: Io): Renderer {
  return {
    start: () => {},
    end: (name, ok) => io.stderr.write(`${ok ? 'ok    ' : 'failed'} ${name}\n`),
  };
}

async function animated(io: Io, options: ProgressOptions): Promise<Renderer> {
  const { default: ora } = await import('ora');
  const stream = io.stderr.raw as NodeJS.WriteStream;
  // discardStdin would take Ctrl-C away from our own signal handling.
  const plainText = options.color === false;
  const spinner = ora({ stream, discardStdin: false, ...(plainText ? { color: false } : {}) });
  return {
    start: (name) => void spinner.start(name),
    end: (_name, ok) => {
      // ora's own marks are coloured whatever it was told.
      if (plainText) spinner.stopAndPersist({ symbol: ok ? '✔' : '✖' });
      else if (ok) spinner.succeed();
      else spinner.fail();
    },
  };
}
