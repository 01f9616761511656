/** Required members are there: the wire layer has refused requests without them. */
export function present<T>(value: T | undefined, member: string): T {
  if (value === undefined) throw new TypeError(`${member} is missing`);
  return value;
}
