import { notBuiltYet } from './not-built-yet.ts';

export const run = notBuiltYet;
