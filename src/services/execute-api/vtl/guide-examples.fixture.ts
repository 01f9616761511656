import type { FakeRequest } from "./fake-scope.ts";

/** An example of the developer guide: what it prints for a template and its data. */
export interface GuideExample {
  /** The page's title. */
  readonly page: string;
  readonly what: string;
  readonly template: string;
  readonly request: FakeRequest;
  /** As JSON; a text where what is printed is none. */
  readonly result: unknown;
}

const pets = [
  { id: 1, type: "dog", price: 249.99 },
  { id: 2, type: "cat", price: 124.99 },
  { id: 3, type: "fish", price: 0.99 },
];
const bin = (category: string, type: string, price: number, unit: string, quantity: number) => ({
  category,
  type,
  price,
  unit,
  quantity,
});
const inventory = {
  department: "produce",
  categories: ["fruit", "vegetables"],
  bins: [
    bin("fruit", "apples", 1.99, "pound", 232),
    bin("fruit", "bananas", 0.19, "each", 112),
    bin("vegetables", "carrots", 1.29, "bag", 57),
  ],
};
const things = { things: { "1": {}, "2": {}, "3": {} } };
const failed = `{"errorType":"InternalServerError","httpStatus":500,"requestId":"e5849002","trace":{"function":"abc()","line":123,"file":"abc.js"}}`;
const kinesis = "Create a REST API as an Amazon Kinesis proxy";
const calc = "Create a Calc REST API with two AWS service integrations and one Lambda non-proxy integration";
const mock = "Set up mock integrations";
const variables = "Variables for data transformations";
const named = (template: string, name: string) => `{ "name" : "$input.params('${name}')", "body" : ${template} }`;

