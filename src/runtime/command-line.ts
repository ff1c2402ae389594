import { contextKey } from './context.ts';

/** The command line that a call comes from, without the program's name and what every command takes: to be told how it is run again. */
export const COMMAND_LINE = contextKey<string>('commandLine');
