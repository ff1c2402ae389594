import { InvariantError, UserError } from '../../lib/errors.ts';
import { printedCommands } from '../../report/printed-commands.ts';
import { VirtualMachine } from '../../runtime/world.ts';
import { type Beat, DEMO } from '../demo-script.ts';
import { type ClusterHost, fileHost, memoryHost } from '../host.ts';
import { colorLevel, createPaint, type Paint } from '../paint.ts';
import { makeShell, type Shell, type ShellResult } from '../shell.ts';
import type { Invocation } from '../spec.ts';

/**
 * Shows a cutover that fails, twice, in a world of its own: real commands, real rows, on a virtual clock, so that
 * waiting costs nothing.
 */
export async function run(inv: Invocation): Promise<number> {
  const { io, flags } = inv;
  const paint = await createPaint(colorLevel(io.stdout, flags, io.env));
  const shell = makeShell(openHost(inv));
  let last: ShellResult = { exit: 0, stdout: '', stderr: '' };
  for (const beat of DEMO) {
    if (inv.signal.aborted) return 130;
    last = await play(inv, paint, shell, beat, last);
  }
  const keep = flags.str('keep');
  const look = keep === '' ? '' : ` The cluster is in ${keep}: switchtraffic --state ${keep} show keyspace`;
  io.stdout.write(`\nThat was the whole of it.${look}\n`);
  if (keep === '') io.stdout.write('Your own turn: switchtraffic init commerce\n');
  return 0;
}

const RECOVERY_OUTPUT = /denied_tables|tablet_controls|^ {8}"|Refreshed|summary|: ok/;

function openHost(inv: Invocation): ClusterHost {
  const machine = new VirtualMachine();
  const keep = inv.flags.str('keep');
  if (keep === '') return memoryHost(machine);
  const host = fileHost(keep, inv.io.cwd, () => machine.world());
  if (host.exists()) {
    throw new UserError(`there is a cluster in ${host.place} already`, { next: 'name another folder with --keep', exit: 2 });
  }
  // Each act begins with a cluster of its own; what an interrupted one left is not in its way.
  host.reset();
  return host;
}

async function play(inv: Invocation, paint: Paint, shell: Shell, beat: Beat, last: ShellResult): Promise<ShellResult> {
  const { stdout } = inv.io;
  switch (beat.kind) {
    case 'act':
      stdout.write(`\n${paint.bold(`── ${beat.title} ──`)}\n`);
      return last;
    case 'say':
      stdout.write(`\n${beat.text}\n`);
      return last;
    case 'recover': {
      // The records that these commands print are long; what changed is enough here.
      for (const line of printedCommands(last.stderr)) await show(inv, paint, shell, line.split(' '), 0, RECOVERY_OUTPUT);
      return last;
    }
    case 'run': {
      const result = await show(inv, paint, shell, beat.line, beat.exit, beat.keep);
      // What has to be recovered was printed by the command that failed, not by those that looked at it.
      return result.stderr.includes('next: let writes flow again') ? result : last;
    }
  }
}

async function show(
  inv: Invocation,
  paint: Paint,
  shell: Shell,
  line: readonly string[],
  exit: number,
  keep?: RegExp,
): Promise<ShellResult> {
  const { stdout } = inv.io;
  stdout.write(`\n${paint.cyan(`$ switchtraffic ${line.map(quoteWord).join(' ')}`)}\n`);
  const result = await shell(line);
  const kept = (text: string): string[] => text.split('\n').filter((part) => part !== '' && (keep === undefined || keep.test(part)));
  for (const part of kept(result.stdout)) stdout.write(`${part}\n`);
  for (const part of kept(result.stderr)) stdout.write(`${result.exit === 0 ? paint.dim(part) : emphasise(paint, part)}\n`);
  if (result.exit !== exit) throw new InvariantError(`the demo expected exit ${exit} and got ${result.exit}: ${result.stderr}`);
  return result;
}

/** The lines that matter to whoever is woken up by them. */
function emphasise(paint: Paint, line: string): string {
  if (/REFUSED|STRANDED|disallowed|is not locked|still are/.test(line)) return paint.red(line);
  return line;
}

function quoteWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return word.includes("'") ? `"${word}"` : `'${word}'`;
}
