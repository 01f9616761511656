import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { Collector } from "./exposition.ts";

/** This process, in the names that Prometheus' own clients give, and what it keeps on disk. */
export function collectProcess(dataDir: string): Collector {
  return () => {
    const cpu = process.cpuUsage();
    const memory = process.memoryUsage();
    const { utilization } = performance.eventLoopUtilization();
    return [
      gauge("process_resident_memory_bytes", "Resident memory of the server", memory.rss),
      gauge("nodejs_heap_size_used_bytes", "Heap in use", memory.heapUsed),
      gauge("nodejs_external_memory_bytes", "Memory of buffers and native objects", memory.external),
      gauge(
        "nodejs_eventloop_utilization",
        "Share of time in which the event loop was busy, since the start",
        utilization,
      ),
      gauge("process_start_time_seconds", "When the server started", performance.timeOrigin / 1000),
      {
        name: "process_cpu_seconds_total",
        help: "Processor time of the server, functions excluded",
        type: "counter",
        values: [{ value: (cpu.user + cpu.system) / 1e6 }],
      },
      {
        name: "cumulet_data_bytes",
        help: "Bytes in the data folder: the store, and the journals of usage that are not yet committed",
        type: "gauge",
        isShared: true,
        values: ["store", "usage"].map((part) => ({ labels: { part }, value: folderBytes(join(dataDir, part)) })),
      },
    ] as const;
  };
}

function gauge(name: string, help: string, value: number) {
  return { name, help, type: "gauge" as const, values: [{ value }] };
}

/** What the files of a folder take on the disk; they may be sparse. */
function folderBytes(folder: string): number {
  try {
    let bytes = 0;
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isFile()) bytes += statSync(join(folder, entry.name)).blocks * 512;
    }
    return bytes;
  } catch {
    return 0;
  }
}
