#!/usr/bin/env node
import { existsSync } from 'node:fs';
import module from 'node:module';

const entry = new URL('../dist/bundle/main.js', import.meta.url);
const fail = (text) => {
  process.stderr.write(`switchtraffic: ${text}\n`);
  process.exitCode = 1;
};

if (Number.parseInt(process.versions.node, 10) < 20) fail(`needs Node 20 or newer, this is ${process.versions.node}`);
else if (!existsSync(entry)) fail('not built: run `npm run build`');
else if (process.argv.length === 3 && process.argv[2] === '--version') {
  const { version } = await import('../dist/bundle/version.js');
  process.stdout.write(`switchtraffic version ${version}\n`);
} else {
  module.enableCompileCache?.();
  await Promise.all([import(entry), import('../dist/bundle/io.js')]).then(
    async ([{ main }, { processIo }]) => {
      process.exitCode = await main(process.argv.slice(2), processIo());
    },
    (error) => fail(error.code === 'ERR_MODULE_NOT_FOUND' ? `${error.message}: run \`npm install\`` : error.stack),
  );
}
