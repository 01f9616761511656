import { describe, expect, test } from "vitest";
import { compileTemplate } from "./template.ts";
import { fakeScope, render } from "./fake-scope.ts";

/** Each expectation follows "Variables for data transformations for API Gateway" unless it names another page. */
const pets = `{"pets":[{"id":1,"type":"dog","price":249.99},{"id":2,"type":"cat","price":124.99},{"id":3,"type":"fish","price":0.99}]}`;

describe("$input", () => {
  test("$input.body is the raw payload, {} without one", () => {
    expect(render("$input.body", pets)).toBe(pets);
    expect(render("$input.body $input.json('$')")).toBe("{} {}");
  });

  test("$input.json(x) is the result as JSON", () => {
    expect(render("$input.json('$.pets[0]')", pets)).toBe('{"id":1,"type":"dog","price":249.99}');
    expect(render("$input.json('$.pets[1].type')", pets)).toBe('"cat"');
    expect(render('$input.json("$")', '{"a":"x/y \\u20ac\\n", "b":1.0, "c":null, "d":true}')).toBe(
      '{"a":"x/y \\u20AC\\n","b":1.0,"c":null,"d":true}',
    );
    expect(render("$input.json('$.missing')", pets)).toBe('""');
  });

  test("$input.path(x) is an object of the template language", () => {
    expect(render("$input.path('$.pets').size() $input.path('$.pets').count()", pets)).toBe("3 3");
    expect(render("$input.path('$.pets')[2].type", pets)).toBe("fish");
    expect(render("[$input.path('$.missing')]", pets)).toBe("[]");
    expect(render("#if($input.path('$.missing'))a#{else}b#end", pets)).toBe("b");
  });

  test("objects print as Java's maps, and lists as JSON, whatever holds them", () => {
    expect(render("$input.path('$')", '{"a":{"b":1},"list":[{"foo":"x/y"},1.5]}')).toBe(
      '{a={b=1}, list=[{"foo":"x\\/y"},1.5]}',
    );
  });

  const request = {
    path: { id: "path-id" },
    querystring: { id: "query-id", q: "query" },
    header: { id: "header-id", q: "header-q", "X-Only": "header" },
  };

  test("$input.params(x) looks in path, query string and headers, in this order", () => {
    expect(
      render("$input.params('id') $input.params('q') $input.params('x-only') [$input.params('none')]", request),
    ).toBe("path-id query header []");
  });

  test("$input.params() is a map of the three", () => {
    expect(
      render("$input.params().keySet() $input.params().querystring.q $input.params().get('header')", request),
    ).toBe("[path, querystring, header] query {id=header-id, q=header-q, X-Only=header}");
  });
});

describe("$stageVariables", () => {
  test.each(["$stageVariables.url", "$stageVariables['url']", "${stageVariables['url']}", "${stageVariables.url}"])(
    "%s",
    (template) => {
      expect(render(template, { stageVariables: { url: "example.com" } })).toBe("example.com");
    },
  );
});

describe("$util", () => {
  test("escapeJavaScript escapes by JavaScript's rules, single quotes too, which replaceAll turns back", () => {
    const data = { body: '{"t":"it\'s \\"a\\"\\\\\\n/é"}' };
    expect(render("$util.escapeJavaScript($input.path('$.t'))", data)).toBe(`it\\'s \\"a\\"\\\\\\n\\/\\u00E9`);
    expect(render(`$util.escapeJavaScript("it's").replaceAll("\\\\'","'")`)).toBe("it's");
  });

  test("parseJson makes an object of JSON in a text", () => {
    const body = JSON.stringify({ errorMessage: JSON.stringify({ key1: "var1", key2: { arr: [1, 2, 3] } }) });
    const template = `#set ($errorMessageObj = $util.parseJson($input.path('$.errorMessage')))
{
   "errorMessageObjKey2ArrVal" : $errorMessageObj.key2.arr[0]
}
`;
    expect(JSON.parse(render(template, body))).toEqual({ errorMessageObjKey2ArrVal: 1 });
  });

  test.each([
    ["urlEncode", "x=a+b c*é'", "x%3Da%2Bb+c*%C3%A9%27"],
    ["urlDecode", "x%3Da%2Bb+c*%C3%A9", "x=a+b c*é"],
    ["base64Encode", "é1", "w6kx"],
    ["base64Decode", "w6kx", "é1"],
  ])("%s", (name, given, expected) => {
    expect(render(`$util.${name}($input.path('$'))`, JSON.stringify(given))).toBe(expected);
  });

  test("nothing of nothing is nothing", () => {
    expect(render("[$util.escapeJavaScript($missing)][$util.urlEncode($missing)]")).toBe("[][]");
  });
});

