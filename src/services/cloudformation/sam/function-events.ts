import { apiEvent } from "./api-event.ts";
import type { Context, SamResource } from "./context.ts";
import type { EventSource, EventTarget } from "./event-source.ts";
import type { Generated } from "./generated.ts";
import { httpApiEvent } from "./http-api-event.ts";
import { eventProblem, Problem, resourceProblem } from "./problems.ts";
import { checkProperties, type PropertyRules } from "./property-rules.ts";
import { pullEvents } from "./pull-events.ts";
import { pushEvents } from "./push-events.ts";
import { ruleEvents } from "./rule-events.ts";
import { scheduleV2Event } from "./scheduler-event.ts";
import { asDict, byCodePoint, copyDict, dictOf, display, isDict, isString, type Dict } from "./values.ts";

/** The event sources of functions by their `Type`. */
const sources: ReadonlyMap<string, EventSource> = new Map([
  ["Api", apiEvent],
  ["HttpApi", httpApiEvent],
  ["ScheduleV2", scheduleV2Event],
  ...Object.entries(ruleEvents),
  ...Object.entries(pushEvents),
  ...Object.entries(pullEvents),
]);

/** Checks an entry of `Events` and finds its source. */
export function parseEvent<Source extends { readonly properties: PropertyRules }>(
  known: ReadonlyMap<string, Source>,
  ownerId: string,
  eventId: string,
  event: unknown,
): { readonly source: Source; readonly properties: Dict } {
  if (!isDict(event)) throw eventProblem(eventId, "'NoneType' object has no attribute 'get'");
  const type = event["Type"];
  const source = isString(type) ? known.get(type) : undefined;
  if (!isString(type) || !source) {
    throw eventProblem(
      eventId,
      `Resource dict has missing or invalid value for key Type. Event Type is: ${display(type)}.`,
    );
  }
  const properties = event["Properties"] ?? dictOf({});
  if (!isDict(properties)) throw resourceProblem(ownerId + eventId, "Properties of a resource must be an object.");
  checkProperties(ownerId + eventId, type, properties, source.properties);
  return { source, properties };
}

/** Everything that a function's events generate. */
export function functionEvents(context: Context, sam: SamResource, target: EventTarget, role: Generated): Generated[] {
  const events = asDict(sam.properties["Events"]);
  return Object.entries(events)
    .toSorted(([a, one], [b, other]) => byCodePoint(orderOf(a, one), orderOf(b, other)))
    .flatMap(([eventId, event]) => {
      try {
        const { source, properties } = parseEvent(sources, sam.id, eventId, event);
        const id = sam.id + eventId;
        return source.generate(context, { id, eventId, properties: copyDict(properties), target, role });
      } catch (error) {
        throw asOwners(sam, error);
      }
    });
}

/** Looks at all events before the function itself, as AWS does: their problems come first. */
export function linkFunctionEvents(context: Context, sam: SamResource): void {
  for (const [eventId, event] of Object.entries(asDict(sam.properties["Events"]))) {
    try {
      const { source, properties } = parseEvent(sources, sam.id, eventId, event);
      source.link?.(context, { id: sam.id + eventId, eventId, properties });
    } catch (error) {
      throw asOwners(sam, error);
    }
  }
}

function orderOf(eventId: string, event: unknown): string {
  const path = asDict(asDict(event)["Properties"])["Path"];
  return isString(path) ? path : eventId;
}

/** A function repeats its events' problems under its own id. */
function asOwners(sam: SamResource, error: unknown): unknown {
  return error instanceof Problem && error.ofEvent ? resourceProblem(sam.id, error.message) : error;
}
