/** One output stream as a command sees it. */
export interface OutStream {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Width in characters; 0 when it is not known (some terminals do report 0). */
  readonly columns: number;
  /** The real stream below, for a library that must have one; absent in tests and in-process shells. */
  readonly raw?: NodeJS.WriteStream;
}

/** Everything a command may touch of the process it runs in. Nothing else in `src/cli` reads `process`. */
export interface Io {
  readonly stdout: OutStream;
  readonly stderr: OutStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Files that a command line names must lie in this folder (a scenario's own). Undefined: anywhere. */
  readonly within?: string;
  /** Wall clock, epoch milliseconds: for log lines only, the world has its own clock. */
  now(): number;
}

/** True for the error of writing to a pipe whose reader has gone. */
export function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED');
}

/** The real process. A reader that goes away (`| head`) is not an error: what is left to print is dropped. */
export function processIo(): Io {
  return {
    stdout: processStream(process.stdout),
    stderr: processStream(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    now: () => Date.now(),
  };
}

function processStream(stream: NodeJS.WriteStream): OutStream {
  let open = true;
  stream.on('error', (error) => {
    if (!isBrokenPipe(error)) throw error;
    open = false;
  });
  return {
    write: (text) => {
      if (open) stream.write(text);
    },
    get isTTY() {
      return stream.isTTY === true;
    },
    get columns() {
      return stream.columns ?? 0;
    },
    raw: stream,
  };
}
