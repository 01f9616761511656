import { handleChanges } from "./changes.ts";
import { handlePolls, type PollNeeds } from "./poller.ts";
import { createSourceWatch, type SourceWatch } from "./source-watch.ts";

/** Reads event sources for functions, in whichever of the processes on the store. */
export function createEventSources(needs: PollNeeds): SourceWatch {
  handlePolls(needs);
  handleChanges(needs);
  return createSourceWatch(needs);
}
