import type { ManagedPolicy } from "./model.ts";

/** AWS's managed policies that serverless templates name. Facts, from the AWS managed policy reference. */
interface AwsPolicy {
  /** Path and name. */
  readonly at: string;
  readonly id: string;
  readonly version: number;
  readonly statements: readonly PolicyStatement[];
}

interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: "Allow";
  readonly Action?: readonly string[] | string;
  readonly NotAction?: readonly string[];
  readonly Resource: readonly string[] | string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[] | string>>>>;
}

const allow = (Action: readonly string[] | string, Resource: readonly string[] | string = "*"): PolicyStatement => ({
  Effect: "Allow",
  Action,
  Resource,
});

const passTo = (service: string): PolicyStatement => ({
  Effect: "Allow",
  Action: "iam:PassRole",
  Resource: "*",
  Condition: { StringEquals: { "iam:PassedToService": service } },
});

const writeLogs = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"];
const readLambda = [
  "cloudformation:DescribeStacks",
  "cloudformation:ListStackResources",
  "cloudwatch:ListMetrics",
  "cloudwatch:GetMetricData",
  "ec2:DescribeSecurityGroups",
  "ec2:DescribeSubnets",
  "ec2:DescribeVpcs",
  "kms:ListAliases",
  "iam:GetPolicy",
  "iam:GetPolicyVersion",
  "iam:GetRole",
  "iam:GetRolePolicy",
  "iam:ListAttachedRolePolicies",
  "iam:ListRolePolicies",
  "iam:ListRoles",
];
const stateMachines = ["states:DescribeStateMachine", "states:ListStateMachines"];
const tags = ["tag:GetResources"];
const traces = ["xray:GetTraceSummaries", "xray:BatchGetTraces"];
const lambdaLogs: PolicyStatement = allow(
  ["logs:DescribeLogStreams", "logs:GetLogEvents", "logs:FilterLogEvents", "logs:StartLiveTail", "logs:StopLiveTail"],
  "arn:aws:logs:*:*:log-group:/aws/lambda/*",
);
const writeTraces = [
  "xray:PutTraceSegments",
  "xray:PutTelemetryRecords",
  "xray:GetSamplingRules",
  "xray:GetSamplingTargets",
  "xray:GetSamplingStatisticSummaries",
];

