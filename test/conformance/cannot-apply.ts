/** Cases that say nothing of what this program does, and why. */
export const CANNOT_APPLY: Readonly<Record<string, string>> = {};
