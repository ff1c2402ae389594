let pending = 0;

/**
 * Waits for a module. Loading takes real time, which is nobody's time on a virtual clock: it stands still meanwhile, or
 * what sleeps beside the load would run ahead by as much as the disk happens to be slow.
 */
export async function loading<T>(module: Promise<T>): Promise<T> {
  pending++;
  try {
    return await module;
  } finally {
    pending--;
  }
}

/** True while a module is being loaded. */
export function isLoading(): boolean {
  return pending > 0;
}
