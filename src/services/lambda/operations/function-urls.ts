import type { Cors } from "@aws-sdk/client-lambda";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { aliasNotFound, conflict, invalidParameter, resourceNotFound } from "../errors.ts";
import { lambdaLimits } from "../limits.ts";
import { functionArn, keyOf } from "../model.ts";
import { isVersionNumber, parseFunctionName, parseMarker, toMarker, type FunctionReference } from "../names.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";
import { onFunction } from "../permissions.ts";
import { present } from "../present.ts";
import { deleteUrl, readUrl, urlKey, writeUrl, type UrlCors, type UrlRecord } from "../url/records.ts";
import { existingFunction } from "../versions.ts";

/** AWS: 32 characters. */
const urlIdLength = 32;

export function functionUrlOperations({ store, functions, ids }: OperationNeeds) {
  return {
    CreateFunctionUrlConfig: {
      authorize: (input, call) =>
        onFunction(functions, "CreateFunctionUrlConfig", input.FunctionName, call, input.Qualifier, {
          "lambda:FunctionUrlAuthType": [present(input.AuthType, "AuthType")],
        }),
      async run(input, call) {
        const place = parseFunctionName(input.FunctionName, call, input.Qualifier);
        return store.transact(async (tx) => {
          await checkTarget(tx, place);
          const qualifier = place.qualifier ?? "";
          const { latest } = await existingFunction(tx, place);
          if (latest.settings.tenantIsolation !== undefined) {
            throw invalidParameter("Function URLs are not supported for functions with tenant isolation.");
          }
          if (await readUrl(tx, place, place.name, qualifier)) {
            throw conflict(
              `Failed to create function url config for [functionArn = ${functionArn(place, place.name, place.qualifier)}]. Error message:  FunctionUrlConfig exists for this Lambda function`,
            );
          }
          const cors = readCors(input.Cors);
          const url: UrlRecord = {
            v: 1,
            id: ids.random(urlIdLength, lowerAlphanumeric),
            account: place.account,
            region: place.region,
            functionName: place.name,
            qualifier,
            authType: present(input.AuthType, "AuthType"),
            invokeMode: input.InvokeMode ?? "BUFFERED",
            ...(cors && { cors }),
            createdAt: call.now,
            modifiedAt: call.now,
          };
          writeUrl(tx, url);
          const { LastModifiedTime: _, ...created } = describe(url, call);
          return created;
        });
      },
    },

    GetFunctionUrlConfig: {
      authorize: (input, call) =>
        onFunction(functions, "GetFunctionUrlConfig", input.FunctionName, call, input.Qualifier),
      async run(input, call) {
        const place = parseFunctionName(input.FunctionName, call, input.Qualifier);
        return describe(await store.read((reader) => existingUrl(reader, place)), call);
      },
    },

    UpdateFunctionUrlConfig: {
      authorize: (input, call) =>
        onFunction(functions, "UpdateFunctionUrlConfig", input.FunctionName, call, input.Qualifier, {
          ...(input.AuthType !== undefined && { "lambda:FunctionUrlAuthType": [input.AuthType] }),
        }),
      async run(input, call) {
        const place = parseFunctionName(input.FunctionName, call, input.Qualifier);
        return store.transact(async (tx) => {
          const { cors: before, ...url } = await existingUrl(tx, place);
          const cors = input.Cors === undefined ? before : readCors(input.Cors);
          const next: UrlRecord = {
            ...url,
            authType: input.AuthType ?? url.authType,
            invokeMode: input.InvokeMode ?? url.invokeMode,
            ...(cors && { cors }),
            modifiedAt: call.now,
          };
          writeUrl(tx, next);
          return describe(next, call);
        });
      },
    },

    DeleteFunctionUrlConfig: {
      authorize: (input, call) =>
        onFunction(functions, "DeleteFunctionUrlConfig", input.FunctionName, call, input.Qualifier),
      async run(input, call) {
        const place = parseFunctionName(input.FunctionName, call, input.Qualifier);
        await store.transact(async (tx) => deleteUrl(tx, await existingUrl(tx, place)));
        return {};
      },
    },

    ListFunctionUrlConfigs: {
      authorize: (input, call) => onFunction(functions, "ListFunctionUrlConfigs", input.FunctionName, call),
      async run(input, call) {
        const place = parseFunctionName(input.FunctionName, call);
        const limit = Math.min(input.MaxItems ?? lambdaLimits.listItemsMax, lambdaLimits.listItemsMax);
        const marker = parseMarker(input.Marker);
        return store.read(async (reader) => {
          await existingFunction(reader, place);
          const prefix = urlKey(place, place.name);
          // The mark says of which qualifier the last one was; the unqualified one's is empty.
          const after = marker === undefined ? {} : { after: [...prefix, marker.slice(1)] };
          const entries = await reader.range<UrlRecord>({ prefix, ...after }, { limit: limit + 1 });
          const page = entries.slice(0, limit).map(({ value }) => value);
          const last = page.at(-1);
          return {
            FunctionUrlConfigs: page.map((url) => describe(url, call)),
            ...(entries.length > limit && last && { NextMarker: toMarker(`:${last.qualifier}`) }),
          };
        });
      },
    },
  } satisfies OperationsOf<Sdk>;
}

