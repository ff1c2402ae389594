import type { ArgsSpec, CommandSpec, FlagSpec } from '../spec.ts';

/** Short forms for the tables of commands. */

/** No positional arguments. */
export const noArgs: ArgsSpec = { min: 0, max: 0, usage: '' };

/** Exactly these positional arguments: `exactly('<alias>')`. */
export function exactly(...names: string[]): ArgsSpec {
  return { min: names.length, max: names.length, usage: names.join(' ') };
}

type Given = Pick<CommandSpec, 'name' | 'about'> & Partial<Omit<CommandSpec, 'family'>>;

/** A command of vtctldclient. No aliases, examples, flags or arguments unless said. */
export function vtctldclientCommand(given: Given): CommandSpec {
  return { aliases: [], examples: [], flags: [], args: noArgs, family: 'vtctldclient', ...given };
}

/** A command of ours. */
export function ownCommand(given: Given): CommandSpec {
  return { aliases: [], examples: [], flags: [], args: noArgs, family: 'own', ...given };
}

/** `start` and `stop` of a kind of workflow; `workflow` is how its commands begin in an example. */
export function startAndStop(workflow: string, flags: readonly FlagSpec[] = []): CommandSpec[] {
  return (['start', 'stop'] as const).map((name) =>
    vtctldclientCommand({
      name,
      aliases: [name === 'start' ? 'Start' : 'Stop'],
      about: `${name} the workflow's streams`,
      examples: [`${workflow} ${name}`],
      flags,
      load: () => import('../commands/movetables-start-stop.ts'),
    }),
  );
}
