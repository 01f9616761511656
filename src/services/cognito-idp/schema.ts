import type { AttributeType, SchemaAttributeType } from "@aws-sdk/client-cognito-identity-provider";
import { invalidParameter, notAuthorized } from "./errors.ts";
import { cognitoLimits as limits } from "./limits.ts";
import type { Client, Pool } from "./model.ts";
import { isEmail, isPhoneNumber } from "./rules.ts";

const text = (Name: string, MinLength = "0"): SchemaAttributeType => ({
  Name,
  AttributeDataType: "String",
  DeveloperOnlyAttribute: false,
  Mutable: true,
  Required: false,
  StringAttributeConstraints: { MinLength, MaxLength: "2048" },
});

const flag = (Name: string): SchemaAttributeType => ({
  Name,
  AttributeDataType: "Boolean",
  DeveloperOnlyAttribute: false,
  Mutable: true,
  Required: false,
});

/** The standard attributes, as DescribeUserPool tells them. Source: developer guide, "User pool attributes", and OpenID Connect. */
export const standardAttributes: readonly SchemaAttributeType[] = [
  { ...text("sub", "1"), Mutable: false, Required: true },
  text("name"),
  text("given_name"),
  text("family_name"),
  text("middle_name"),
  text("nickname"),
  text("preferred_username"),
  text("profile"),
  text("picture"),
  text("website"),
  text("email"),
  flag("email_verified"),
  text("gender"),
  { ...text("birthdate"), StringAttributeConstraints: { MinLength: "10", MaxLength: "10" } },
  text("zoneinfo"),
  text("locale"),
  text("phone_number"),
  flag("phone_number_verified"),
  text("address"),
  {
    Name: "updated_at",
    AttributeDataType: "Number",
    DeveloperOnlyAttribute: false,
    Mutable: true,
    Required: false,
    NumberAttributeConstraints: { MinValue: "0" },
  },
  {
    Name: "identities",
    AttributeDataType: "String",
    DeveloperOnlyAttribute: false,
    Mutable: true,
    Required: false,
    StringAttributeConstraints: {},
  },
];

const standardNames = new Set(standardAttributes.map(({ Name }) => Name));

/** What CreateUserPool's `Schema` and AddCustomAttributes say, under the names that users' attributes have. */
export function toSchema(given: readonly SchemaAttributeType[], customOnly = false): readonly SchemaAttributeType[] {
  return given.map((each) => {
    const name = each.Name ?? "";
    const standard = customOnly ? undefined : standardAttributes.find(({ Name }) => Name === name);
    if (standard) {
      if (each.AttributeDataType !== undefined && each.AttributeDataType !== standard.AttributeDataType) {
        throw invalidParameter(`Invalid AttributeDataType input, consider using the provided AttributeDataType enum.`);
      }
      const { StringAttributeConstraints: lengths, NumberAttributeConstraints: range } = each;
      return {
        ...standard,
        ...(each.Mutable !== undefined && { Mutable: each.Mutable }),
        ...(each.Required !== undefined && { Required: each.Required }),
        ...(lengths && { StringAttributeConstraints: lengths }),
        ...(range && { NumberAttributeConstraints: range }),
      };
    }
    if (each.Required === true) throw invalidParameter("Required custom attributes are not supported currently.");
    if (each.AttributeDataType === undefined) {
      throw invalidParameter("Invalid AttributeDataType input, consider using the provided AttributeDataType enum.");
    }
    const bare = name.replace(/^(?:dev:)?custom:/, "");
    const developerOnly = each.DeveloperOnlyAttribute === true;
    return {
      Name: `${developerOnly ? "dev:" : ""}custom:${bare}`,
      AttributeDataType: each.AttributeDataType,
      DeveloperOnlyAttribute: developerOnly,
      Mutable: each.Mutable ?? false,
      Required: false,
      ...(each.AttributeDataType === "String" && {
        StringAttributeConstraints: each.StringAttributeConstraints ?? {},
      }),
      ...(each.AttributeDataType === "Number" && {
        NumberAttributeConstraints: each.NumberAttributeConstraints ?? {},
      }),
    };
  });
}

/** @throws InvalidParameterException when the custom attributes are too many, or a name comes twice */
export function checkSchema(schema: readonly SchemaAttributeType[]): void {
  const names = schema.map(({ Name }) => Name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalidParameter(`${twice}: Existing attribute already has name ${twice}.`);
  if (names.filter((name) => !standardNames.has(name)).length > limits.customAttributesMax) {
    throw invalidParameter("Invalid SchemaAttributes given while creating a user pool: too many custom attributes");
  }
}

/** All attributes that users of a pool have, with their rules. */
export function schemaOf(pool: Pool): readonly SchemaAttributeType[] {
  const standard = standardAttributes.map((each) => pool.schema.find(({ Name }) => Name === each.Name) ?? each);
  return [...standard, ...pool.schema.filter(({ Name }) => !standardNames.has(Name))];
}

/** Attributes as given, by name. @throws InvalidParameterException for one that comes twice */
export function toAttributes(given: readonly AttributeType[] | undefined): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const { Name: name = "", Value: value = "" } of given ?? []) {
    if (Object.hasOwn(attributes, name)) throw invalidParameter(`Attribute ${name} was given more than once.`);
    attributes[name] = value;
  }
  return attributes;
}

