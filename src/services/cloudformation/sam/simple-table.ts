import type { SamResource } from "./context.ts";
import { generate, tagList, type Generated } from "./generated.ts";
import { expectPresent, resourceProblem } from "./problems.ts";
import type { PropertyRules } from "./property-rules.ts";
import { asDict, display, isGiven, type Dict } from "./values.ts";

export const simpleTableProperties: PropertyRules = {
  PointInTimeRecoverySpecification: "any",
  PrimaryKey: "map<string>",
  ProvisionedThroughput: "map<integer|map>",
  TableName: "string|map",
  Tags: "map",
  SSESpecification: "map",
};

const attributeTypes = new Map([
  ["String", "S"],
  ["Number", "N"],
  ["Binary", "B"],
]);

/** `AWS::Serverless::SimpleTable`: a DynamoDB table with a partition key. */
export function transformSimpleTable(sam: SamResource): Generated[] {
  const { properties } = sam;
  const key = keyOf(sam);
  const optional = (name: string): Dict => (isGiven(properties[name]) ? { [name]: properties[name] } : {});
  return [
    generate(
      sam.id,
      "AWS::DynamoDB::Table",
      {
        AttributeDefinitions: [key],
        KeySchema: [{ AttributeName: key.AttributeName, KeyType: "HASH" }],
        ...optional("PointInTimeRecoverySpecification"),
        ...(isGiven(properties["ProvisionedThroughput"])
          ? optional("ProvisionedThroughput")
          : { BillingMode: "PAY_PER_REQUEST" }),
        ...optional("SSESpecification"),
        ...optional("TableName"),
        ...(isGiven(properties["Tags"]) ? { Tags: tagList(properties["Tags"]) } : {}),
      },
      sam.attributes,
      sam.resource["DependsOn"],
    ),
  ];
}

function keyOf(sam: SamResource): { readonly AttributeName: unknown; readonly AttributeType: string } {
  const key = asDict(sam.properties["PrimaryKey"]);
  if (!isGiven(key)) return { AttributeName: "id", AttributeType: "S" };
  const name = expectPresent(key["Name"], "PrimaryKey.Name", sam.culprit);
  const type = display(expectPresent(key["Type"], "PrimaryKey.Type", sam.culprit));
  const attributeType = attributeTypes.get(type);
  if (attributeType === undefined) throw resourceProblem(sam.id, `Invalid 'Type' "${type}".`);
  return { AttributeName: name, AttributeType: attributeType };
}