export const mappingExamples: readonly GuideExample[] = [
  {
    page: "Mapping templates for REST APIs",
    what: "a list of pets",
    template: `#set($inputRoot = $input.path('$'))
[
#foreach($elem in $inputRoot)
  {
    "description" : "Item $elem.id is a $elem.type.",
    "askingPrice" : $elem.price
  }#if($foreach.hasNext),#end

#end
]`,
    request: { body: JSON.stringify(pets) },
    result: [
      { description: "Item 1 is a dog.", askingPrice: 249.99 },
      { description: "Item 2 is a cat.", askingPrice: 124.99 },
      { description: "Item 3 is a fish.", askingPrice: 0.99 },
    ],
  },
  {
    page: "Mapping templates for REST APIs",
    what: "what is cheap, with names put together: printed without quotation marks, which is no JSON",
    template: `#set($inputRoot = $input.path('$'))
#set($cheap = 100)
[
#foreach($elem in $inputRoot)
    {
#set($name = "\${elem.type}number$elem.id")
        "name" : $name,
        "description" : "Item $elem.id is a $elem.type.",
        #if($elem.price > $cheap )#set ($afford = 'too much!') #{else}#set ($afford = $elem.price)#end
"askingPrice" : $afford
    }#if($foreach.hasNext),#end
    
#end
]`,
    request: { body: JSON.stringify(pets) },
    result:
      '[ { "name" : dognumber1, "description" : "Item 1 is a dog.", "askingPrice" : too much! }, ' +
      '{ "name" : catnumber2, "description" : "Item 2 is a cat.", "askingPrice" : too much! }, ' +
      '{ "name" : fishnumber3, "description" : "Item 3 is a fish.", "askingPrice" : 0.99 } ]',
  },
  {
    page: "Setting Up Data Transformations for REST APIs",
    what: "what a department has in its bins",
    template: `#set($inputRoot = $input.path('$'))
{
  "choices": [
#foreach($elem in $inputRoot.bins)
    {
      "kind": "$elem.type",
      "suggestedPrice": "$elem.price per $elem.unit",
      "available": $elem.quantity
    }#if($foreach.hasNext),#end
            
#end
  ]
}`,
    request: { body: JSON.stringify(inventory) },
    result: {
      choices: [
        { kind: "apples", suggestedPrice: "1.99 per pound", available: 232 },
        { kind: "bananas", suggestedPrice: "0.19 per each", available: 112 },
        { kind: "carrots", suggestedPrice: "1.29 per bag", available: 57 },
      ],
    },
  },
  {
    page: variables,
    what: "$input.params and the whole of the body",
    template: named("$input.json('$')", "name"),
    request: { querystring: { name: "Bella" }, body: JSON.stringify({ mykey: [1] }) },
    result: { name: "Bella", body: { mykey: [1] } },
  },
  {
    page: variables,
    what: "$input.params and a member of the body",
    template: named("$input.json('$.mykey')", "name"),
    request: { querystring: { name: "Bella" }, body: JSON.stringify({ mykey: { type: "fish" } }) },
    result: { name: "Bella", body: { type: "fish" } },
  },
  {
    page: variables,
    what: "a body escaped by JavaScript's rules, which is a text within a JSON text",
    template: `{ "body" : "$util.escapeJavaScript($input.json('$.mykey')).replaceAll("\\\\'","'")" }`,
    request: { body: JSON.stringify({ mykey: { it: "it's" } }) },
    result: { body: `{"it":"it's"}` },
  },
  {
    page: variables,
    what: "all three functions of $input",
    template: `{
    "id" : "$input.params('id')",
    "count" : "$input.path('$.things').size()",
    "things" : $input.json('$.things')
}`,
    request: { path: { id: "abc" }, body: JSON.stringify(things) },
    result: { id: "abc", count: "3", ...things },
  },
  {
    page: variables,
    what: "the same with escaping, as an older edition prints it: quotation marks come out escaped",
    template: `{ "things" : $util.escapeJavaScript($input.json('$.things')) }`,
    request: { body: JSON.stringify(things) },
    result: '{ "things" : {\\"1\\":{},\\"2\\":{},\\"3\\":{}} }',
  },
  {
    page: variables,
    what: "JSON within a text, parsed",
    template: `#set ($errorMessageObj = $util.parseJson($input.path('$.errorMessage')))
{
   "errorMessageObjKey2ArrVal" : $errorMessageObj.key2.arr[0]
}
`,
    request: { body: `{"errorMessage":"{\\"key1\\":\\"var1\\",\\"key2\\":{\\"arr\\":[1,2,3]}}"}` },
    result: { errorMessageObjKey2ArrVal: 1 },
  },
  {
    page: "Handle Lambda errors",
    what: "a custom error, which stands in the message as JSON",
    template: `{ "errorMessage" : $input.path('$.errorMessage') }`,
    request: { body: JSON.stringify({ errorMessage: failed }) },
    result: { errorMessage: JSON.parse(failed) },
  },
  {
    page: "Override your API's request and response parameters",
    what: "an answer in which something is looked for",
    template: `#set($inputRoot = $input.path('$'))
$input.json("$")
#if($inputRoot.toString().contains("error"))
#set($context.responseOverride.status = 400)
#end`,
    request: { body: `{"errors":[{"key":"GetPetRequest.petId","message":"The value is out of range."}]}` },
    result: { errors: [{ key: "GetPetRequest.petId", message: "The value is out of range." }] },
  },
  ...["internal", "public", undefined].map((scope): GuideExample => ({
    page: mock,
    what: `a condition on the parameter scope, which is ${scope ?? "not there"}`,
    template: `{
  #if( $input.params('scope') == "internal" )
    "statusCode": 200
  #else
    "statusCode": 500
  #end
}`,
    request: scope === undefined ? {} : { querystring: { scope } },
    result: { statusCode: scope === "internal" ? 200 : 500 },
  })),
];