describe("$context", () => {
  const context = {
    stage: "prod",
    "identity.sourceIp": "192.0.2.1",
    "identity.userAgent": "curl",
    "authorizer.principalId": "user",
    "authorizer.numKey": "1",
    "authorizer.claims.sub": "abc",
    requestTimeEpoch: 1_583_349_317_135,
  };

  test("variables are read by name; what does not exist is empty", () => {
    expect(
      render(
        "$context.stage $context.identity.sourceIp $context.requestTimeEpoch [$context.identity.apiKey][$context.no.such]",
        {
          context,
        },
      ),
    ).toBe("prod 192.0.2.1 1583349317135 [][]");
  });

  test("calling $context.authorizer.claims itself gives nothing, its properties their values", () => {
    expect(
      render("[$context.authorizer.claims][$context.authorizer.claims.sub][$context.authorizer.numKey]", { context }),
    ).toBe("[][abc][1]");
  });

  test("a level can be gone through as a map", () => {
    expect(render("#foreach($k in $context.identity.keySet())$k=$context.identity.get($k);#end", { context })).toBe(
      "sourceIp=192.0.2.1;userAgent=curl;",
    );
  });

  /** "Override your API's request and response parameters and status codes". */
  test("overrides are kept beside what is printed, and are final", () => {
    const template = `#set($header1Override = "foo")
#set($header3Value = "$input.params('header1')$input.params('header2')")
$input.json("$")
#set($context.requestOverride.header.header3 = $header3Value)
#set($context.requestOverride.header.header1 = $header1Override)
#set($context.requestOverride.header.multivalueheader=["a", "b"])
#set($context.requestOverride.querystring.q = 1)
#set($context.requestOverride.path.p = "x")
#set($context.responseOverride.status = 400)
#set($context.responseOverride.header["x-h"] = "v")`;
    const scope = fakeScope({ header: { header1: "header1Val", header2: "header2Val" } });
    expect(compileTemplate(template).render(scope)).toBe("{}\n");
    const { request, response } = scope.context.overrides;
    expect([...request.header]).toEqual([
      ["header3", "header1Valheader2Val"],
      ["header1", "foo"],
      ["multivalueheader", expect.objectContaining({ items: ["a", "b"] })],
    ]);
    expect([...request.querystring, ...request.path]).toEqual([
      ["q", 1],
      ["p", "x"],
    ]);
    expect([response.status, ...response.header]).toEqual([400, ["x-h", "v"]]);
    const again = `${template}#set($context.responseOverride.status = 500)`;
    expect(() => compileTemplate(again).render(fakeScope())).toThrow("status is overridden more than once");
  });
});

