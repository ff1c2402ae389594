'use strict';
// Loads what scripts/bundle.js made. Compiling takes longer than most commands do, so V8's code was kept when the bundle was
// built (scripts/compile.js), for the Node it was built with; any other Node compiles, or keeps code of its own where it can.
const { existsSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const { Script } = require('node:vm');

const BUNDLE = join(__dirname, '../dist/bundle');
const CODE = join(BUNDLE, `code-${process.platform}-${process.arch}-${process.versions.v8}`);

/** By name: the exports, and the script they came from. */
const parts = new Map();

/** A part of the bundle by its file's name. With `compiling`, kept code is neither looked for nor used. */
function load(name, compiling = false) {
  const known = parts.get(name);
  if (known !== undefined) return known.module.exports;
  const filename = join(BUNDLE, name);
  const source = readFileSync(filename, 'utf8');
  // Code that this V8 does not take, because of other flags for one, is as good as none.
  const cachedData = compiling ? undefined : readCode(name);
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, { filename, cachedData });
  const module = { exports: {} };
  parts.set(name, { module, script });
  const requirePart = (id) => (id.startsWith('./') ? load(id.slice(2), compiling) : require(id));
  script.runInThisContext().call(module.exports, module.exports, requirePart, module, filename, BUNDLE);
  return module.exports;
}

function readCode(name) {
  try {
    return readFileSync(join(CODE, `${name}.bin`));
  } catch {
    return undefined;
  }
}

/** As `load`, the way that is fastest here. */
function loadFast(name) {
  if (existsSync(CODE)) return load(name);
  require('node:module').enableCompileCache?.();
  return require(join(BUNDLE, name));
}

module.exports = { load: loadFast, isBuilt: () => existsSync(join(BUNDLE, 'main.js')), compile: (name) => load(name, true), parts, BUNDLE, CODE };
