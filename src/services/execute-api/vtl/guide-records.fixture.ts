import type { GuideExample } from "./guide-examples.fixture.ts";

/** The guide's records of photos, articles, invoices and employees: each with a template that keeps all of it and one that does not. */

const photo = (id: string, owner: string, secret: string, server: string, farm: number, title: string) => ({
  id,
  owner,
  secret,
  server,
  farm,
  title,
  ispublic: 1,
  isfriend: 0,
  isfamily: 0,
});
const photos = {
  photos: {
    page: 1,
    pages: "1234",
    perpage: 100,
    total: "123398",
    photo: [
      photo("12345678901", "23456789@A12", "abc123d456", "1234", 1, "Sample photo 1"),
      photo("23456789012", "34567890@B23", "bcd234e567", "2345", 2, "Sample photo 2"),
    ],
  },
};
const article = {
  count: 1,
  items: [
    {
      last_updated_date: "2015-04-24",
      expire_date: "2016-04-25",
      author_first_name: "John",
      description: "Sample Description",
      creation_date: "2015-04-20",
      title: "Sample Title",
      allow_comment: "1",
      author: { last_name: "Doe", email: "johndoe@example.com", first_name: "John" },
      body: "Sample Body",
      publish_date: "2015-04-25",
      version: "1",
      author_last_name: "Doe",
      parent_id: 2345678901,
      article_url: "http://www.example.com/articles/3456789012",
    },
  ],
  version: 1,
};
const named = (value: string, name: string) => ({ value, name });
const invoice = {
  DueDate: "2013-02-15",
  Balance: 1990.19,
  DocNumber: "SAMP001",
  Status: "Payable",
  Line: [
    {
      Description: "Sample Expense",
      Amount: 500,
      DetailType: "ExpenseDetail",
      ExpenseDetail: {
        Customer: named("ABC123", "Sample Customer"),
        Ref: named("DEF234", "Sample Construction"),
        Account: named("EFG345", "Fuel"),
        LineStatus: "Billable",
      },
    },
  ],
  Vendor: named("GHI456", "Sample Bank"),
  APRef: named("HIJ567", "Accounts Payable"),
  TotalAmt: 1990.19,
};
const address = { Line1: "123 Any Street", City: "Any City", CountrySubDivisionCode: "WA", PostalCode: "01234" };
const person = {
  Title: "Mrs.",
  GivenName: "Jane",
  MiddleName: "Lane",
  FamilyName: "Doe",
  DisplayName: "Jane Lane Doe",
  PrintOnCheckName: "Jane Lane Doe",
  Active: "true",
};
const employee = {
  QueryResponse: {
    maxResults: "1",
    startPosition: "1",
    Employee: {
      Organization: "false",
      ...person,
      PrimaryPhone: { FreeFormNumber: "505.555.9999" },
      PrimaryEmailAddr: { Address: "janedoe@example.com" },
      EmployeeType: "Regular",
      status: "Synchronized",
      Id: "ABC123",
      SyncToken: "1",
      MetaData: { CreateTime: "2015-04-26T19:45:03Z", LastUpdatedTime: "2015-04-27T21:48:23Z" },
      PrimaryAddr: address,
    },
  },
  time: "2015-04-27T22:12:32.012Z",
};

/** The template that the guide prints for data it keeps whole: each value by its path, texts in quotation marks, lists by a loop. */
function keepingTemplate(value: unknown, path: string): string {
  if (Array.isArray(value)) {
    return `[\n#foreach($elem in ${path})\n${keepingTemplate(value[0], "$elem")}#if($foreach.hasNext),#end\n\n#end\n]`;
  }
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).map(
      ([name, each]) => `"${name}": ${keepingTemplate(each, `${path}.${name}`)}`,
    );
    return `{\n${members.join(",\n")}\n}`;
  }
  return typeof value === "string" ? `"${path}"` : path;
}

const keeping = (page: string, body: object): GuideExample => ({
  page,
  what: "its input mapping template",
  template: `#set($inputRoot = $input.path('$'))\n${keepingTemplate(body, "$inputRoot")}`,
  request: { body: JSON.stringify(body) },
  result: body,
});

const people = "$inputRoot.QueryResponse.Employee";
const without = <T extends object>(value: T, ...names: readonly string[]) =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));

