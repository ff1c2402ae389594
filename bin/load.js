'use strict';
// Loads what scripts/bundle.js made. Compiling takes longer than most commands do, so V8's code was kept when the bundle was
// built (scripts/compile.js), for the Node it was built with; any other Node compiles, or keeps code of its own where it can.
const { existsSync, openSync, readFileSync, readSync } = require('node:fs');
const { join } = require('node:path');
const { setFlagsFromString } = require('node:v8');
const { Script } = require('node:vm');

/**
 * How much of a function is run, in bytes, until V8 thinks of optimizing it: three times what it takes by itself. A command ends
 * before that pays, and of a run of a hundred scenarios it would be a quarter of the work. Set before anything is compiled, here and
 * where the kept code is made: V8 takes only code that was made with the same flags.
 */
setFlagsFromString('--interrupt-budget=400000');

const BUNDLE = join(__dirname, '../dist/bundle');
/**
 * Every part of the bundle with its code, in one file: opening two for each takes longer than reading them. It begins with the
 * length of an index, in so many digits; the index says where each part is, counted from its own end.
 */
const KEPT = join(BUNDLE, `kept-${process.platform}-${process.arch}-${process.versions.v8}.bin`);
const LENGTH_DIGITS = 8;

/** Scripts and modules by the names of the parts, as far as they were loaded. */
const loaded = new Map();
let kept;

/** A part of the bundle by its file's name, the way that is fastest here. */
function load(name) {
  kept ??= openKept();
  if (kept === 'none') return require(join(BUNDLE, name));
  return loaded.get(name)?.module.exports ?? run(name, scriptKept(name), load);
}

/** The same, from the sources. */
function compile(name) {
  return loaded.get(name)?.module.exports ?? run(name, scriptOf(name, readFileSync(join(BUNDLE, name), 'utf8')), compile);
}

/** Code that this V8 does not take, because of other flags for one, is as good as none. */
function scriptOf(name, source, cachedData) {
  return new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, { filename: join(BUNDLE, name), cachedData });
}

function run(name, script, next) {
  const module = { exports: {} };
  loaded.set(name, { module, script });
  const requirePart = (id) => (id.startsWith('./') ? next(id.slice(2)) : require(id));
  script.runInThisContext().call(module.exports, module.exports, requirePart, module, join(BUNDLE, name), BUNDLE);
  return module.exports;
}

function openKept() {
  let file;
  try {
    file = openSync(KEPT, 'r');
  } catch {
    require('node:module').enableCompileCache?.();
    return 'none';
  }
  const length = Number(read(file, 0, LENGTH_DIGITS).toString());
  return { file, start: LENGTH_DIGITS + length, index: JSON.parse(read(file, LENGTH_DIGITS, length).toString()) };
}

function scriptKept(name) {
  const { at, source, code } = kept.index[name];
  const bytes = read(kept.file, kept.start + at, source + code);
  return scriptOf(name, bytes.toString('utf8', 0, source), bytes.subarray(source));
}

function read(file, at, length) {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let done = 0; done < length; ) {
    const got = readSync(file, bytes, done, length - done, at + done);
    if (got === 0) throw new Error(`${KEPT} is cut short: run \`npm run build\``);
    done += got;
  }
  return bytes;
}

module.exports = { load, compile, scriptOf, loaded, isBuilt: () => existsSync(join(BUNDLE, 'main.js')), BUNDLE, KEPT, LENGTH_DIGITS };
