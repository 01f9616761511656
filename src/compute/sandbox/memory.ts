/** The peak resident memory of a process, in MB, from `/proc`; 0 when it has ended or the host has no `/proc`. */
export function memoryPeakMb(pid: number, readFile: (path: string, encoding: "utf8") => string): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/mu.exec(readFile(`/proc/${pid}/status`, "utf8"))?.[1];
    return Math.ceil(Number(kilobytes ?? 0) / 1024);
  } catch {
    return 0;
  }
}
