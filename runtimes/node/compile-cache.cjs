"use strict";
// What V8 has made of a function's modules is kept for its later environments. Those only read it; a runtime that is started
// for this alone loads the function and hands what was made to the platform.
const { readdirSync, readFileSync } = require("node:fs");
const { join, relative } = require("node:path");
const module_ = require("node:module");

const made = "/tmp/compiled";

/** @param {string | true} wanted the folder to read from, or that it is to be made */
function useCompileCache(wanted) {
  module_.enableCompileCache?.(wanted === true ? made : wanted);
}

/** @param {(name: string, content: Buffer) => void} hand */
function handOverCompiled(hand) {
  module_.flushCompileCache?.();
  for (const entry of readdirSync(made, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile()) hand(relative(made, file), readFileSync(file));
  }
}

module.exports = { useCompileCache, handOverCompiled };
