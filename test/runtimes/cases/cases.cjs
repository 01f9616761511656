"use strict";
// What is answered and logged differs by runtime in small things: each of these shows some of them.
/* oxlint-disable no-console, no-throw-literal -- that is what is tried here */

const circular = {};
circular.self = circular;
const unreadable = {
  get message() {
    throw new Error("no");
  },
};
class Mine extends RangeError {
  constructor() {
    super("mine \x7F");
    this.name = "Mine";
    this.code = "E_MINE";
    this.details = { inner: new TypeError("inner") };
  }
}

const cases = {
  nothing: async () => undefined,
  plain: () => ({ a: 1 }),
  symbol: async () => ({ kept: 1, [Symbol("s")]: 2, dropped: undefined, f() {} }),
  circular: async () => circular,
  bigint: async () => 1n,
  date: async () => new Date(0),
  text: async () => "tëxt",
  thrownText: async () => {
    throw "just text";
  },
  thrownNumber: async () => {
    throw 5;
  },
  thrownObject: async () => {
    throw { code: 1 };
  },
  thrownUnreadable: async () => {
    throw Object.setPrototypeOf(unreadable, Error.prototype);
  },
  own: async () => {
    throw new Mine();
  },
  sync: () => {
    throw new EvalError("sync");
  },
  args: async (...given) => given.length,
  context: async (_event, context) => Object.keys(context),
  log: async () => {
    console.log();
    console.log("text", 1, { a: [1] });
    console.info({ b: 2 });
    console.warn(new TypeError("warned"));
    console.error("with", new TypeError("error"));
    console.debug(undefined);
    console.trace(7);
    return null;
  },
};

exports.handler = (event, context, ...rest) => cases[event.case](event, context, ...rest);
exports.absent = undefined;
exports.number = 5;
exports.callback = (event, context, callback) => callback(null, event);
