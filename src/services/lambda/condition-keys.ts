import type { ConditionKeys } from "../../access/further-keys.ts";
import type { Store } from "../../kernel/store/store.ts";
import type { Call, ConditionKeysOf } from "../../wire/service.ts";
import { functionArn, keyOf, type PolicyRecord, type PolicyStatement } from "./model.ts";
import { parseFunctionName } from "./names.ts";
import type { Sdk } from "./needs.ts";
import { readUrl } from "./url/records.ts";

interface NamesFunction {
  readonly FunctionName: string | undefined;
  readonly Qualifier?: string | undefined;
}

/** What policies may look at in requests to Lambda. Source: Service Authorization Reference, Lambda. */
export function lambdaConditionKeys(store: Store): ConditionKeysOf<Sdk> {
  /** An existing URL says how it authorizes, unless the request says it anew. */
  const ofUrl = async (input: NamesFunction, call: Call): Promise<ConditionKeys> => {
    const place = parseFunctionName(input.FunctionName, call, input.Qualifier);
    const url = await store.read((reader) => readUrl(reader, place, place.name, place.qualifier ?? ""));
    return {
      "lambda:FunctionArn": [functionArn(place, place.name, place.qualifier)],
      ...(url && { "lambda:FunctionUrlAuthType": [url.authType] }),
    };
  };
  return {
    CreateFunction: (input) => layers(input.Layers),
    UpdateFunctionConfiguration: (input) => layers(input.Layers),
    CreateFunctionUrlConfig: ofUrl,
    GetFunctionUrlConfig: ofUrl,
    UpdateFunctionUrlConfig: ofUrl,
    DeleteFunctionUrlConfig: ofUrl,
    RemovePermission: async (input, call) => {
      const place = parseFunctionName(input.FunctionName, call, input.Qualifier);
      const key = keyOf("policy", place, place.name, place.qualifier ?? "");
      const policy = await store.read((reader) => reader.get<PolicyRecord>(key));
      const statement = policy?.statements.find(({ Sid }) => Sid === input.StatementId);
      return statement ? ofStatement(statement) : {};
    },
  };
}

function layers(arns: readonly string[] | undefined): ConditionKeys {
  return arns?.length ? { "lambda:Layer": arns } : {};
}

/** As the permission was given. */
function ofStatement({ Principal, Condition }: PolicyStatement): ConditionKeys {
  const principals = Principal === "*" ? ["*"] : Object.values(Principal);
  const authType = Condition?.["StringEquals"]?.["lambda:FunctionUrlAuthType"];
  return {
    "lambda:Principal": principals,
    ...(authType !== undefined && { "lambda:FunctionUrlAuthType": [authType] }),
  };
}
