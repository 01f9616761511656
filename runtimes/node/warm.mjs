// Loaded by every runtime while it waits, as a function's modules will be: the loader itself is warm when they come.
export const handler = () => {};
