/** Cases that are told in words: each by its id, with the test that holds it. */
export const byHand: ReadonlyMap<string, () => void | Promise<void>> = new Map();
