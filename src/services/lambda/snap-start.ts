import type { SnapStart, SnapStartResponse, TenancyConfig } from "@aws-sdk/client-lambda";
import { invalidParameter } from "./errors.ts";
import type { FunctionSettings, FunctionVersion } from "./model.ts";

/** Source: developer guide, "Improving startup performance with Lambda SnapStart", supported features and limitations (2026-10). */
const runtimes = /^(?:java(?:11|17|21|25)|python3\.(?:1[2-9])|dotnet(?:8|10))$/;
const ephemeralStorageMbMax = 512;

/** SnapStart as it is after a request; nothing where it is off. */
export function changeSnapStart(
  before: FunctionSettings["snapStart"],
  input: SnapStart | undefined,
): Pick<FunctionSettings, "snapStart"> {
  const applyOn = input === undefined ? before : input.ApplyOn;
  return applyOn === "PublishedVersions" ? { snapStart: applyOn } : {};
}

export function changeTenancy(
  before: FunctionSettings["tenantIsolation"],
  input: TenancyConfig | undefined,
): Pick<FunctionSettings, "tenantIsolation"> {
  const mode = input?.TenantIsolationMode ?? before;
  return mode === "PER_TENANT" ? { tenantIsolation: mode } : {};
}

/** Throws for what does not go with SnapStart. */
export function checkSnapStart(settings: FunctionSettings): void {
  if (settings.snapStart === undefined) return;
  if (!runtimes.test(settings.runtime)) throw unsupported(settings.runtime);
  if (settings.ephemeralStorageMb > ephemeralStorageMbMax) {
    throw unsupported(`EphemeralStorage greater than ${ephemeralStorageMbMax} MB`);
  }
  if (settings.tenantIsolation !== undefined) throw unsupported("Tenant isolation");
}

function unsupported(what: string) {
  return invalidParameter(`${what} is not supported for SnapStart enabled functions.`);
}

export function describeSnapStart(version: FunctionVersion): SnapStartResponse {
  const { snapStart } = version.settings;
  return {
    ApplyOn: snapStart ?? "None",
    OptimizationStatus: hasSnapStart(version) ? "On" : "Off",
  };
}

/** SnapStart is for published versions; `$LATEST` starts as ever. */
export function hasSnapStart(version: FunctionVersion): boolean {
  return version.settings.snapStart !== undefined && version.version !== "$LATEST";
}
