import type { Store } from "../../../kernel/store/store.ts";
import { corsForbidden, corsIncomplete } from "../errors.ts";
import { findBucket } from "../model.ts";
import type { CrossOrigin } from "../port.ts";
import { allowCrossOrigin } from "./rules.ts";

/** Caches keep answers apart by what decided about them. */
const vary = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

/** What browsers are told that ask for pages of other origins. Source: "Using cross-origin resource sharing", S3 User Guide. */
export function createCrossOrigin(store: Store): CrossOrigin {
  const rulesOf = async (path: string) => {
    const bucket = await store.read((reader) => findBucket(reader, bucketOf(path)));
    return bucket && { rules: bucket.cors };
  };
  return {
    headersFor: async (path, { origin, method }) => {
      const rules = (await rulesOf(path))?.rules;
      const allowed = rules && allowCrossOrigin(rules, { origin, method });
      return allowed && { ...allowed, vary };
    },
    preflight: async (path, headers) => {
      const origin = headers["origin"];
      const method = headers["access-control-request-method"];
      if (origin === undefined || origin === "") {
        throw corsIncomplete("Insufficient information. Origin request header needed.");
      }
      if (method === undefined || !/^(GET|PUT|POST|DELETE|HEAD)$/.test(method)) {
        throw corsIncomplete(`Invalid Access-Control-Request-Method: ${method ?? "null"}`);
      }
      const found = await rulesOf(path);
      if (!found) throw corsForbidden("CORSResponse: Bucket not found", method, "BUCKET");
      if (!found.rules) throw corsForbidden("CORSResponse: CORS is not enabled for this bucket.", method, "BUCKET");
      const asked = (headers["access-control-request-headers"] ?? "")
        .split(",")
        .map((name) => name.trim().toLowerCase())
        .filter((name) => name !== "");
      const allowed = allowCrossOrigin(found.rules, { origin, method, headers: asked });
      if (!allowed) {
        const why =
          "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.";
        throw corsForbidden(why, method, "OBJECT");
      }
      return { ...allowed, vary };
    },
  };
}

function bucketOf(path: string): string {
  try {
    return decodeURIComponent(path.split("/")[1] ?? "");
  } catch {
    return "";
  }
}