/** Who writes attributes. `admin` may write what clients may not. */
export type Writer = { readonly by: "admin" } | { readonly by: "client"; readonly client: Client };

/**
 * Check attributes that are to be written.
 *
 * @param before what the user has; undefined for a new user, who must have all required ones
 * @throws InvalidParameterException, NotAuthorizedException
 */
export function checkAttributes(
  pool: Pool,
  given: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>> | undefined,
  writer: Writer,
): void {
  const schema = new Map(schemaOf(pool).map((each) => [each.Name ?? "", each]));
  const problems: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    const rule = schema.get(name);
    if (!rule) {
      throw invalidParameter(
        `Attributes did not conform to the schema: Type for attribute {${name}} could not be determined`,
      );
    }
    if (name === "sub" || name === "identities") {
      throw notAuthorized("A client attempted to write unauthorized attribute");
    }
    if (writer.by === "client") checkWritable(writer.client, rule, name);
    if (before && rule.Mutable === false && before[name] !== value) {
      throw invalidParameter(`user.${name}: Attribute cannot be updated.\n`);
    }
    const problem = problemOf(rule, name, value);
    if (problem !== undefined) problems.push(`${name}: ${problem}`);
  }
  if (!before) {
    for (const [name, rule] of schema) {
      if (rule.Required === true && name !== "sub" && (given[name] ?? "") === "") {
        problems.push(`${name}: The attribute is required`);
      }
    }
  }
  if (problems.length > 0) {
    throw invalidParameter(`Attributes did not conform to the schema: ${problems.join("\n")}\n`);
  }
}

function checkWritable(client: Client, rule: SchemaAttributeType, name: string): void {
  const listed = client.settings.WriteAttributes;
  const isVerification = name === "email_verified" || name === "phone_number_verified";
  const allowed = listed === undefined || listed.length === 0 || listed.includes(name);
  if (isVerification || rule.DeveloperOnlyAttribute === true || !allowed) {
    throw notAuthorized("A client attempted to write unauthorized attribute");
  }
}

function problemOf(rule: SchemaAttributeType, name: string, value: string): string | undefined {
  if (name === "email" && value !== "" && !isEmail(value)) return "Invalid email address format.";
  if (name === "phone_number" && value !== "" && !isPhoneNumber(value)) return "Invalid phone number format.";
  switch (rule.AttributeDataType) {
    case "Number":
      return numberProblem(rule, value);
    case "Boolean":
      return value === "true" || value === "false" ? undefined : "The attribute value is not a valid boolean";
    case "DateTime":
      return Number.isNaN(Date.parse(value)) ? "The attribute value is not a valid date" : undefined;
    default: {
      const { MinLength: min, MaxLength: max } = rule.StringAttributeConstraints ?? {};
      const tooShort = min !== undefined && value !== "" && value.length < Number(min);
      const tooLong = max !== undefined && value.length > Number(max);
      if (tooShort) return `String length should be greater than or equal to ${min}`;
      return tooLong ? `String length should be less than or equal to ${max}` : undefined;
    }
  }
}

function numberProblem(rule: SchemaAttributeType, value: string): string | undefined {
  if (value === "") return undefined;
  if (!/^-?\d{1,19}$/.test(value)) return "The attribute value is not a valid number";
  const { MinValue: min, MaxValue: max } = rule.NumberAttributeConstraints ?? {};
  if (min !== undefined && BigInt(value) < BigInt(min)) return `Value should be greater than or equal to ${min}`;
  if (max !== undefined && BigInt(value) > BigInt(max)) return `Value should be less than or equal to ${max}`;
  return undefined;
}

/** Names of attributes that a client's lists may have. @throws InvalidParameterException */
export function checkAttributeNames(pool: Pool, names: readonly string[], kind: "read" | "write"): void {
  const schema = schemaOf(pool);
  for (const name of names) {
    if (!schema.some(({ Name }) => Name === name)) {
      throw invalidParameter(`Invalid ${kind} attributes specified while creating a client`);
    }
  }
  if (kind === "write") {
    const missing = schema.filter(
      ({ Name, Required }) => Required === true && Name !== "sub" && !names.includes(Name ?? ""),
    );
    if (missing.length > 0) throw invalidParameter("Invalid write attributes specified while creating a client");
  }
}
