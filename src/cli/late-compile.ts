import { setFlagsFromString } from 'node:v8';

/**
 * How much a function runs, in bytes of bytecode, until V8 thinks of optimizing it: three times what V8 takes. A process that runs
 * scenarios calls thousands of functions a few hundred times each; optimizing those takes a quarter of its time and never pays.
 */
const INTERRUPT_BUDGET = 400_000;

/** Has V8 optimize later from here on. What is loaded after that is compiled anew: V8's kept code goes by its flags. */
export function compileLater(): void {
  setFlagsFromString(`--interrupt-budget=${INTERRUPT_BUDGET}`);
}
