import type { Authorizer } from "../access/authorization.ts";
import { AwsError } from "../aws/error.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Ids } from "../kernel/ids.ts";
import type { CallObserver } from "./observer.ts";
import { createDispatcher } from "./dispatch.ts";
import type { CallAs, ClientOf, Service, ServiceDirectory } from "./service.ts";
import type { Models } from "./tables/catalog.ts";

/** Services call each other through the same constraint checks and the same authorization as clients. */
export function createServiceDirectory(needs: {
  readonly services: ReadonlyMap<string, Service>;
  readonly models: Models;
  readonly authorizer: Authorizer;
  readonly observer?: CallObserver;
  readonly clock: Clock;
  readonly ids: Ids;
}): ServiceDirectory {
  const { models, clock, ids } = needs;
  const dispatcher = createDispatcher(needs);
  const never = new AbortController().signal;

  const call = async (service: string, operation: string, input: unknown, as: CallAs): Promise<unknown> => {
    const entry = models.find(service);
    const model = entry && (models.loaded(service) ?? (await models.load(service))).model;
    const found = model?.operations.get(operation);
    if (!model || !found)
      throw new AwsError("UnknownOperationException", 404, `There is no operation ${service}:${operation}`);
    const entries: [string, unknown][] = typeof input === "object" && input !== null ? Object.entries(input) : [];
    const members = Object.fromEntries(entries);
    const payload = found.input?.payload;
    // Operations always receive a stream where the model has one.
    if (payload?.streaming) members[payload.name] = toStream(members[payload.name]);
    return await dispatcher.run(model, found, members, {
      requestId: ids.uuid(),
      principal: as.principal,
      account: as.account,
      region: as.region,
      endpoint: as.endpoint,
      now: clock.now(),
      signal: as.signal ?? never,
      ...(as.calledVia && { calledVia: as.calledVia }),
      ...(as.creationToken !== undefined && { creationToken: as.creationToken }),
      setHeader: () => undefined,
    });
  };

  return {
    call,
    client: <Sdk>(service: string, as: CallAs) => {
      const operations = new Proxy(
        {},
        {
          get: (_target, name) =>
            typeof name === "string" && name !== "then"
              ? (input: unknown) => call(service, name, input, as)
              : undefined,
        },
      );
      // Its members are the operations of the service's table: ClientOf says which, and with what types.
      return operations as ClientOf<Sdk>;
    },
  };
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

function toStream(value: unknown): unknown {
  if (value instanceof Uint8Array) return once(value);
  return typeof value === "string" ? once(Buffer.from(value, "utf8")) : value;
}
