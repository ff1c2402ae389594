// Installs and builds what is missing, so that one command is enough on a fresh clone. Plain JavaScript: nothing is built yet.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const binding = join(root, 'node_modules/better-sqlite3/build/Release/better_sqlite3.node');

function run(what, command, args) {
  process.stderr.write(`${what}\n`);
  const npm = process.platform === 'win32' ? `${command}.cmd` : command;
  const done = spawnSync(npm, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (done.status === 0) return;
  const said = `${done.stdout ?? ''}${done.stderr ?? ''}`;
  if (/gyp|node-gyp|g\+\+|make/.test(said) && !existsSync(binding)) {
    process.stderr.write('SQLite could not be built: it needs python3, make and a C++ compiler (apt-get install python3 make g++)\n');
  } else {
    process.stderr.write(`${said.trim().split('\n').slice(-15).join('\n')}\n`);
  }
  process.exit(1);
}

if (!existsSync(binding)) run('installing (a minute; SQLite may be compiled) ...', 'npm', ['install', '--no-audit', '--no-fund']);
if (!existsSync(join(root, 'dist/bundle/main.js'))) run('building ...', 'npm', ['run', '--silent', 'build']);
