// Asks an application process.
import { fork } from 'node:child_process';

/** Starts one; `ask` rejects with what went wrong there, and when it ends by itself. */
export function startApplication() {
  const child = fork(new URL('application.js', import.meta.url), { execArgv: [] });
  let waiting;
  child.on('message', ({ answer, failure }) => {
    const { resolve, reject } = waiting;
    if (failure === undefined) resolve(answer);
    else reject(new Error(`the application: ${failure}`));
  });
  child.on('exit', (exit, signal) => waiting?.reject(new Error(`the application ended by itself: ${exit ?? signal}`)));
  return {
    ask: (question, order) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        child.send({ question, order });
      }),
    end: () => child.disconnect(),
  };
}
