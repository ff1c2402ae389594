#!/usr/bin/env node
'use strict';
const { isBuilt, load } = require('./load.js');

function fail(text) {
  process.stderr.write(`switchtraffic: ${text}\n`);
  process.exitCode = 1;
}

async function start(argv) {
  if (Number.parseInt(process.versions.node, 10) < 20) return fail(`needs Node 20 or newer, this is ${process.versions.node}`);
  if (!isBuilt()) return fail('not built: run `npm run build`');
  if (argv.length === 1 && argv[0] === '--version') return void process.stdout.write(`switchtraffic version ${load('version.js').version}\n`);
  try {
    const { main } = load('main.js');
    process.exitCode = await main(argv, load('io.js').processIo());
  } catch (error) {
    fail(error.code === 'MODULE_NOT_FOUND' ? `${error.message.split('\n', 1)[0]}: run \`npm install\`` : error.stack);
  }
}

void start(process.argv.slice(2));