const policies: readonly AwsPolicy[] = [
  { at: "/AdministratorAccess", id: "ANPAIWMBCKSKIEE64ZLYK", version: 1, statements: [allow("*")] },
  {
    at: "/PowerUserAccess",
    id: "ANPAJYRXTHIB4FOVS3ZXS",
    version: 5,
    statements: [
      { Effect: "Allow", NotAction: ["iam:*", "organizations:*", "account:*"], Resource: "*" },
      allow([
        "account:GetAccountInformation",
        "account:GetPrimaryEmail",
        "account:ListRegions",
        "iam:CreateServiceLinkedRole",
        "iam:DeleteServiceLinkedRole",
        "iam:ListRoles",
        "organizations:DescribeOrganization",
      ]),
    ],
  },
  {
    at: "/service-role/AWSLambdaBasicExecutionRole",
    id: "ANPAJNCQGXC42545SKXIK",
    version: 1,
    statements: [allow(writeLogs)],
  },
  {
    at: "/service-role/AWSLambdaVPCAccessExecutionRole",
    id: "ANPAJVTME3YLVNL72YR2K",
    version: 3,
    statements: [
      {
        Sid: "AWSLambdaVPCAccessExecutionPermissions",
        ...allow([
          ...writeLogs,
          "ec2:CreateNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSubnets",
          "ec2:DeleteNetworkInterface",
          "ec2:AssignPrivateIpAddresses",
          "ec2:UnassignPrivateIpAddresses",
        ]),
      },
    ],
  },
  {
    at: "/service-role/AWSLambdaSQSQueueExecutionRole",
    id: "ANPAJFWJZI6JNND4TSELK",
    version: 1,
    statements: [allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", ...writeLogs])],
  },
  {
    at: "/service-role/AWSLambdaKinesisExecutionRole",
    id: "ANPAJHOLKJPXV4GBRMJUQ",
    version: 2,
    statements: [
      allow([
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
        "kinesis:ListStreams",
        "kinesis:SubscribeToShard",
        ...writeLogs,
      ]),
    ],
  },
  {
    at: "/service-role/AWSLambdaDynamoDBExecutionRole",
    id: "ANPAIP7WNAGMIPYNW4WQG",
    version: 1,
    statements: [
      allow([
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
        ...writeLogs,
      ]),
    ],
  },
  {
    at: "/service-role/AWSLambdaRole",
    id: "ANPAJX4DPCRGTC4NFDUXI",
    version: 1,
    statements: [allow(["lambda:InvokeFunction"])],
  },
  {
    at: "/AWSLambdaExecute",
    id: "ANPAJE5FX7FQZSU5XAKGO",
    version: 1,
    statements: [allow(["logs:*"], "arn:aws:logs:*:*:*"), allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::*")],
  },
  {
    at: "/AWSLambda_FullAccess",
    id: "ANPAZKAPJZG4LGFUVHNSK",
    version: 2,
    statements: [
      allow([...readLambda, "lambda:*", "logs:DescribeLogGroups", ...stateMachines, ...tags, ...traces]),
      passTo("lambda.amazonaws.com"),
      lambdaLogs,
    ],
  },
  {
    at: "/AWSLambda_ReadOnlyAccess",
    id: "ANPAZKAPJZG4DOGVOAIUM",
    version: 2,
    statements: [
      allow([
        ...readLambda,
        "logs:DescribeLogGroups",
        "lambda:Get*",
        "lambda:List*",
        ...stateMachines,
        ...tags,
        ...traces,
      ]),
      lambdaLogs,
    ],
  },
  {
    at: "/service-role/AWSLambdaENIManagementAccess",
    id: "ANPAJXAW2Q3KPTURUT2QC",
    version: 1,
    statements: [
      allow([
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
      ]),
    ],
  },
  {
    at: "/CloudWatchLambdaInsightsExecutionRolePolicy",
    id: "ANPAZKAPJZG4MG3YPJ2XE",
    version: 1,
    statements: [
      allow(["logs:CreateLogGroup"]),
      allow(["logs:CreateLogStream", "logs:PutLogEvents"], "arn:aws:logs:*:*:log-group:/aws/lambda-insights:*"),
    ],
  },
  { at: "/AWSXRayDaemonWriteAccess", id: "ANPAIOWNPXFKSQNPSJKNC", version: 2, statements: [allow(writeTraces)] },
  { at: "/AWSXrayWriteOnlyAccess", id: "ANPAIAACM4LMYSRGBCTM6", version: 2, statements: [allow(writeTraces)] },
  {
    at: "/AmazonS3FullAccess",
    id: "ANPAIFIR6V6BVTRAHWINE",
    version: 2,
    statements: [allow(["s3:*", "s3-object-lambda:*"])],
  },
  {
    at: "/AmazonS3ReadOnlyAccess",
    id: "ANPAIZTJ4DXE7G6AGAE6M",
    version: 3,
    statements: [allow(["s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*"])],
  },
  { at: "/AmazonSQSFullAccess", id: "ANPAI65L554VRJ33ECQS6", version: 1, statements: [allow(["sqs:*"])] },
  {
    at: "/AmazonSQSReadOnlyAccess",
    id: "ANPAIUGSSQY362XGCM6KW",
    version: 2,
    statements: [
      allow([
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ListDeadLetterSourceQueues",
        "sqs:ListQueues",
        "sqs:ListMessageMoveTasks",
        "sqs:ListQueueTags",
      ]),
    ],
  },
  {
    at: "/AmazonSNSFullAccess",
    id: "ANPAJWEKLCXXUNT2SOLSG",
    version: 1,
    statements: [allow(["sns:*"])],
  },
  {
    at: "/AmazonSNSReadOnlyAccess",
    id: "ANPAIZGQCQTFOFPMHSB6W",
    version: 1,
    statements: [allow(["sns:GetTopicAttributes", "sns:List*"])],
  },
  { at: "/AmazonKinesisFullAccess", id: "ANPAIVF32HAMOXCUYRAYE", version: 1, statements: [allow("kinesis:*")] },
  {
    at: "/AmazonKinesisReadOnlyAccess",
    id: "ANPAIOCMTDT5RLKZ2CAJO",
    version: 1,
    statements: [allow(["kinesis:Get*", "kinesis:List*", "kinesis:Describe*"])],
  },
  {
    at: "/CloudWatchLogsFullAccess",
    id: "ANPAJ3ZGNWK2R5HW5BQFO",
    version: 2,
    statements: [allow(["logs:*", "cloudwatch:GenerateQuery"])],
  },
  {
    at: "/CloudWatchLogsReadOnlyAccess",
    id: "ANPAJ2YIYDYSNNEHK3VKW",
    version: 6,
    statements: [
      allow([
        "logs:Describe*",
        "logs:Get*",
        "logs:List*",
        "logs:StartQuery",
        "logs:StopQuery",
        "logs:TestMetricFilter",
        "logs:FilterLogEvents",
        "logs:StartLiveTail",
        "logs:StopLiveTail",
        "cloudwatch:GenerateQuery",
      ]),
    ],
  },
  {
    at: "/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
    id: "ANPAIK4GFO7HLKYN64ASK",
    version: 1,
    statements: [
      allow([
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        "logs:GetLogEvents",
        "logs:FilterLogEvents",
      ]),
    ],
  },
  {
    at: "/AmazonAPIGatewayInvokeFullAccess",
    id: "ANPAIIWAX2NOOQJ4AIEQ6",
    version: 1,
    statements: [allow(["execute-api:Invoke", "execute-api:ManageConnections"], "arn:aws:execute-api:*:*:*")],
  },
  {
    at: "/AmazonAPIGatewayAdministrator",
    id: "ANPAJ4PT6VY5NLKTNUYSI",
    version: 1,
    statements: [allow(["apigateway:*"], "arn:aws:apigateway:*::/*")],
  },
  {
    at: "/AWSCloudFormationFullAccess",
    id: "ANPAZKAPJZG4LBOVXPMLI",
    version: 1,
    statements: [allow(["cloudformation:*"])],
  },
  {
    at: "/AWSCloudFormationReadOnlyAccess",
    id: "ANPAJWVBEE4I2POWLODLW",
    version: 2,
    statements: [
      allow([
        "cloudformation:Describe*",
        "cloudformation:EstimateTemplateCost",
        "cloudformation:Get*",
        "cloudformation:List*",
        "cloudformation:ValidateTemplate",
        "cloudformation:Detect*",
      ]),
    ],
  },
  {
    at: "/IAMFullAccess",
    id: "ANPAI7XKCFMBPM3QQRRVQ",
    version: 2,
    statements: [
      allow([
        "iam:*",
        "organizations:DescribeAccount",
        "organizations:DescribeOrganization",
        "organizations:DescribeOrganizationalUnit",
        "organizations:DescribePolicy",
        "organizations:ListChildren",
        "organizations:ListParents",
        "organizations:ListPoliciesForTarget",
        "organizations:ListRoots",
        "organizations:ListPolicies",
        "organizations:ListTargetsForPolicy",
      ]),
    ],
  },
  {
    at: "/IAMReadOnlyAccess",
    id: "ANPAJKSO7NDY4T57MWDSQ",
    version: 4,
    statements: [
      allow([
        "iam:GenerateCredentialReport",
        "iam:GenerateServiceLastAccessedDetails",
        "iam:Get*",
        "iam:List*",
        "iam:SimulateCustomPolicy",
        "iam:SimulatePrincipalPolicy",
      ]),
    ],
  },
];

const createdAt = Date.parse("2015-02-06T18:40:00Z");

// Templates name policies of these services whose documents list a hundred actions of other consoles: those are absent.
const byArn: ReadonlyMap<string, ManagedPolicy> = new Map(
  policies.map((policy) => {
    const slash = policy.at.lastIndexOf("/");
    const id = `v${policy.version}`;
    const arn = `arn:aws:iam::aws:policy${policy.at}`;
    const document = JSON.stringify({ Version: "2012-10-17", Statement: policy.statements });
    return [
      arn,
      {
        v: 1,
        name: policy.at.slice(slash + 1),
        id: policy.id,
        path: policy.at.slice(0, slash + 1),
        arn,
        description: undefined,
        createdAt,
        updatedAt: createdAt,
        defaultVersionId: id,
        nextVersion: policy.version + 1,
        versions: [{ id, document, createdAt }],
        tags: {},
      },
    ];
  }),
);

export function findAwsPolicy(arn: string): ManagedPolicy | undefined {
  return byArn.get(arn);
}

export function awsPolicies(): readonly ManagedPolicy[] {
  return [...byArn.values()];
}
