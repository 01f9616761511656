import { createModels } from "../src/wire/tables/catalog.ts";
import { createConstraintChecker } from "../src/wire/constraints.ts";

/** What parsing and encoding cost, in microseconds a call, beside plain JSON. Run: `bin/node24 bench/wire.ts`. */
const models = createModels();
const lambda = await models.load("lambda");
const dynamodb = await models.load("dynamodb");
const iam = await models.load("iam");
const s3 = await models.load("s3");
const checker = createConstraintChecker();

const item = {
  TableName: "table",
  Item: Object.fromEntries(Array.from({ length: 10 }, (_each, index) => [`key${index}`, { S: `value ${index}` }])),
};
const itemText = Buffer.from(JSON.stringify(item));
const request = { method: "POST", path: "/", query: "", headers: {}, body: itemText };

measure("JSON.parse of a PutItem with 10 attributes", () => JSON.parse(itemText.toString("utf8")));
const put = operationOf(dynamodb, "PutItem");
measure("parse that PutItem", () => dynamodb.protocol("json").parse(put, request));
const parsed = dynamodb.protocol("json").parse(put, request);
measure("check its constraints", () => put.input && checker.check(put.input, parsed));
const get = operationOf(dynamodb, "GetItem");
measure("encode a GetItem with 10 attributes", () => dynamodb.protocol("json").encode(get, { Item: item.Item }, "id"));

const invoke = operationOf(lambda, "Invoke");
const invokeRequest = { ...request, path: "/2015-03-31/functions/my-function/invocations", body: Buffer.from("{}") };
measure("route an Invoke", () => lambda.router.match("POST", invokeRequest.path, new Map(), {}));
measure("parse an Invoke", () => lambda.protocol("rest-json").parse(invoke, invokeRequest));
const role = operationOf(iam, "CreateRole");
const form = Buffer.from(
  "Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument=%7B%7D&Tags.member.1.Key=a&Tags.member.1.Value=b",
);
measure("parse a CreateRole", () => iam.protocol("query").parse(role, { ...request, body: form }));
const list = operationOf(s3, "ListObjectsV2");
const contents = Array.from({ length: 100 }, (_each, index) => ({
  Key: `k/${index}`,
  Size: index,
  ETag: '"e"',
  LastModified: new Date(0),
  StorageClass: "STANDARD",
}));
measure(
  "encode a ListObjectsV2 with 100 keys",
  () => s3.protocol("rest-xml").encode(list, { Name: "b", Contents: contents }, "id"),
  5_000,
);

function operationOf(loaded: typeof lambda, name: string) {
  const operation = loaded.model.operations.get(name);
  if (!operation) throw new Error(`There is no ${name}`);
  return operation;
}

function measure(what: string, run: () => unknown, count = 100_000): void {
  for (let index = 0; index < count / 5; index += 1) run();
  const started = performance.now();
  for (let index = 0; index < count; index += 1) run();
  console.log(`${(((performance.now() - started) * 1000) / count).toFixed(2).padStart(8)} µs  ${what}`);
}
