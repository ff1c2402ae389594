import { rootCommand } from './commands.ts';
import { programOf } from './program-words.ts';
import type { Invocation } from './spec.ts';

/** How a command of Vitess's begins where it is printed to be taken elsewhere too; on a laptop it is an alias or a link to this program. */
const CLIENT = 'vtctldclient';

/** Command lines without a program's name, as they are typed for the cluster that these flags point at. */
export function typedLine(flags: Invocation['flags']): (line: string) => string {
  const own = new Set((rootCommand.subcommands ?? []).filter(({ family }) => family === 'own').map(({ name }) => name));
  const program = programOf(flags);
  const client = programOf(flags, CLIENT);
  return (line) => `${own.has(line.split(' ', 1)[0]!) ? program : client} ${line}`;
}
