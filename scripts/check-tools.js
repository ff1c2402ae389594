// Before an install: SQLite's binding is compiled where no prebuilt binary can be fetched. Says in one line what is missing for
// that, since npm's own words for it fill pages. Never fails: the binary may be there to fetch.
import { spawnSync } from 'node:child_process';

const has = (tool) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).error === undefined;
const missing = [
  ...(has('python3') ? [] : ['python3']),
  ...(has('make') ? [] : ['make']),
  ...(['g++', 'c++', 'clang++'].some(has) ? [] : ['a C++ compiler']),
];
if (process.platform !== 'win32' && missing.length > 0) {
  process.stderr.write(`switchtraffic: ${missing.join(', ')} not found; where no prebuilt SQLite binary can be fetched the install needs it (apt-get install python3 make g++)\n`);
}