export const recordExamples: readonly GuideExample[] = [
  keeping("Photos Example", photos),
  {
    page: "Photos Example",
    what: "its output mapping template",
    template: `#set($inputRoot = $input.path('$'))
{
  "photos": [
#foreach($elem in $inputRoot.photos.photo)
    {
      "id": "$elem.id",
      "owner": "$elem.owner",
      "title": "$elem.title",
      "ispublic": $elem.ispublic,
      "isfriend": $elem.isfriend,
      "isfamily": $elem.isfamily
    }#if($foreach.hasNext),#end
		
#end
  ]
}`,
    request: { body: JSON.stringify(photos) },
    result: { photos: photos.photos.photo.map((each) => without(each, "secret", "server", "farm")) },
  },
  keeping("News Article Example", article),
  {
    page: "News Article Example",
    what: "its output mapping template",
    template: `#set($inputRoot = $input.path('$'))
{
  "count": $inputRoot.count,
  "items": [
#foreach($elem in $inputRoot.items)
    {
      "creation_date": "$elem.creation_date",
      "title": "$elem.title",
      "author": "$elem.author.first_name $elem.author.last_name",
      "body": "$elem.body",
      "publish_date": "$elem.publish_date",
      "article_url": "$elem.article_url"
    }#if($foreach.hasNext),#end

#end
  ],
  "version": $inputRoot.version
}`,
    request: { body: JSON.stringify(article) },
    result: {
      count: 1,
      items: [
        {
          creation_date: "2015-04-20",
          title: "Sample Title",
          author: "John Doe",
          body: "Sample Body",
          publish_date: "2015-04-25",
          article_url: "http://www.example.com/articles/3456789012",
        },
      ],
      version: 1,
    },
  },
  keeping("Sales Invoice Example", invoice),
  {
    page: "Sales Invoice Example",
    what: "its output mapping template",
    template: `#set($inputRoot = $input.path('$'))
{
  "DueDate": "$inputRoot.DueDate",
  "Balance": $inputRoot.Balance,
  "DocNumber": "$inputRoot.DocNumber",
  "Status": "$inputRoot.Status",
  "Line": [
#foreach($elem in $inputRoot.Line)
    {
      "Description": "$elem.Description",
      "Amount": $elem.Amount,
      "DetailType": "$elem.DetailType",
      "Customer": "$elem.ExpenseDetail.Customer.value ($elem.ExpenseDetail.Customer.name)",
      "Ref": "$elem.ExpenseDetail.Ref.value ($elem.ExpenseDetail.Ref.name)",
      "Account": "$elem.ExpenseDetail.Account.value ($elem.ExpenseDetail.Account.name)",
      "LineStatus": "$elem.ExpenseDetail.LineStatus"
    }#if($foreach.hasNext),#end
        
#end
  ],
  "TotalAmt": $inputRoot.TotalAmt
}`,
    request: { body: JSON.stringify(invoice) },
    result: {
      DueDate: "2013-02-15",
      Balance: 1990.19,
      DocNumber: "SAMP001",
      Status: "Payable",
      Line: [
        {
          Description: "Sample Expense",
          Amount: 500,
          DetailType: "ExpenseDetail",
          Customer: "ABC123 (Sample Customer)",
          Ref: "DEF234 (Sample Construction)",
          Account: "EFG345 (Fuel)",
          LineStatus: "Billable",
        },
      ],
      TotalAmt: 1990.19,
    },
  },
  keeping("Employee Record Example", employee),
  {
    page: "Employee Record Example",
    what: "its output mapping template",
    template: `#set($inputRoot = $input.path('$'))
{
  "QueryResponse": {
    "maxResults": "$inputRoot.QueryResponse.maxResults",
    "startPosition": "$inputRoot.QueryResponse.startPosition",
    "Employees": [
      {
        ${Object.keys(person)
          .map((name) => `"${name}": "${people}.${name}"`)
          .join(",\n        ")},
        "PrimaryPhone": "${people}.PrimaryPhone.FreeFormNumber",
        "Email" : [
          {
            "type": "primary",
            "Address": "${people}.PrimaryEmailAddr.Address"
          }
        ],
        "EmployeeType": "${people}.EmployeeType",
        "PrimaryAddr": {
          ${Object.keys(address)
            .map((name) => `"${name}": "${people}.PrimaryAddr.${name}"`)
            .join(",\n          ")}
        }
      }
    ]
  },
  "time": "$inputRoot.time"
}`,
    request: { body: JSON.stringify(employee) },
    result: {
      QueryResponse: {
        maxResults: "1",
        startPosition: "1",
        Employees: [
          {
            ...person,
            PrimaryPhone: "505.555.9999",
            Email: [{ type: "primary", Address: "janedoe@example.com" }],
            EmployeeType: "Regular",
            PrimaryAddr: address,
          },
        ],
      },
      time: "2015-04-27T22:12:32.012Z",
    },
  },
];
