/** True for `npm run test:all`, which leaves nothing out. */
export const WHOLE = (import.meta as unknown as { env: { MODE: string } }).env.MODE === 'all';

/**
 * A stated sample of many cases for `npm test`: every `nth` of them, beginning with the first; all of them in `npm run test:all`.
 * A prime `nth` meets every member of a product of lists sooner or later.
 */
export function sample<T>(items: readonly T[], nth: number): T[] {
  return WHOLE ? [...items] : items.filter((_, index) => index % nth === 0);
}