/** A URL is of `$LATEST`, unnamed, or of an alias. */
async function checkTarget(reader: Reader, place: FunctionReference): Promise<void> {
  const { qualifier } = place;
  if (qualifier === "$LATEST" || (qualifier !== undefined && isVersionNumber(qualifier))) {
    throw invalidParameter("Function URLs can be created only for an unqualified function or for an alias.");
  }
  const record = await existingFunction(reader, place);
  if (qualifier !== undefined && !(await reader.get(keyOf("alias", place, record.name, qualifier)))) {
    throw aliasNotFound(functionArn(place, record.name, qualifier));
  }
}

async function existingUrl(reader: Reader, place: FunctionReference): Promise<UrlRecord> {
  const url = await readUrl(reader, place, place.name, place.qualifier ?? "");
  if (!url) throw resourceNotFound();
  return url;
}

/** Undefined for a configuration without any member: that is none, and how one is taken away. */
function readCors(cors: Cors | undefined): UrlCors | undefined {
  if (cors === undefined) return undefined;
  const { AllowCredentials, AllowHeaders, AllowMethods, AllowOrigins, ExposeHeaders, MaxAge } = cors;
  const wrong = AllowMethods?.find((method) => !corsMethods.has(method));
  if (wrong !== undefined) {
    throw invalidParameter(
      `Invalid AllowMethods value: ${wrong}. Valid values are GET, PUT, HEAD, POST, PATCH, DELETE and *.`,
    );
  }
  const wrongOrigin = AllowOrigins?.find(
    (origin) => origin !== "*" && !/^[a-z][a-z0-9+.-]*:\/\/[^/\s]+$/i.test(origin),
  );
  if (wrongOrigin !== undefined) throw invalidParameter(`Invalid AllowOrigins value: ${wrongOrigin}`);
  const given: UrlCors = {
    ...(AllowCredentials !== undefined && { allowCredentials: AllowCredentials }),
    ...(AllowHeaders !== undefined && { allowHeaders: AllowHeaders }),
    ...(AllowMethods !== undefined && { allowMethods: AllowMethods }),
    ...(AllowOrigins !== undefined && { allowOrigins: AllowOrigins }),
    ...(ExposeHeaders !== undefined && { exposeHeaders: ExposeHeaders }),
    ...(MaxAge !== undefined && { maxAgeSeconds: MaxAge }),
  };
  return Object.keys(given).length === 0 ? undefined : given;
}

const corsMethods = new Set(["GET", "PUT", "HEAD", "POST", "PATCH", "DELETE", "*"]);

function describe(url: UrlRecord, call: Call) {
  return {
    FunctionUrl: addressOf(url, call.endpoint),
    FunctionArn: functionArn(url, url.functionName, url.qualifier === "" ? undefined : url.qualifier),
    AuthType: url.authType,
    ...(url.cors && { Cors: describeCors(url.cors) }),
    CreationTime: new Date(url.createdAt).toISOString(),
    LastModifiedTime: new Date(url.modifiedAt).toISOString(),
    InvokeMode: url.invokeMode,
  };
}

function describeCors(cors: UrlCors) {
  return {
    ...(cors.allowCredentials !== undefined && { AllowCredentials: cors.allowCredentials }),
    ...(cors.allowHeaders && { AllowHeaders: [...cors.allowHeaders] }),
    ...(cors.allowMethods && { AllowMethods: [...cors.allowMethods] }),
    ...(cors.allowOrigins && { AllowOrigins: [...cors.allowOrigins] }),
    ...(cors.exposeHeaders && { ExposeHeaders: [...cors.exposeHeaders] }),
    ...(cors.maxAgeSeconds !== undefined && { MaxAge: cors.maxAgeSeconds }),
  };
}

/** On this platform, below the host name that the caller used where it has one. */
function addressOf(url: UrlRecord, endpoint: string): string {
  const { protocol, hostname, port } = new URL(endpoint);
  const suffix = /^[\d.]+$|^\[/.test(hostname) ? "localhost" : hostname;
  return `${protocol}//${url.id}.lambda-url.${url.region}.${suffix}${port === "" ? "" : `:${port}`}/`;
}
