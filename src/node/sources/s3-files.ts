/** Objects in S3-compatible buckets, by AWS's own client; loaded only when a source begins with s3:. */
import type { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { DataError, messageOf } from "../../errors.js";
import { withoutSecrets } from "../../report/secrets.js";
import type { OpenRemote } from "./remote-file.js";
import { globPattern } from "./source-files.js";

async function sdk(): Promise<typeof import("@aws-sdk/client-s3")> {
  try {
    return await import("@aws-sdk/client-s3");
  } catch (error) {
    throw new DataError(
      `data: a source in a bucket needs the S3 client, which could not be loaded (${messageOf(error)}). Install it: npm install @aws-sdk/client-s3`,
      { cause: error },
    );
  }
}

/** Region, credentials and endpoint are those of every AWS tool: `AWS_REGION`, `AWS_PROFILE`, `AWS_ENDPOINT_URL` and so on. */
async function clientOf(): Promise<S3Client> {
  const { S3Client } = await sdk();
  const isElsewhere = Boolean(process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL);
  return new S3Client({
    ...(process.env.AWS_REGION === undefined && isElsewhere && { region: "us-east-1" }),
    // Services that are not AWS have no name of their own for each bucket, and not all know its checksums.
    ...(isElsewhere && { forcePathStyle: true, responseChecksumValidation: "WHEN_REQUIRED" as const }),
  });
}

interface Place {
  readonly bucket: string;
  readonly key: string;
}

function placeOf(url: string): Place {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/i.exec(url) ?? [];
  if (bucket && key) return { bucket, key };
  throw new DataError(withoutSecrets(`data: a source in a bucket is s3://<bucket>/<key>, got ${url}`));
}

/**
 * The objects that a URL with wildcards matches, sorted by their keys; a URL without wildcards stands for itself.
 * Throws {@link DataError} when none matches.
 */
export async function matchesInBucket(url: string, signal?: AbortSignal): Promise<readonly string[]> {
  const { bucket, key } = placeOf(url);
  const [prefix = ""] = key.split(/[*?[]/);
  if (prefix === key) return [url];
  const { paginateListObjectsV2 } = await sdk();
  const client = await clientOf();
  const wanted = globPattern(key);
  const keys: string[] = [];
  try {
    const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix }, { abortSignal: signal });
    for await (const { Contents = [] } of pages)
      keys.push(...Contents.flatMap(({ Key }) => (Key !== undefined && wanted.test(Key) ? [Key] : [])));
  } catch (error) {
    throw refused(url, error);
  } finally {
    client.destroy();
  }
  if (keys.length === 0) throw new DataError(`data: no object matches ${url}. Check the bucket and the pattern.`);
  return keys.sort().map((one) => `s3://${bucket}/${one}`);
}

export const openS3: OpenRemote = async (url, known, signal) => {
  const { bucket, key } = placeOf(url);
  const { GetObjectCommand } = await sdk();
  const client = await clientOf();
  const command = new GetObjectCommand({ Bucket: bucket, Key: key, ...(known !== null && { IfNoneMatch: known }) });
  try {
    const {
      Body,
      ETag = null,
      ContentLength = null,
    } = await client.send(command, signal ? { abortSignal: signal } : {});
    const body = Body as Readable;
    body.once("close", () => client.destroy());
    return { tag: ETag, size: ContentLength, body };
  } catch (error) {
    client.destroy();
    if ((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 304) return null;
    throw refused(url, error);
  }
};

function refused(url: string, error: unknown): DataError {
  const { name = "" } = error as Error;
  return new DataError(
    `data: ${url} cannot be read (${name}: ${messageOf(error)}). Check the bucket, the key, and the credentials that the AWS tools use (AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL)`,
    { cause: error },
  );
}