export const serviceExamples: readonly GuideExample[] = [
  {
    page: calc,
    what: "operands from the query string",
    template: `{
    "a":  "$input.params('operand1')",
    "b":  "$input.params('operand2')", 
    "op": "$input.params('operator')"   
}`,
    request: { querystring: { operand1: "2", operand2: "3", operator: "+" } },
    result: { a: "2", b: "3", op: "+" },
  },
  ...(["%2F", "+"] as const).map((operator): GuideExample => ({
    page: calc,
    what: `operands from the path, with the operator ${operator}`,
    template: `{
   "a": "$input.params('operand1')",
   "b": "$input.params('operand2')",
   "op": #if($input.params('operator')=='%2F')"/"#{else}"$input.params('operator')"#end

}`,
    request: { path: { operand1: "1", operand2: "1", operator } },
    result: { a: "1", b: "1", op: operator === "+" ? "+" : "/" },
  })),
  {
    page: calc,
    what: "the answer by the model Result",
    template: `#set($inputRoot = $input.path('$'))
{
  "input" : {
    "a" : $inputRoot.a,
    "b" : $inputRoot.b,
    "op" : "$inputRoot.op"
  },
  "output" : {
    "c" : $inputRoot.c
  }
}`,
    request: { body: '{"a":1,"b":1,"op":"+","c":2}' },
    result: { input: { a: 1, b: 1, op: "+" }, output: { c: 2 } },
  },
  {
    page: kinesis,
    what: "DescribeStream and DeleteStream",
    template: `{
    "StreamName": "$input.params('stream-name')"
}`,
    request: { path: { "stream-name": "myStream" } },
    result: { StreamName: "myStream" },
  },
  ...[undefined, 3].map((count): GuideExample => ({
    page: kinesis,
    what: `CreateStream ${count === undefined ? "without" : "with"} a number of shards`,
    template: `{
    "ShardCount": #if($input.path('$.ShardCount') == '') 5 #else $input.path('$.ShardCount') #end,
    "StreamName": "$input.params('stream-name')"
}`,
    request: {
      path: { "stream-name": "yourStream" },
      body: JSON.stringify({ ShardCount: count }),
    },
    result: { ShardCount: count ?? 5, StreamName: "yourStream" },
  })),
  {
    page: kinesis,
    what: "PutRecord, whose data are encoded as JSON",
    template: `{
    "StreamName": "$input.params('stream-name')",
    "Data": "$util.base64Encode($input.json('$.Data'))",
    "PartitionKey": "$input.path('$.PartitionKey')"
}`,
    request: { path: { "stream-name": "s" }, body: '{"Data":"some data","PartitionKey":"some key"}' },
    result: {
      StreamName: "s",
      Data: Buffer.from('"some data"').toString("base64"),
      PartitionKey: "some key",
    },
  },
  {
    page: kinesis,
    what: "PutRecords, with a hyphen in the name of a member",
    template: `{
    "StreamName": "$input.params('stream-name')",
    "Records": [
       #foreach($elem in $input.path('$.records'))
          {
            "Data": "$util.base64Encode($elem.data)",
            "PartitionKey": "$elem.partition-key"
          }#if($foreach.hasNext),#end
        #end
    ]
}`,
    request: {
      path: { "stream-name": "s" },
      body: '{"records":[{"data":"some data","partition-key":"some key"},{"data":"some other data","partition-key":"some key"}]}',
    },
    result: {
      StreamName: "s",
      Records: ["some data", "some other data"].map((data) => ({
        Data: Buffer.from(data).toString("base64"),
        PartitionKey: "some key",
      })),
    },
  },
  {
    page: kinesis,
    what: "GetShardIterator",
    template: `{
    "ShardId": "$input.params('shard-id')",
    "ShardIteratorType": "TRIM_HORIZON",
    "StreamName": "$input.params('stream-name')"
}`,
    request: { path: { "stream-name": "s" }, querystring: { "shard-id": "shardId-000000000004" } },
    result: { ShardId: "shardId-000000000004", ShardIteratorType: "TRIM_HORIZON", StreamName: "s" },
  },
  {
    page: kinesis,
    what: "GetRecords, with a header",
    template: `{
    "ShardIterator": "$input.params('Shard-Iterator')"
}`,
    request: { header: { "shard-iterator": "AAAAAAAAAAFYVN3VlFy..." } },
    result: { ShardIterator: "AAAAAAAAAAFYVN3VlFy..." },
  },
  {
    page: "x-amazon-apigateway-integration.requestTemplates object",
    what: "JSON",
    template: `#set ($root=$input.path('$')) { "stage": "$root.name", "user-id": "$root.key" }`,
    request: { body: '{"name":"n","key":"k"}' },
    result: { stage: "n", "user-id": "k" },
  },
  {
    page: "x-amazon-apigateway-integration.requestTemplates object",
    what: "XML",
    template: `#set ($root=$input.path('$')) <stage>$root.name</stage> `,
    request: { body: '{"name":"n","key":"k"}' },
    result: "<stage>n</stage>",
  },
  {
    page: "Content type conversions",
    what: "a body in base 64, which a template reads by $input.body alone",
    template: `{   
    "data": "$input.body"
}`,
    request: { body: "AAEC" },
    result: { data: "AAEC" },
  },
  {
    page: "Use API Gateway stage variables",
    what: "a variable in each of its three forms",
    template: `{
  "version" : "$stageVariables.version", "url": "$stageVariables['url']", "name": "\${stageVariables['version']}"
}`,
    request: { stageVariables: { version: "v1", url: "example.com" } },
    result: { version: "v1", url: "example.com", name: "v1" },
  },
];
