/** What connectors may connect of the types that there are here, and what each permission grants. Source: "AWS SAM connector reference". */
export interface ConnectorProfile {
  /** A policy for the role of the function at this end; or a permission of the function that is the destination. */
  readonly grants: "source" | "destination" | "permission";
  readonly access: Readonly<Record<string, PolicyAccess | PermissionAccess>>;
  /** The function reads by an event source mapping: it waits for the policy. */
  readonly isForStream?: true;
}

/** `Source.Arn` and the like stand for what the resources are. */
export interface PolicyAccess {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

export interface PermissionAccess {
  readonly principal: string;
  readonly sourceArn: string;
  readonly sourceAccount?: string;
}

const tableAndIndexes = ["%{Destination.Arn}", "%{Destination.Arn}/index/*"];
const bucketAndObjects = ["%{Destination.Arn}", "%{Destination.Arn}/*"];
const ofApi: ConnectorProfile = {
  grants: "permission",
  access: {
    Write: {
      principal: "apigateway.amazonaws.com",
      sourceArn:
        "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:%{Source.ResourceId}/%{Source.Qualifier}",
    },
  },
};

/** By type of the source, then of the destination. */
export const connectorProfiles: Readonly<Record<string, Readonly<Record<string, ConnectorProfile>>>> = {
  "AWS::Lambda::Function": {
    "AWS::Lambda::Function": {
      grants: "source",
      access: {
        Write: { actions: ["lambda:InvokeAsync", "lambda:InvokeFunction"], resources: ["%{Destination.Arn}"] },
      },
    },
    "AWS::DynamoDB::Table": {
      grants: "source",
      access: {
        Read: {
          actions: words("GetItem Query Scan BatchGetItem ConditionCheckItem PartiQLSelect", "dynamodb"),
          resources: tableAndIndexes,
        },
        Write: {
          actions: words(
            "PutItem UpdateItem DeleteItem BatchWriteItem PartiQLDelete PartiQLInsert PartiQLUpdate",
            "dynamodb",
          ),
          resources: tableAndIndexes,
        },
      },
    },
    "AWS::S3::Bucket": {
      grants: "source",
      access: {
        Read: {
          actions: words(
            "GetObject GetObjectAcl GetObjectLegalHold GetObjectRetention GetObjectTorrent GetObjectVersion GetObjectVersionAcl GetObjectVersionForReplication GetObjectVersionTorrent ListBucket ListBucketMultipartUploads ListBucketVersions ListMultipartUploadParts",
            "s3",
          ),
          resources: bucketAndObjects,
        },
        Write: {
          actions: words(
            "AbortMultipartUpload DeleteObject DeleteObjectVersion PutObject PutObjectLegalHold PutObjectRetention RestoreObject",
            "s3",
          ),
          resources: bucketAndObjects,
        },
      },
    },
  },
  "AWS::DynamoDB::Table": {
    "AWS::Lambda::Function": {
      grants: "destination",
      isForStream: true,
      access: {
        Read: {
          actions: words("DescribeStream GetRecords GetShardIterator ListStreams", "dynamodb"),
          resources: ["%{Source.Arn}/stream/*"],
        },
      },
    },
  },
  "AWS::S3::Bucket": {
    "AWS::Lambda::Function": {
      grants: "permission",
      access: {
        Write: {
          principal: "s3.amazonaws.com",
          sourceArn: "%{Source.Arn}",
          sourceAccount: "${AWS::AccountId}",
        },
      },
    },
  },
  "AWS::ApiGateway::RestApi": { "AWS::Lambda::Function": ofApi },
  "AWS::ApiGatewayV2::Api": { "AWS::Lambda::Function": ofApi },
};

function words(names: string, service: string): readonly string[] {
  return names.split(" ").map((name) => `${service}:${name}`);
}
