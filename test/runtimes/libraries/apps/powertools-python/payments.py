import os
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent
from aws_lambda_powertools.utilities.idempotency.persistence.cache import CachePersistenceLayer
from aws_lambda_powertools.utilities.parameters.base import BaseProvider

s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
bucket = os.environ["BUCKET"]


class BucketAsCache:
    """Keys and values in a bucket, as the persistence layer wants them of a cache."""

    def get(self, name):
        try:
            return s3.get_object(Bucket=bucket, Key=name)["Body"].read().decode()
        except s3.exceptions.NoSuchKey:
            return None

    def set(self, name, value, ex=None, nx=False):
        try:
            s3.put_object(Bucket=bucket, Key=name, Body=value, **({"IfNoneMatch": "*"} if nx else {}))
            return True
        except ClientError as error:
            if error.response["Error"]["Code"] == "PreconditionFailed":
                return None
            raise

    def delete(self, *names):
        for name in names:
            s3.delete_object(Bucket=bucket, Key=name)


class BucketProvider(BaseProvider):
    def __init__(self):
        super().__init__(client=s3)

    def _get(self, name, **_options):
        return s3.get_object(Bucket=bucket, Key=name)["Body"].read().decode()

    def _get_multiple(self, path, **_options):
        raise NotImplementedError


settings = BucketProvider()


@idempotent(
    persistence_store=CachePersistenceLayer(client=BucketAsCache()),
    config=IdempotencyConfig(event_key_jmespath="id"),
)
def handler(event, context):
    currency = settings.get("settings.json", transform="json", max_age=60)["currency"]
    if event["amount"] < 0:
        raise ValueError("less than nothing")
    return {"id": event["id"], "paid": f"{event['amount']} {currency}", "receipt": str(uuid.uuid4())}
