import { randomUUID } from "node:crypto";
import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { CachePersistenceLayer } from "@aws-lambda-powertools/idempotency/cache";
import { BaseProvider } from "@aws-lambda-powertools/parameters/base";
import { GetObjectCommand, PutObjectCommand, DeleteObjectCommand, S3Client } from "@aws-sdk/client-s3";

const s3 = new S3Client({ forcePathStyle: true });
const Bucket = process.env.BUCKET;

async function read(Key) {
  try {
    return await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body.transformToString();
  } catch (error) {
    if (error.name === "NoSuchKey") return null;
    throw error;
  }
}

/** Keys and values in a bucket, as the persistence layer wants them of a cache. */
const bucketAsCache = {
  get: read,
  async set(Key, Body, { NX }) {
    try {
      await s3.send(new PutObjectCommand({ Bucket, Key, Body, ...(NX && { IfNoneMatch: "*" }) }));
      return "OK";
    } catch (error) {
      if (error.name === "PreconditionFailed") return null;
      throw error;
    }
  },
  del: ([Key]) => s3.send(new DeleteObjectCommand({ Bucket, Key })),
};

class BucketProvider extends BaseProvider {
  constructor() {
    super({ awsSdkV3Client: s3 });
  }
  _get(name) {
    return read(name);
  }
  async _getMultiple() {
    throw new Error("one at a time");
  }
}

const settings = new BucketProvider();
const persistenceStore = new CachePersistenceLayer({ client: bucketAsCache });
const config = new IdempotencyConfig({ eventKeyJmesPath: "id" });

const pay = makeIdempotent(
  async ({ id, amount }) => {
    const { currency } = await settings.get("settings.json", { transform: "json", maxAge: 60 });
    if (amount < 0) throw new RangeError("less than nothing");
    return { id, paid: `${amount} ${currency}`, receipt: randomUUID() };
  },
  { persistenceStore, config },
);

export const handler = async (event, context) => {
  config.registerLambdaContext(context);
  return pay(event, context);
};
