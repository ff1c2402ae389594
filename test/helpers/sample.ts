const { MODE } = (import.meta as unknown as { env: { MODE: string } }).env;

/** True for `npm run test:all`, which leaves nothing out but what `--mode every` is for. */
export const WHOLE = MODE === 'all' || MODE === 'every';

/**
 * A stated sample of many cases for `npm test`: every `nth` of them, beginning with the first; in `npm run test:all` every `whole`th,
 * which is all of them but where that takes hours; in `vitest run --mode every` all. A prime number meets every member of a product of
 * lists sooner or later.
 */
export function sample<T>(items: readonly T[], nth: number, whole = 1): T[] {
  const step = MODE === 'every' ? 1 : WHOLE ? whole : nth;
  return items.filter((_, index) => index % step === 0);
}
