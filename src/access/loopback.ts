/** Whether a peer's address is this machine's own, in whichever form the socket tells it: nobody can listen on the way. */
export function isLoopbackAddress(address: string): boolean {
  return address === "::1" || /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address);
}
