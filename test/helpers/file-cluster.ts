import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type ClusterHost, fileHost } from '../../src/cli/host.ts';
import { makeShell, type ShellResult } from '../../src/cli/shell.ts';
import { VirtualMachine } from '../../src/runtime/world.ts';
import { words } from './shell.ts';

/** A cluster in a folder, on a virtual clock, and a shell to run command lines against it. */
export interface FileCluster {
  folder: string;
  host: ClusterHost;
  machine: VirtualMachine;
  run(line: string): Promise<ShellResult>;
  ok(line: string): Promise<string>;
}

/** The cluster in a folder; `init` it if it is empty. Relative names on its command lines count from `cwd`. */
export function fileCluster(folder: string, cwd = folder, machine = new VirtualMachine(1)): FileCluster {
  let died = (): void => {};
  const host = fileHost(folder, '.', () => machine.world(() => died()));
  const shell = makeShell(host, { cwd, died: () => new Promise((resolve) => (died = resolve)) });
  const run = (line: string): Promise<ShellResult> => shell(words(line));
  return {
    folder,
    host,
    machine,
    run,
    ok: async (line) => {
      const result = await run(line);
      if (result.exit !== 0) throw new Error(`${line}\nexit ${result.exit}\n${result.stdout}${result.stderr}`);
      return result.stdout;
    },
  };
}

/** A copy of a folder of a cluster that nobody has open. */
export function copyOf(folder: string, to: string): string {
  cpSync(folder, to, { recursive: true });
  return to;
}

/** Every file below a folder, by its name, with its contents as a hash: what has to be the same where nothing was changed. */
export function filesBelow(folder: string): Record<string, string> {
  if (!existsSync(folder)) return {};
  const names = (readdirSync(folder, { recursive: true }) as string[]).filter((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile() === true);
  return Object.fromEntries(names.toSorted().map((name) => [name, createHash('sha256').update(readFileSync(join(folder, name))).digest('hex')]));
}
