import type { ClientOf } from "../../../wire/service.ts";
import type { Sdk } from "../needs.ts";

/** Operations of the API that anybody may call, as the pages call them. @param endpoint the platform's address */
export type PublicApi = (endpoint: string) => ClientOf<Sdk>;
