import { describe, expect, it } from "vitest";
import { seccompFilter } from "./seccomp.ts";

/** Runs the program as the kernel would, for one system call. */
function decide(filter: Uint8Array, call: { number: number; architecture: number; firstArgument?: number }): string {
  const view = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  const data = new Map([
    [0, call.number],
    [4, call.architecture],
    [16, call.firstArgument ?? 0],
  ]);
  let accumulator = 0;
  for (let at = 0; ; at += 1) {
    const code = view.getUint16(at * 8, true);
    const value = view.getUint32(at * 8 + 4, true);
    const jump = (truth: boolean) => (at += view.getUint8(at * 8 + (truth ? 2 : 3)));
    if (code === 0x20) accumulator = data.get(value) ?? 0;
    else if (code === 0x54) accumulator = (accumulator & value) >>> 0;
    else if (code === 0x15) jump(accumulator === value);
    else if (code === 0x35) jump(accumulator >= value);
    else if (value === 0x7fff_0000) return "allowed";
    else if (value === 0x8000_0000) return "killed";
    else return `errno ${value & 0xffff}`;
  }
}

const x64 = 0xc000_003e;
const arm64 = 0xc000_00b7;

const filter = seccompFilter("x64");
const clone = (firstArgument: number) => decide(filter, { number: 56, architecture: x64, firstArgument });

describe("the system call filter", () => {
  it.each([
    ["read", 0, "allowed"],
    ["execve", 59, "allowed"],
    ["mount", 165, "errno 1"],
    ["ptrace", 101, "errno 1"],
    ["bpf", 321, "errno 1"],
    ["keyctl", 250, "errno 1"],
    ["unshare", 272, "errno 1"],
    ["setns", 308, "errno 1"],
    ["kexec_load", 246, "errno 1"],
    ["io_uring_setup", 425, "errno 1"],
    ["clone3", 435, "errno 38"],
    ["an x32 call", 0x4000_0000, "errno 38"],
  ])("answers %s (%i) on x86-64 with: %s", (_name, number, decision) => {
    expect(decide(filter, { number, architecture: x64 })).toBe(decision);
  });

  it("lets threads and processes be made, but no namespaces", () => {
    expect([clone(0x003d_0f00), clone(0x11), clone(0x1000_0011), clone(0x0002_0000)]).toEqual([
      "allowed",
      "allowed",
      "errno 1",
      "errno 1",
    ]);
  });

  it("lets pipes with names be made: devices are refused by the kernel, for want of the capability", () => {
    expect(decide(filter, { number: 133, architecture: x64 })).toBe("allowed");
  });

  it.each([
    ["AF_UNIX", 1, "allowed"],
    ["AF_INET", 2, "allowed"],
    ["AF_INET6", 10, "allowed"],
    ["AF_NETLINK", 16, "allowed"],
    ["AF_UNSPEC", 0, "errno 97"],
    ["AF_PACKET", 17, "errno 97"],
    ["AF_ALG", 38, "errno 97"],
    ["AF_VSOCK", 40, "errno 97"],
  ])("answers a socket of the family %s (%i) with: %s", (_name, firstArgument, decision) => {
    expect(decide(filter, { number: 41, architecture: x64, firstArgument })).toBe(decision);
    expect(decide(seccompFilter("arm64"), { number: 198, architecture: arm64, firstArgument })).toBe(decision);
  });

  it("ends what calls by the numbers of another architecture", () => {
    expect(decide(filter, { number: 0, architecture: arm64 })).toBe("killed");
  });

  it("refuses the same calls on arm64", () => {
    const other = seccompFilter("arm64");
    const calls = [63, 221, 40, 117, 280, 219, 97, 268, 435];
    expect(calls.map((number) => decide(other, { number, architecture: arm64 }))).toEqual([
      "allowed",
      "allowed",
      "errno 1",
      "errno 1",
      "errno 1",
      "errno 1",
      "errno 1",
      "errno 1",
      "errno 38",
    ]);
  });
});
