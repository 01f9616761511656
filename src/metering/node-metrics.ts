import type { Nodes } from "../kernel/nodes/nodes.ts";
import type { Collector } from "./exposition.ts";

/** This node among those that serve the same store. */
export function collectNode(nodes: Pick<Nodes, "id" | "live" | "isLive">): Collector {
  return () => [
    {
      name: "cumulet_node_lease_held",
      help: "Whether this node counts on its lease: 1, or 0 while it serves nothing from memory",
      type: "gauge",
      values: [{ labels: { node: nodes.id }, value: nodes.isLive() ? 1 : 0 }],
    },
    {
      name: "cumulet_nodes_live",
      help: "Nodes that serve this store, as this one sees them",
      type: "gauge",
      values: [{ value: nodes.live().length }],
    },
  ];
}
