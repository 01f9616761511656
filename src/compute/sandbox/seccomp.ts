/**
 * A seccomp filter as the classic BPF program the kernel takes (`struct sock_filter[]`). It refuses the calls that no
 * function needs and that have been ways out of namespaces: mounting, tracing, loading code into the kernel, new
 * namespaces, sockets of families that no network namespace confines. Source: seccomp(2), and the default profiles of
 * container engines for which calls are worth refusing.
 */
export function seccompFilter(architecture: "x64" | "arm64"): Uint8Array {
  const { audit, numbers, clone, socket } = tables[architecture];
  const program: Instruction[] = [];

  // Another architecture's numbers would mean other calls.
  program.push(load(offsetOf.architecture), jumpIfEqual(audit, 1, 0), answer(action.kill), load(offsetOf.number));
  if (architecture === "x64") {
    // The x32 calls have numbers of their own.
    program.push(jumpIfAtLeast(0x4000_0000, 0, 1), answer(action.errno(errno.ENOSYS)));
  }
  for (const number of numbers) {
    program.push(jumpIfEqual(number, 0, 1), answer(action.errno(errno.EPERM)));
  }
  // The C library falls back to clone, whose flags can be looked at; those of clone3 lie in memory.
  program.push(jumpIfEqual(435, 0, 1), answer(action.errno(errno.ENOSYS)));
  program.push(jumpIfEqual(clone, 0, 4), load(offsetOf.firstArgument), and(namespaceFlags), jumpIfEqual(0, 1, 0));
  program.push(answer(action.errno(errno.EPERM)));
  // The number is loaded again: where the call was clone, its flags have taken the place.
  program.push(load(offsetOf.number), jumpIfEqual(socket, 0, socketFamilies.length + 2), load(offsetOf.firstArgument));
  for (const [index, family] of socketFamilies.entries()) {
    program.push(jumpIfEqual(family, socketFamilies.length - index, 0));
  }
  program.push(answer(action.errno(errno.EAFNOSUPPORT)));
  program.push(answer(action.allow));

  const bytes = new DataView(new ArrayBuffer(program.length * 8));
  for (const [index, { code, whenTrue, whenFalse, value }] of program.entries()) {
    bytes.setUint16(index * 8, code, true);
    bytes.setUint8(index * 8 + 2, whenTrue);
    bytes.setUint8(index * 8 + 3, whenFalse);
    bytes.setUint32(index * 8 + 4, value, true);
  }
  return new Uint8Array(bytes.buffer);
}

interface Instruction {
  readonly code: number;
  readonly whenTrue: number;
  readonly whenFalse: number;
  readonly value: number;
}

const offsetOf = { number: 0, architecture: 4, firstArgument: 16 };
const errno = { EPERM: 1, ENOSYS: 38, EAFNOSUPPORT: 97 };
const action = { allow: 0x7fff_0000, kill: 0x8000_0000, errno: (number: number) => 0x0005_0000 | number };

/** CLONE_NEWTIME | NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET */
const namespaceFlags =
  0x80 | 0x0002_0000 | 0x0200_0000 | 0x0400_0000 | 0x0800_0000 | 0x1000_0000 | 0x2000_0000 | 0x4000_0000;

/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. Among the others are AF_VSOCK, which reaches the machine's host, and AF_ALG. */
const socketFamilies = [1, 2, 10, 16];

const load = (offset: number): Instruction => ({ code: 0x20, whenTrue: 0, whenFalse: 0, value: offset });
const and = (mask: number): Instruction => ({ code: 0x54, whenTrue: 0, whenFalse: 0, value: mask });
const answer = (value: number): Instruction => ({ code: 0x06, whenTrue: 0, whenFalse: 0, value });
const jumpIfEqual = (value: number, whenTrue: number, whenFalse: number): Instruction => ({
  code: 0x15,
  whenTrue,
  whenFalse,
  value,
});
const jumpIfAtLeast = (value: number, whenTrue: number, whenFalse: number): Instruction => ({
  code: 0x35,
  whenTrue,
  whenFalse,
  value,
});

/** Numbers that x86-64 and arm64 share, from Linux 5.1 on: the new mount calls, pidfd_getfd, io_uring, memfd_secret, quotactl_fd … */
const recent = [425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 442, 443, 447];

const tables = {
  x64: {
    audit: 0xc000_003e,
    clone: 56,
    socket: 41,
    numbers: [
      [101, 310, 311], // ptrace, process_vm_readv, process_vm_writev
      [165, 166, 155, 161], // mount, umount2, pivot_root, chroot
      [246, 320, 169], // kexec_load, kexec_file_load, reboot
      [175, 313, 176, 174, 177, 178, 180], // modules, nfsservctl
      [248, 249, 250], // add_key, request_key, keyctl
      [272, 308], // unshare, setns
      [321, 298, 323], // bpf, perf_event_open, userfaultfd
      [167, 168, 179, 163], // swapon, swapoff, quotactl, acct
      [164, 227, 305, 159], // settimeofday, clock_settime, clock_adjtime, adjtimex
      [170, 171, 172, 173, 103, 153], // sethostname, setdomainname, iopl, ioperm, syslog, vhangup
      [303, 304, 312, 300, 301, 212], // name_to_handle_at, open_by_handle_at, kcmp, fanotify, lookup_dcookie
      [135, 139, 154, 156, 134], // personality, sysfs, modify_ldt, _sysctl, uselib
      [256, 279, 237, 238, 239], // migrate_pages, move_pages, mbind, set_mempolicy, get_mempolicy
      recent,
    ].flat(),
  },
  arm64: {
    audit: 0xc000_00b7,
    clone: 220,
    socket: 198,
    numbers: [
      [117, 270, 271], // ptrace, process_vm_readv, process_vm_writev
      [40, 39, 41, 51], // mount, umount2, pivot_root, chroot
      [104, 294, 142], // kexec_load, kexec_file_load, reboot
      [105, 273, 106, 42], // modules, nfsservctl
      [217, 218, 219], // add_key, request_key, keyctl
      [97, 268], // unshare, setns
      [280, 241, 282], // bpf, perf_event_open, userfaultfd
      [224, 225, 60, 89], // swapon, swapoff, quotactl, acct
      [170, 112, 266, 171], // settimeofday, clock_settime, clock_adjtime, adjtimex
      [161, 162, 116, 58], // sethostname, setdomainname, syslog, vhangup
      [264, 265, 272, 262, 263, 18], // name_to_handle_at, open_by_handle_at, kcmp, fanotify, lookup_dcookie
      [92], // personality
      [238, 239, 235, 237, 236], // migrate_pages, move_pages, mbind, set_mempolicy, get_mempolicy
      recent,
    ].flat(),
  },
};