/** "Examples using variables for mapping template transformations for API Gateway". */
describe("the developer guide's examples", () => {
  test("several $context variables for the endpoint", () => {
    const names = {
      stage: "stage",
      request_id: "requestId",
      api_id: "apiId",
      resource_path: "resourcePath",
      resource_id: "resourceId",
      http_method: "httpMethod",
      source_ip: "identity.sourceIp",
      "user-agent": "identity.userAgent",
      account_id: "identity.accountId",
      api_key: "identity.apiKey",
      caller: "identity.caller",
      user: "identity.user",
      user_arn: "identity.userArn",
    };
    const entries = Object.entries(names);
    const template = `{ ${entries.map(([key, name]) => `"${key}" : "$context.${name}"`).join(",\n")} }`;
    // As printed there: whoever has not signed, or shown a key, is empty.
    const context = {
      stage: "prod",
      requestId: "abcdefg-000-000-0000-abcdefg",
      apiId: "abcd1234",
      resourcePath: "/",
      resourceId: "efg567",
      httpMethod: "GET",
      "identity.sourceIp": "192.0.2.1",
      "identity.userAgent": "curl/7.84.0",
    };
    const values = new Map<string, string>(Object.entries(context));
    expect(JSON.parse(render(template, { context }))).toEqual(
      Object.fromEntries(entries.map(([key, name]) => [key, values.get(name) ?? ""])),
    );
  });

  test("all request parameters as a JSON payload", () => {
    const template = `#set($allParams = $input.params())
{
  "params" : {
    #foreach($type in $allParams.keySet())
    #set($params = $allParams.get($type))
    "$type" : {
      #foreach($paramName in $params.keySet())
      "$paramName" : "$util.escapeJavaScript($params.get($paramName))"
      #if($foreach.hasNext),#end
      #end
    }
    #if($foreach.hasNext),#end
    #end
  }
}`;
    const request = {
      path: { path_name: "path_value" },
      querystring: { one: "1", two: "2" },
      header: { header_name: "header_value" },
    };
    expect(JSON.parse(render(template, request))).toEqual({ params: request });
  });

  test("a subsection of a payload, with parameters", () => {
    const template = `{
    "id" : "$input.params('id')",
    "count" : "$input.path('$.things').size()",
    "things" : $input.json('$.things')
}`;
    const body = '{"things" : {"1" : {}, "2" : {}, "3" : {}}}';
    expect(JSON.parse(render(template, { path: { id: "abc" }, body }))).toEqual({
      id: "abc",
      count: "3",
      things: { 1: {}, 2: {}, 3: {} },
    });
  });

  test("JSONPath: a member of the body, and the whole of it", () => {
    const request = { querystring: { name: "Bella" }, body: '{"mykey": {"type": "fish"}, "other": [1]}' };
    const template = `{ "name" : "$input.params('name')", "body" : $input.json('$.mykey'), "all": $input.json('$') }`;
    expect(JSON.parse(render(template, request))).toEqual({
      name: "Bella",
      body: { type: "fish" },
      all: { mykey: { type: "fish" }, other: [1] },
    });
  });

  /** "Example data models and mapping templates": the photo album, with data of our own. */
  test("a photo album", () => {
    const body = JSON.stringify({
      photos: {
        page: 1,
        pages: "12",
        perpage: 100,
        total: "2",
        photo: [photo("1", "Ana", "Silva", true), photo("2", "Jo", "Doe", false)],
      },
    });
    const template = `#set($inputRoot = $input.path('$'))
{
    "photos": [
#foreach($elem in $inputRoot.photos.photo)
        {
            "id": "$elem.id",
            "photographedBy": "$elem.photographer_first_name $elem.photographer_last_name",
            "title": "$elem.title",
            "ispublic": $elem.ispublic,
            "isfriend": $elem.isfriend,
            "isfamily": $elem.isfamily
        }#if($foreach.hasNext),#end

#end
    ]
}`;
    expect(JSON.parse(render(template, body))).toEqual({
      photos: [
        { id: "1", photographedBy: "Ana Silva", title: "Photo 1", ispublic: true, isfriend: false, isfamily: false },
        { id: "2", photographedBy: "Jo Doe", title: "Photo 2", ispublic: false, isfriend: false, isfamily: false },
      ],
    });
  });

  /** "Mapping templates for REST APIs": a map of names to values, and a conditional. */
  test("a list made into an object, with a condition", () => {
    const template = `#set($items = $input.path('$.items'))
#set($found = {})
#foreach($item in $items)
#if($item.price > 1 && !$item.sold)
#set($found[$item.name] = $item.price)
#end
#end
{#foreach($name in $found.keySet())"$name": $found.get($name)#if($foreach.hasNext), #end#end}`;
    const body =
      '{"items":[{"name":"a","price":2.5},{"name":"b","price":1},{"name":"c","price":3,"sold":true},{"name":"d","price":4}]}';
    expect(JSON.parse(render(template, body))).toEqual({ a: 2.5, d: 4 });
  });
});

function photo(id: string, first: string, last: string, isPublic: boolean) {
  return {
    id,
    owner: `${id}@A12`,
    photographer_first_name: first,
    photographer_last_name: last,
    secret: "s3",
    farm: 1,
    title: `Photo ${id}`,
    ispublic: isPublic,
    isfriend: false,
    isfamily: false,
  };
}
