/**
 * Runs a command so that it can be told to stop. The signal it gets is aborted when the process is.
 *
 * The hook that `main` calls around every command; in-process shells hand in their own.
 */
export type WithSignals = (body: (signal: AbortSignal) => Promise<number>) => Promise<number>;

/** Never aborts: what an in-process shell uses. */
export const withoutSignals: WithSignals = (body) => body(new AbortController().signal);

const endsWell = new WeakSet<AbortSignal>();

/** Says that Ctrl-C is how a command is meant to end: its status is then the command's own. */
export function ctrlCEndsIt(signal: AbortSignal): void {
  endsWell.add(signal);
}

const STATUS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * The hook of the real command line. The first signal ends the command's context: what it holds is rolled back and
 * released. A second one leaves at once.
 */
export const withSignals: WithSignals = async (body) => {
  const controller = new AbortController();
  let status: number | undefined;
  const stop = (name: keyof typeof STATUS): void => {
    if (status !== undefined) process.exit(STATUS[name]);
    status = STATUS[name];
    process.stderr.write(`switchtraffic: ${name}: stopping; once more leaves at once\n`);
    controller.abort();
  };
  const names = Object.keys(STATUS) as (keyof typeof STATUS)[];
  const listeners = names.map((name) => ({ name, listener: () => stop(name) }));
  for (const { name, listener } of listeners) process.on(name, listener);
  try {
    const exit = await body(controller.signal);
    return status === STATUS.SIGINT && endsWell.has(controller.signal) ? exit : (status ?? exit);
  } catch (error) {
    // What the command has to say is still said; only its status is the signal's.
    if (status !== undefined) process.once('exit', () => (process.exitCode = status));
    throw error;
  } finally {
    for (const { name, listener } of listeners) process.off(name, listener);
  }
};

/** Calls `fn` on SIGUSR2, with which a `pause` is released from another terminal. Returns how to stop listening. */
export function onReleaseSignal(fn: () => void): () => void {
  // Windows has no such signal, and says so when asked to listen for it.
  if (process.platform === 'win32') return () => {};
  process.on('SIGUSR2', fn);
  return () => void process.off('SIGUSR2', fn);
}
