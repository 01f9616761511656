/**
 * The policy templates of the AWS SAM specification: what each allows, on what, and with which parameters. Actions are grouped by
 * service (`sqs:A,B` is `sqs:A` and `sqs:B`). A `${variable}` that is not a pseudo parameter stands for the parameter of that name,
 * whatever the case of its letters.
 */
export interface PolicyTemplate {
  readonly parameters: readonly string[];
  readonly statements: readonly {
    readonly allow: string;
    /** The action stands alone, not in a list. */
    readonly single?: true;
    readonly on: string | readonly string[];
    /** Condition operator, key and value. */
    readonly when?: readonly [operator: string, key: string, value: string];
  }[];
}

export const policyTemplateData: Readonly<Record<string, PolicyTemplate>> = {
  AMIDescribePolicy: {
    parameters: [],
    statements: [
      {
        allow: "ec2:DescribeImages",
        on: "*",
      },
    ],
  },
  AWSSecretsManagerGetSecretValuePolicy: {
    parameters: ["SecretArn"],
    statements: [
      {
        allow: "secretsmanager:GetSecretValue",
        on: "${secretArn}",
      },
    ],
  },
  AWSSecretsManagerRotationPolicy: {
    parameters: ["FunctionName"],
    statements: [
      {
        allow: "secretsmanager:DescribeSecret,GetSecretValue,PutSecretValue,UpdateSecretVersionStage",
        on: "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:*",
        when: [
          "StringEquals",
          "secretsmanager:resource/AllowRotationLambdaArn",
          "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${functionName}",
        ],
      },
      {
        allow: "secretsmanager:GetRandomPassword",
        on: "*",
      },
    ],
  },
  AcmGetCertificatePolicy: {
    parameters: ["CertificateArn"],
    statements: [
      {
        allow: "acm:GetCertificate",
        on: "${certificateArn}",
      },
    ],
  },
  AthenaQueryPolicy: {
    parameters: ["WorkGroupName"],
    statements: [
      {
        allow:
          "athena:ListWorkGroups,GetExecutionEngine,GetExecutionEngines,GetNamespace,GetCatalogs,GetNamespaces,GetTables,GetTable",
        on: "*",
      },
      {
        allow:
          "athena:StartQueryExecution,GetQueryResults,DeleteNamedQuery,GetNamedQuery,ListQueryExecutions,StopQueryExecution,GetQueryResultsStream,ListNamedQueries,CreateNamedQuery,GetQueryExecution,BatchGetNamedQuery,BatchGetQueryExecution,GetWorkGroup",
        on: "arn:${AWS::Partition}:athena:${AWS::Region}:${AWS::AccountId}:workgroup/${workgroupName}",
      },
    ],
  },
  CloudFormationDescribeStacksPolicy: {
    parameters: [],
    statements: [
      {
        allow: "cloudformation:DescribeStacks",
        on: "arn:${AWS::Partition}:cloudformation:${AWS::Region}:${AWS::AccountId}:stack/*",
      },
    ],
  },
  CloudWatchDashboardPolicy: {
    parameters: [],
    statements: [
      {
        allow: "cloudwatch:GetDashboard,ListDashboards,PutDashboard,ListMetrics",
        on: "*",
      },
    ],
  },
  CloudWatchDescribeAlarmHistoryPolicy: {
    parameters: [],
    statements: [
      {
        allow: "cloudwatch:DescribeAlarmHistory",
        on: "*",
      },
    ],
  },
  CloudWatchPutMetricPolicy: {
    parameters: [],
    statements: [
      {
        allow: "cloudwatch:PutMetricData",
        on: "*",
      },
    ],
  },
  CodeCommitCrudPolicy: {
    parameters: ["RepositoryName"],
    statements: [
      {
        allow:
          "codecommit:GitPull,GitPush,CreateBranch,DeleteBranch,GetBranch,ListBranches,MergeBranchesByFastForward,MergeBranchesBySquash,MergeBranchesByThreeWay,UpdateDefaultBranch,BatchDescribeMergeConflicts,CreateUnreferencedMergeCommit,DescribeMergeConflicts,GetMergeCommit,GetMergeOptions,BatchGetPullRequests,CreatePullRequest,DescribePullRequestEvents,GetCommentsForPullRequest,GetCommitsFromMergeBase,GetMergeConflicts,GetPullRequest,ListPullRequests,MergePullRequestByFastForward,MergePullRequestBySquash,MergePullRequestByThreeWay,PostCommentForPullRequest,UpdatePullRequestDescription,UpdatePullRequestStatus,UpdatePullRequestTitle,DeleteFile,GetBlob,GetFile,GetFolder,PutFile,DeleteCommentContent,GetComment,GetCommentsForComparedCommit,PostCommentForComparedCommit,PostCommentReply,UpdateComment,BatchGetCommits,CreateCommit,GetCommit,GetCommitHistory,GetDifferences,GetObjectIdentifier,GetReferences,GetTree,GetRepository,UpdateRepositoryDescription,ListTagsForResource,TagResource,UntagResource,GetRepositoryTriggers,PutRepositoryTriggers,TestRepositoryTriggers,GetBranch,GetCommit,UploadArchive,GetUploadArchiveStatus,CancelUploadArchive",
        on: "arn:${AWS::Partition}:codecommit:${AWS::Region}:${AWS::AccountId}:${repositoryName}",
      },
    ],
  },
  CodeCommitReadPolicy: {
    parameters: ["RepositoryName"],
    statements: [
      {
        allow:
          "codecommit:GitPull,GetBranch,ListBranches,BatchDescribeMergeConflicts,DescribeMergeConflicts,GetMergeCommit,GetMergeOptions,BatchGetPullRequests,DescribePullRequestEvents,GetCommentsForPullRequest,GetCommitsFromMergeBase,GetMergeConflicts,GetPullRequest,ListPullRequests,GetBlob,GetFile,GetFolder,GetComment,GetCommentsForComparedCommit,BatchGetCommits,GetCommit,GetCommitHistory,GetDifferences,GetObjectIdentifier,GetReferences,GetTree,GetRepository,ListTagsForResource,GetRepositoryTriggers,TestRepositoryTriggers,GetBranch,GetCommit,GetUploadArchiveStatus",
        on: "arn:${AWS::Partition}:codecommit:${AWS::Region}:${AWS::AccountId}:${repositoryName}",
      },
    ],
  },
  CodePipelineLambdaExecutionPolicy: {
    parameters: [],
    statements: [
      {
        allow: "codepipeline:PutJobSuccessResult,PutJobFailureResult",
        on: "*",
      },
    ],
  },
  CodePipelineReadOnlyPolicy: {
    parameters: ["PipelineName"],
    statements: [
      {
        allow: "codepipeline:ListPipelineExecutions",
        on: "arn:${AWS::Partition}:codepipeline:${AWS::Region}:${AWS::AccountId}:${pipelinename}",
      },
    ],
  },
  ComprehendBasicAccessPolicy: {
    parameters: [],
    statements: [
      {
        allow:
          "comprehend:BatchDetectKeyPhrases,DetectDominantLanguage,DetectEntities,BatchDetectEntities,DetectKeyPhrases,DetectSentiment,BatchDetectDominantLanguage,BatchDetectSentiment",
        on: "*",
      },
    ],
  },
  CostExplorerReadOnlyPolicy: {
    parameters: [],
    statements: [
      {
        allow:
          "ce:GetCostAndUsage,GetDimensionValues,GetReservationCoverage,GetReservationPurchaseRecommendation,GetReservationUtilization,GetTags",
        on: "*",
      },
    ],
  },
  DynamoDBBackupFullAccessPolicy: {
    parameters: ["TableName"],
    statements: [
      {
        allow: "dynamodb:CreateBackup,DescribeContinuousBackups",
        on: "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${tableName}",
      },
      {
        allow: "dynamodb:DeleteBackup,DescribeBackup,ListBackups",
        on: "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${tableName}/backup/*",
      },
    ],
  },
  DynamoDBCrudPolicy: {
    parameters: ["TableName"],
    statements: [
      {
        allow:
          "dynamodb:GetItem,DeleteItem,PutItem,Scan,Query,UpdateItem,BatchWriteItem,BatchGetItem,DescribeTable,ConditionCheckItem",
        on: [
          "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${tableName}",
          "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${tableName}/index/*",
        ],
      },
    ],
  },
  DynamoDBReadPolicy: {
    parameters: ["TableName"],
    statements: [
      {
        allow: "dynamodb:GetItem,Scan,Query,BatchGetItem,DescribeTable",
        on: [
          "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${tableName}",
          "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${tableName}/index/*",
        ],
      },
    ],
  },
  DynamoDBReconfigurePolicy: {
    parameters: ["TableName"],
    statements: [
      {
        allow: "dynamodb:UpdateTable",
        on: "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${tableName}",
      },
    ],
  },
  DynamoDBRestoreFromBackupPolicy: {
    parameters: ["TableName"],
    statements: [
      {
        allow: "dynamodb:RestoreTableFromBackup",
        on: "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${tableName}/backup/*",
      },
      {
        allow: "dynamodb:PutItem,UpdateItem,DeleteItem,GetItem,Query,Scan,BatchWriteItem",
        on: "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${tableName}",
      },
    ],
  },
  DynamoDBStreamReadPolicy: {
    parameters: ["StreamName", "TableName"],
    statements: [
      {
        allow: "dynamodb:DescribeStream,GetRecords,GetShardIterator",
        on: "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${tableName}/stream/${streamName}",
      },
      {
        allow: "dynamodb:ListStreams",
        on: "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${tableName}/stream/*",
      },
    ],
  },
  DynamoDBWritePolicy: {
    parameters: ["TableName"],
    statements: [
      {
        allow: "dynamodb:PutItem,UpdateItem,BatchWriteItem",
        on: [
          "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${tableName}",
          "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${tableName}/index/*",
        ],
      },
    ],
  },
  EC2CopyImagePolicy: {
    parameters: ["ImageId"],
    statements: [
      {
        allow: "ec2:CopyImage",
        on: "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:image/${imageId}",
      },
    ],
  },
  EC2DescribePolicy: {
    parameters: [],
    statements: [
      {
        allow: "ec2:DescribeRegions,DescribeInstances",
        on: "*",
      },
    ],
  },
  EFSWriteAccessPolicy: {
    parameters: ["AccessPoint", "FileSystem"],
    statements: [
      {
        allow: "elasticfilesystem:ClientMount,ClientWrite",
        on: "arn:${AWS::Partition}:elasticfilesystem:${AWS::Region}:${AWS::AccountId}:file-system/${FileSystem}",
        when: [
          "StringEquals",
          "elasticfilesystem:AccessPointArn",
          "arn:${AWS::Partition}:elasticfilesystem:${AWS::Region}:${AWS::AccountId}:access-point/${AccessPoint}",
        ],
      },
    ],
  },
  EKSDescribePolicy: {
    parameters: [],
    statements: [
      {
        allow: "eks:DescribeCluster,ListClusters",
        on: "*",
      },
    ],
  },
  EcsRunTaskPolicy: {
    parameters: ["TaskDefinition"],
    statements: [
      {
        allow: "ecs:RunTask",
        on: "arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:task-definition/${taskDefinition}",
      },
    ],
  },
  ElasticMapReduceAddJobFlowStepsPolicy: {
    parameters: ["ClusterId"],
    statements: [
      {
        allow: "elasticmapreduce:AddJobFlowSteps",
        single: true,
        on: "arn:${AWS::Partition}:elasticmapreduce:${AWS::Region}:${AWS::AccountId}:cluster/${clusterId}",
      },
    ],
  },
  ElasticMapReduceCancelStepsPolicy: {
    parameters: ["ClusterId"],
    statements: [
      {
        allow: "elasticmapreduce:CancelSteps",
        single: true,
        on: "arn:${AWS::Partition}:elasticmapreduce:${AWS::Region}:${AWS::AccountId}:cluster/${clusterId}",
      },
    ],
  },
  ElasticMapReduceModifyInstanceFleetPolicy: {
    parameters: ["ClusterId"],
    statements: [
      {
        allow: "elasticmapreduce:ModifyInstanceFleet,ListInstanceFleets",
        on: "arn:${AWS::Partition}:elasticmapreduce:${AWS::Region}:${AWS::AccountId}:cluster/${clusterId}",
      },
    ],
  },
  ElasticMapReduceModifyInstanceGroupsPolicy: {
    parameters: ["ClusterId"],
    statements: [
      {
        allow: "elasticmapreduce:ModifyInstanceGroups,ListInstanceGroups",
        on: "arn:${AWS::Partition}:elasticmapreduce:${AWS::Region}:${AWS::AccountId}:cluster/${clusterId}",
      },
    ],
  },
  ElasticMapReduceSetTerminationProtectionPolicy: {
    parameters: ["ClusterId"],
    statements: [
      {
        allow: "elasticmapreduce:SetTerminationProtection",
        single: true,
        on: "arn:${AWS::Partition}:elasticmapreduce:${AWS::Region}:${AWS::AccountId}:cluster/${clusterId}",
      },
    ],
  },
  ElasticMapReduceTerminateJobFlowsPolicy: {
    parameters: ["ClusterId"],
    statements: [
      {
        allow: "elasticmapreduce:TerminateJobFlows",
        single: true,
        on: "arn:${AWS::Partition}:elasticmapreduce:${AWS::Region}:${AWS::AccountId}:cluster/${clusterId}",
      },
    ],
  },
  ElasticsearchHttpPostPolicy: {
    parameters: ["DomainName"],
    statements: [
      {
        allow: "es:ESHttpPost,ESHttpPut",
        on: "arn:${AWS::Partition}:es:${AWS::Region}:${AWS::AccountId}:domain/${domainName}/*",
      },
    ],
  },
  EventBridgePutEventsPolicy: {
    parameters: ["EventBusName"],
    statements: [
      {
        allow: "events:PutEvents",
        single: true,
        on: "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/${eventBusName}",
      },
    ],
  },
  FilterLogEventsPolicy: {
    parameters: ["LogGroupName"],
    statements: [
      {
        allow: "logs:FilterLogEvents",
        on: "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${logGroupName}:log-stream:*",
      },
    ],
  },
  FirehoseCrudPolicy: {
    parameters: ["DeliveryStreamName"],
    statements: [
      {
        allow:
          "firehose:CreateDeliveryStream,DeleteDeliveryStream,DescribeDeliveryStream,PutRecord,PutRecordBatch,UpdateDestination",
        on: "arn:${AWS::Partition}:firehose:${AWS::Region}:${AWS::AccountId}:deliverystream/${deliveryStreamName}",
      },
    ],
  },
  FirehoseWritePolicy: {
    parameters: ["DeliveryStreamName"],
    statements: [
      {
        allow: "firehose:PutRecord,PutRecordBatch",
        on: "arn:${AWS::Partition}:firehose:${AWS::Region}:${AWS::AccountId}:deliverystream/${deliveryStreamName}",
      },
    ],
  },
  KMSDecryptPolicy: {
    parameters: ["KeyId"],
    statements: [
      {
        allow: "kms:Decrypt",
        single: true,
        on: "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/${keyId}",
      },
    ],
  },
  KMSEncryptPolicy: {
    parameters: ["KeyId"],
    statements: [
      {
        allow: "kms:Encrypt",
        single: true,
        on: "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/${keyId}",
      },
    ],
  },
  KMSEncryptPolicy_v2: {
    parameters: ["KeyId"],
    statements: [
      {
        allow:
          "kms:Encrypt,GenerateDataKey,GenerateDataKeyWithoutPlaintext,GenerateDataKeyPair,GenerateDataKeyPairWithoutPlaintext",
        on: "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/${keyId}",
      },
    ],
  },
  KinesisCrudPolicy: {
    parameters: ["StreamName"],
    statements: [
      {
        allow:
          "kinesis:AddTagsToStream,CreateStream,DecreaseStreamRetentionPeriod,DeleteStream,DescribeStream,DescribeStreamSummary,GetShardIterator,IncreaseStreamRetentionPeriod,ListTagsForStream,MergeShards,PutRecord,PutRecords,SplitShard,RemoveTagsFromStream",
        on: "arn:${AWS::Partition}:kinesis:${AWS::Region}:${AWS::AccountId}:stream/${streamName}",
      },
    ],
  },
  KinesisStreamReadPolicy: {
    parameters: ["StreamName"],
    statements: [
      {
        allow: "kinesis:ListStreams,DescribeLimits",
        on: "arn:${AWS::Partition}:kinesis:${AWS::Region}:${AWS::AccountId}:stream/*",
      },
      {
        allow: "kinesis:DescribeStream,DescribeStreamSummary,GetRecords,GetShardIterator",
        on: "arn:${AWS::Partition}:kinesis:${AWS::Region}:${AWS::AccountId}:stream/${streamName}",
      },
    ],
  },
  LambdaInvokePolicy: {
    parameters: ["FunctionName"],
    statements: [
      {
        allow: "lambda:InvokeFunction",
        on: "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${functionName}*",
      },
    ],
  },
  MobileAnalyticsWriteOnlyAccessPolicy: {
    parameters: [],
    statements: [
      {
        allow: "mobileanalytics:PutEvents",
        on: "*",
      },
    ],
  },
  OrganizationsListAccountsPolicy: {
    parameters: [],
    statements: [
      {
        allow: "organizations:ListAccounts",
        on: "*",
      },
    ],
  },
  PinpointEndpointAccessPolicy: {
    parameters: ["PinpointApplicationId"],
    statements: [
      {
        allow: "mobiletargeting:GetEndpoint,UpdateEndpoint,UpdateEndpointsBatch",
        on: "arn:${AWS::Partition}:mobiletargeting:${AWS::Region}:${AWS::AccountId}:apps/${pinpointApplicationId}/endpoints/*",
      },
    ],
  },
  PollyFullAccessPolicy: {
    parameters: ["LexiconName"],
    statements: [
      {
        allow: "polly:GetLexicon,DeleteLexicon",
        on: ["arn:${AWS::Partition}:polly:${AWS::Region}:${AWS::AccountId}:lexicon/${lexiconName}"],
      },
      {
        allow: "polly:DescribeVoices,ListLexicons,PutLexicon,SynthesizeSpeech",
        on: ["arn:${AWS::Partition}:polly:${AWS::Region}:${AWS::AccountId}:lexicon/*"],
      },
    ],
  },
  RekognitionDetectOnlyPolicy: {
    parameters: [],
    statements: [
      {
        allow: "rekognition:DetectFaces,DetectLabels,DetectModerationLabels,DetectText",
        on: "*",
      },
    ],
  },
  RekognitionFacesManagementPolicy: {
    parameters: ["CollectionId"],
    statements: [
      {
        allow: "rekognition:IndexFaces,DeleteFaces,SearchFaces,SearchFacesByImage,ListFaces",
        on: "arn:${AWS::Partition}:rekognition:${AWS::Region}:${AWS::AccountId}:collection/${collectionId}",
      },
    ],
  },
  RekognitionFacesPolicy: {
    parameters: [],
    statements: [
      {
        allow: "rekognition:CompareFaces,DetectFaces",
        on: "*",
      },
    ],
  },
  RekognitionLabelsPolicy: {
    parameters: [],
    statements: [
      {
        allow: "rekognition:DetectLabels,DetectModerationLabels",
        on: "*",
      },
    ],
  },
  RekognitionNoDataAccessPolicy: {
    parameters: ["CollectionId"],
    statements: [
      {
        allow: "rekognition:CompareFaces,DetectFaces,DetectLabels,DetectModerationLabels",
        on: "arn:${AWS::Partition}:rekognition:${AWS::Region}:${AWS::AccountId}:collection/${collectionId}",
      },
    ],
  },
  RekognitionReadPolicy: {
    parameters: ["CollectionId"],
    statements: [
      {
        allow: "rekognition:ListCollections,ListFaces,SearchFaces,SearchFacesByImage",
        on: "arn:${AWS::Partition}:rekognition:${AWS::Region}:${AWS::AccountId}:collection/${collectionId}",
      },
    ],
  },
  RekognitionWriteOnlyAccessPolicy: {
    parameters: ["CollectionId"],
    statements: [
      {
        allow: "rekognition:CreateCollection,IndexFaces",
        on: "arn:${AWS::Partition}:rekognition:${AWS::Region}:${AWS::AccountId}:collection/${collectionId}",
      },
    ],
  },
  Route53ChangeResourceRecordSetsPolicy: {
    parameters: ["HostedZoneId"],
    statements: [
      {
        allow: "route53:ChangeResourceRecordSets",
        on: "arn:${AWS::Partition}:route53:::hostedzone/${HostedZoneId}",
      },
    ],
  },
  S3CrudPolicy: {
    parameters: ["BucketName"],
    statements: [
      {
        allow:
          "s3:GetObject,ListBucket,GetBucketLocation,GetObjectVersion,PutObject,PutObjectAcl,GetLifecycleConfiguration,PutLifecycleConfiguration,DeleteObject",
        on: ["arn:${AWS::Partition}:s3:::${bucketName}", "arn:${AWS::Partition}:s3:::${bucketName}/*"],
      },
    ],
  },
  S3FullAccessPolicy: {
    parameters: ["BucketName"],
    statements: [
      {
        allow:
          "s3:GetObject,GetObjectAcl,GetObjectVersion,PutObject,PutObjectAcl,DeleteObject,DeleteObjectTagging,DeleteObjectVersionTagging,GetObjectTagging,GetObjectVersionTagging,PutObjectTagging,PutObjectVersionTagging",
        on: ["arn:${AWS::Partition}:s3:::${bucketName}/*"],
      },
      {
        allow: "s3:ListBucket,GetBucketLocation,GetLifecycleConfiguration,PutLifecycleConfiguration",
        on: ["arn:${AWS::Partition}:s3:::${bucketName}"],
      },
    ],
  },
  S3ReadPolicy: {
    parameters: ["BucketName"],
    statements: [
      {
        allow: "s3:GetObject,ListBucket,GetBucketLocation,GetObjectVersion,GetLifecycleConfiguration",
        on: ["arn:${AWS::Partition}:s3:::${bucketName}", "arn:${AWS::Partition}:s3:::${bucketName}/*"],
      },
    ],
  },
  S3WritePolicy: {
    parameters: ["BucketName"],
    statements: [
      {
        allow: "s3:PutObject,PutObjectAcl,PutLifecycleConfiguration",
        on: ["arn:${AWS::Partition}:s3:::${bucketName}", "arn:${AWS::Partition}:s3:::${bucketName}/*"],
      },
    ],
  },
  SESBulkTemplatedCrudPolicy: {
    parameters: ["IdentityName"],
    statements: [
      {
        allow:
          "ses:GetIdentityVerificationAttributes,SendEmail,SendRawEmail,SendTemplatedEmail,SendBulkTemplatedEmail,VerifyEmailIdentity",
        on: "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/${identityName}",
      },
    ],
  },
  SESBulkTemplatedCrudPolicy_v2: {
    parameters: ["IdentityName", "TemplateName"],
    statements: [
      {
        allow: "ses:SendEmail,SendRawEmail,SendTemplatedEmail,SendBulkTemplatedEmail",
        on: [
          "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/${identityName}",
          "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:template/${templateName}",
        ],
      },
      {
        allow: "ses:GetIdentityVerificationAttributes,VerifyEmailIdentity",
        on: "*",
      },
    ],
  },
  SESCrudPolicy: {
    parameters: ["IdentityName"],
    statements: [
      {
        allow: "ses:GetIdentityVerificationAttributes,SendEmail,SendRawEmail,VerifyEmailIdentity",
        on: "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/${identityName}",
      },
    ],
  },
  SESEmailTemplateCrudPolicy: {
    parameters: [],
    statements: [
      {
        allow: "ses:CreateTemplate,GetTemplate,ListTemplates,UpdateTemplate,DeleteTemplate,TestRenderTemplate",
        on: "*",
      },
    ],
  },
  SESSendBouncePolicy: {
    parameters: ["IdentityName"],
    statements: [
      {
        allow: "ses:SendBounce",
        on: "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/${identityName}",
      },
    ],
  },
  SNSCrudPolicy: {
    parameters: ["TopicName"],
    statements: [
      {
        allow: "sns:ListSubscriptionsByTopic,CreateTopic,SetTopicAttributes,Subscribe,Publish",
        on: "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:${topicName}*",
      },
    ],
  },
  SNSPublishMessagePolicy: {
    parameters: ["TopicName"],
    statements: [
      {
        allow: "sns:Publish",
        on: "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:${topicName}",
      },
    ],
  },
  SQSPollerPolicy: {
    parameters: ["QueueName"],
    statements: [
      {
        allow:
          "sqs:ChangeMessageVisibility,ChangeMessageVisibilityBatch,DeleteMessage,DeleteMessageBatch,GetQueueAttributes,ReceiveMessage",
        on: "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${queueName}",
      },
    ],
  },
  SQSSendMessagePolicy: {
    parameters: ["QueueName"],
    statements: [
      {
        allow: "sqs:SendMessage*",
        on: "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${queueName}",
      },
    ],
  },
  SSMParameterReadPolicy: {
    parameters: ["ParameterName"],
    statements: [
      {
        allow: "ssm:DescribeParameters",
        on: "*",
      },
      {
        allow: "ssm:GetParameters,GetParameter,GetParametersByPath",
        on: "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/${parameterName}",
      },
    ],
  },
  SSMParameterWithSlashPrefixReadPolicy: {
    parameters: ["ParameterName"],
    statements: [
      {
        allow: "ssm:DescribeParameters",
        on: "*",
      },
      {
        allow: "ssm:GetParameters,GetParameter,GetParametersByPath",
        on: "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter${parameterName}",
      },
    ],
  },
  SageMakerCreateEndpointConfigPolicy: {
    parameters: ["EndpointConfigName"],
    statements: [
      {
        allow: "sagemaker:CreateEndpointConfig",
        on: "arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:endpoint-config/${endpointConfigName}",
      },
    ],
  },
  SageMakerCreateEndpointPolicy: {
    parameters: ["EndpointName"],
    statements: [
      {
        allow: "sagemaker:CreateEndpoint",
        on: "arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:endpoint/${endpointName}",
      },
    ],
  },
  ServerlessRepoReadWriteAccessPolicy: {
    parameters: [],
    statements: [
      {
        allow:
          "serverlessrepo:CreateApplication,CreateApplicationVersion,UpdateApplication,GetApplication,ListApplications,ListApplicationVersions,ListApplicationDependencies",
        on: ["arn:${AWS::Partition}:serverlessrepo:${AWS::Region}:${AWS::AccountId}:applications/*"],
      },
    ],
  },
  StepFunctionsCallbackPolicy: {
    parameters: ["StateMachineName"],
    statements: [
      {
        allow: "states:SendTaskFailure,SendTaskHeartbeat,SendTaskSuccess",
        on: "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${stateMachineName}",
      },
    ],
  },
  StepFunctionsExecutionPolicy: {
    parameters: ["StateMachineName"],
    statements: [
      {
        allow: "states:StartExecution",
        on: "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${stateMachineName}",
      },
    ],
  },
  StepFunctionsExecutionPolicy_v2: {
    parameters: ["StateMachineName"],
    statements: [
      {
        allow: "states:StartExecution,StartSyncExecution",
        on: "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${stateMachineName}",
      },
    ],
  },
  TextractDetectAnalyzePolicy: {
    parameters: [],
    statements: [
      {
        allow: "textract:DetectDocumentText,StartDocumentTextDetection,StartDocumentAnalysis,AnalyzeDocument",
        on: "*",
      },
    ],
  },
  TextractGetResultPolicy: {
    parameters: [],
    statements: [
      {
        allow: "textract:GetDocumentTextDetection,GetDocumentAnalysis",
        on: "*",
      },
    ],
  },
  TextractPolicy: {
    parameters: [],
    statements: [
      {
        allow: "textract:*",
        on: "*",
      },
    ],
  },
  VPCAccessPolicy: {
    parameters: [],
    statements: [
      {
        allow: "ec2:CreateNetworkInterface,DeleteNetworkInterface,DescribeNetworkInterfaces,DetachNetworkInterface",
        on: "*",
      },
    ],
  },
};
