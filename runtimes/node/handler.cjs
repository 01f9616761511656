"use strict";
const { existsSync } = require("node:fs");
const { basename, dirname, resolve } = require("node:path");
const { createRequire } = require("node:module");
const { pathToFileURL } = require("node:url");
const { failure } = require("./errors.cjs");

/**
 * The function that `handler` names (`folder/module.export.member`), or an error with the name that Lambda gives it. Files
 * are looked for in Lambda's order: without extension, `.js`, `.mjs`, `.cjs`, then the module paths.
 */
async function loadHandler(taskRoot, handler) {
  if (handler.includes(".."))
    throw failure(
      "Runtime.MalformedHandlerName",
      `'${handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  const name = basename(handler);
  const parts = /^([^.]*)\.(.*)$/u.exec(name);
  if (parts === null) throw failure("Runtime.MalformedHandlerName", "Bad handler");
  const [, moduleName, path] = parts;
  const folder = handler.slice(0, handler.length - name.length);
  const module = await loadModule(taskRoot, folder, moduleName);
  const found = member(module, path) ?? member(module?.default, path);
  if (found === undefined || found === null)
    throw failure("Runtime.HandlerNotFound", `${handler} is undefined or not exported`);
  if (typeof found !== "function") throw failure("Runtime.HandlerNotFound", `${handler} is not a function`);
  return found;
}

async function loadModule(taskRoot, folder, name) {
  const base = resolve(taskRoot, folder, name);
  try {
    const asked = createRequire(resolve(__dirname, "index.mjs"));
    if (existsSync(base) && !isFolder(base)) return asked(base);
    if (existsSync(`${base}.js`)) return await loadScript(`${base}.js`, asked);
    if (existsSync(`${base}.mjs`)) return await importFile(`${base}.mjs`);
    if (existsSync(`${base}.cjs`)) return asked(`${base}.cjs`);
    const at = asked.resolve(name, { paths: [resolve(taskRoot, folder), ...(process.env.NODE_PATH ?? "").split(":")] });
    return asked(at);
  } catch (error) {
    throw named(error);
  }
}

async function loadScript(file, asked) {
  if (typeOf(dirname(file)) === "module") return importFile(file);
  return asked(file);
}

function importFile(file) {
  importByNodePath();
  return import(pathToFileURL(file).href);
}

/**
 * AWS: what `import` does not find beside the function it looks for in the layers and in the runtime, as `require` does by
 * NODE_PATH. Node.js before 22.15 has nothing to do so with.
 */
function importByNodePath() {
  const { registerHooks } = require("node:module");
  const folders = (process.env.NODE_PATH ?? "").split(":").filter((folder) => folder.endsWith("/node_modules"));
  if (registerHooks === undefined || !folders.some((folder) => existsSync(folder))) return;
  const parents = folders.map((folder) => pathToFileURL(resolve(folder, "..", "x")).href);
  registerHooks({
    resolve(specifier, context, next) {
      try {
        return next(specifier, context);
      } catch (error) {
        if (error.code !== "ERR_MODULE_NOT_FOUND" || /^(?:[./]|\w+:)/u.test(specifier)) throw error;
        for (const parentURL of parents) {
          try {
            return next(specifier, { ...context, parentURL });
          } catch {
            // Not there.
          }
        }
        throw error;
      }
    },
  });
}

/** The `type` of the nearest package.json. */
function typeOf(folder) {
  const { readFileSync } = require("node:fs");
  for (let at = folder; ; at = dirname(at)) {
    try {
      return JSON.parse(readFileSync(resolve(at, "package.json"), "utf8")).type;
    } catch (error) {
      if (error.code !== "ENOENT" && error.code !== "ENOTDIR") return undefined;
    }
    if (at === dirname(at)) return undefined;
  }
}

function isFolder(path) {
  return require("node:fs").statSync(path).isDirectory();
}

function named(error) {
  if (error instanceof SyntaxError) return renamed("Runtime.UserCodeSyntaxError", error);
  // AWS: what `import` does not find keeps its own name.
  if (error?.code === "MODULE_NOT_FOUND") return renamed("Runtime.ImportModuleError", error);
  return error;
}

function renamed(name, cause) {
  const error = failure(name, `${cause.name === "Error" ? "Error" : cause.name}: ${cause.message}`);
  // AWS: from Node.js 24 on, a syntax error keeps its own stack.
  const keeps = cause instanceof SyntaxError && process.env.AWS_EXECUTION_ENV === "AWS_Lambda_nodejs24.x";
  error.stack = keeps ? cause.stack : `${name}: ${cause.stack ?? cause.message}`;
  return error;
}

function member(value, path) {
  let at = value;
  for (const name of path.split(".")) {
    if (at === undefined || at === null) return undefined;
    at = at[name];
  }
  return at;
}

/** Lambda refuses these from Node.js 24 on. */
function isDeprecatedCallback(handler) {
  return handler.length >= 3;
}

module.exports = { loadHandler, isDeprecatedCallback };
