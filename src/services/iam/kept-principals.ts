import type { Operation, Service } from "../../wire/service.ts";
import type { PolicyPrincipals } from "./policy-principals.ts";
import { encodeDocument } from "./rules.ts";

/** How a policy stands in a request or an answer: as text, percent-encoded, with its quotation marks escaped, or as one principal. */
type Form = "text" | "encoded" | "escaped" | "name";

/** Which members of which operations are policies: those that are kept, and those that are shown. */
interface Rule {
  readonly kept?: Readonly<Record<string, Form>>;
  readonly shown?: Readonly<Record<string, Form>>;
}

const roles: Rule = { shown: { AssumeRolePolicyDocument: "encoded" } };
const restApis: Rule = { shown: { policy: "escaped" } };
const permission: Rule = { kept: { Principal: "name" }, shown: { Statement: "text" } };

const rules: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  iam: {
    CreateRole: { kept: { AssumeRolePolicyDocument: "text" }, ...roles },
    UpdateAssumeRolePolicy: { kept: { PolicyDocument: "text" } },
    GetRole: roles,
    ListRoles: roles,
    UpdateRoleDescription: roles,
    GetAccountAuthorizationDetails: roles,
    GetInstanceProfile: roles,
    ListInstanceProfiles: roles,
    ListInstanceProfilesForRole: roles,
  },
  s3: {
    PutBucketPolicy: { kept: { Policy: "text" } },
    GetBucketPolicy: { shown: { Policy: "text" } },
  },
  dynamodb: {
    CreateTable: { kept: { ResourcePolicy: "text" } },
    PutResourcePolicy: { kept: { Policy: "text" } },
    GetResourcePolicy: { shown: { Policy: "text" } },
  },
  ecr: {
    SetRepositoryPolicy: { kept: { policyText: "text" }, shown: { policyText: "text" } },
    GetRepositoryPolicy: { shown: { policyText: "text" } },
    DeleteRepositoryPolicy: { shown: { policyText: "text" } },
  },
  logs: {
    PutResourcePolicy: { kept: { policyDocument: "text" }, shown: { policyDocument: "text" } },
    DescribeResourcePolicies: { shown: { policyDocument: "text" } },
  },
  lambda: {
    AddPermission: permission,
    GetPolicy: { shown: { Policy: "text" } },
    AddLayerVersionPermission: permission,
    GetLayerVersionPolicy: { shown: { Policy: "text" } },
  },
  apigateway: {
    CreateRestApi: { kept: { policy: "text" }, ...restApis },
    // The value of the patch of `/policy`.
    UpdateRestApi: { kept: { value: "text" }, ...restApis },
    GetRestApi: restApis,
    GetRestApis: restApis,
    PutRestApi: restApis,
    ImportRestApi: restApis,
  },
};

/** A service whose policies keep users and roles by their unique ids, and show them by name. */
export function withKeptPrincipals(service: Service, principals: PolicyPrincipals): Service {
  const own = rules[service.name];
  if (!own) return service;
  const operations = Object.entries(service.operations).map(([name, operation]) => {
    const rule = own[name];
    return [name, rule ? withRule(operation, rule, principals) : operation] as const;
  });
  return { ...service, operations: Object.fromEntries(operations) };
}

function withRule(
  operation: Operation<never, unknown>,
  { kept, shown }: Rule,
  principals: PolicyPrincipals,
): Operation<never, unknown> {
  const keep = (text: string, form: Form) => (form === "name" ? principals.keepName(text) : principals.keep(text));
  return {
    ...operation,
    run: async (input, call) => {
      // The same members with other texts.
      const given = kept ? ((await replaceMembers(input, kept, keep)) as never) : input;
      const output = await operation.run(given, call);
      return shown ? replaceMembers(output, shown, (text, form) => showText(text, form, principals)) : output;
    },
  };
}

async function showText(text: string, form: Form, { show }: PolicyPrincipals): Promise<string> {
  if (form === "encoded") return encodeDocument(await show(decodeURIComponent(text)));
  if (form === "escaped") return JSON.stringify(await show(String(JSON.parse(`"${text}"`)))).slice(1, -1);
  // A single statement is shown as the policy that has it would be.
  if (text.startsWith('{"Sid"')) return (await show(`{"Statement":${text}}`)).slice('{"Statement":'.length, -1);
  return show(text);
}

/** A copy in which members of these names, wherever they stand, have another text. */
async function replaceMembers(
  value: unknown,
  forms: Readonly<Record<string, Form>>,
  replace: (text: string, form: Form) => Promise<string>,
): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map((item) => replaceMembers(item, forms, replace)));
  if (typeof value !== "object" || value === null) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const entries = Object.entries(value).map(async ([name, member]: [string, unknown]) => {
    const form = Object.hasOwn(forms, name) ? forms[name] : undefined;
    if (form !== undefined && typeof member === "string") return [name, await replace(member, form)] as const;
    return [name, await replaceMembers(member, forms, replace)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
