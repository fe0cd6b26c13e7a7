/** Sources that are elsewhere, from servers on this machine. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { csv, lines, specOf } from "../../../test/fixtures/table-fixture.js";
import { DataError } from "../../errors.js";
import { prepareTable } from "../table/ingest.js";
import { localCopies } from "./remote-files.js";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let root = "";
const folder = mkdtempSync(join(tmpdir(), "codistill-remote-"));
let cacheFolder = "";
let answer: Answer;
let requests: IncomingMessage[] = [];
before(async () => {
  server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => server.close());
beforeEach(async () => {
  requests = [];
  cacheFolder = await mkdtemp(join(folder, "cache-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const text = csv(lines);
const giving =
  (body: string, headers: Readonly<Record<string, string>>): Answer =>
  (request, response) => {
    const { etag, "last-modified": time } = headers;
    const isKnown =
      (etag !== undefined && request.headers["if-none-match"] === etag) ||
      (time !== undefined && request.headers["if-modified-since"] === time);
    response.writeHead(isKnown ? 304 : 200, headers).end(isKnown ? undefined : body);
  };

async function copies(url: string, told: string[] = []): Promise<string> {
  const [path = ""] = await localCopies(url, { cacheFolder, onProgress: (stage) => told.push(stage) });
  return path;
}

async function refused(url: string, ...patterns: readonly RegExp[]): Promise<void> {
  await assert.rejects(localCopies(url, { cacheFolder }), (error) => {
    assert.ok(error instanceof DataError, String(error));
    for (const pattern of patterns) assert.match(error.message, pattern);
    return true;
  });
}

describe("a file on the web", () => {
  for (const [what, headers] of Object.entries({
    tag: { etag: '"v1"' },
    "time of its last change": { "last-modified": "Wed, 25 Nov 2026 12:00:00 GMT" },
  })) {
    test(`is fetched once for each ${what}, and again when that is another`, async () => {
      answer = giving(text, headers);
      const told: string[] = [];
      const path = await copies(`${root}/some%20rides.csv?key=1`, told);
      assert.ok(path.endsWith("some rides.csv"));
      assert.equal(await readFile(path, "utf8"), text);
      assert.equal(await copies(`${root}/some%20rides.csv?key=1`, told), path);
      assert.equal(requests.length, 2);
      assert.equal(told.length, 1);
      answer = giving("id\n1\n", { etag: '"v2"' });
      assert.equal(await readFile(await copies(`${root}/some%20rides.csv?key=1`), "utf8"), "id\n1\n");
    });
  }

  test("is a table as a file is", async () => {
    answer = giving(text, { etag: '"v1"' });
    const table = await prepareTable(specOf(`${root}/rides.csv`), { cacheFolder });
    assert.equal(table.train.numRows, 200);
    assert.ok((await prepareTable(specOf(`${root}/rides.csv`), { cacheFolder })).cached);
  });

  test("is fetched with its user and password, and neither they nor a token stand in messages or files", async () => {
    answer = giving(text, { etag: '"v1"' });
    const told: string[] = [];
    const secret = `${root.replace("//", "//user:s3cr3t@")}/rides.csv?token=tok3n`;
    const path = await copies(secret, told);
    assert.equal(requests[0]?.headers.authorization, `Basic ${Buffer.from("user:s3cr3t").toString("base64")}`);
    assert.match(told.join(), /fetching http:\/\/\*\*\*@127\.0\.0\.1:\d+\/rides\.csv\?token=\*\*\*/);
    answer = (_, response) => response.writeHead(401).end();
    await refused(
      secret.replace("rides", "other"),
      /^data: http:\/\/\*\*\*@.*\/other\.csv\?token=\*\*\* must be a file, .* 401/,
    );
    const files = await readdir(cacheFolder, { recursive: true, withFileTypes: true });
    for (const file of files.filter((entry) => entry.isFile()))
      assert.doesNotMatch(await readFile(join(file.parentPath, file.name), "utf8"), /s3cr3t|tok3n/);
    // A run that keeps the address without its secrets goes on with the copy.
    const address = `${root.replace("//", "//***@")}/rides.csv?token=***`;
    assert.equal(await copies(address), path);
    await refused(
      address.replace("rides", "gone"),
      /was kept without its secrets, and no copy of it is here\. Give the configuration/,
    );
  });

  test("may have any name", async () => {
    answer = giving(text, { etag: '"v1"' });
    for (const [name, kept] of [
      ["a%00b.csv", "a_b.csv"],
      ["..%2f..%2fetc%2fx.csv", "x.csv"],
      ["50%.csv", "50%.csv"],
      ["", "download"],
    ] as const)
      assert.ok((await copies(`${root}/${name}`)).endsWith(`/${kept}`), name);
    await refused("http://[::1/rides.csv", /is no address that can be read/);
  });

  test("that cannot be reached any more is read from its copy, and that is said", async () => {
    answer = giving(text, { etag: '"v1"' });
    const path = await copies(`${root}/rides.csv`);
    answer = (_, response) => response.writeHead(503).end();
    const told: string[] = [];
    assert.equal(await copies(`${root}/rides.csv`, told), path);
    assert.match(told.join(), /answered 503 Service Unavailable.*; reading the copy of \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
  });

  test("whose copy is cut off or has a flipped bit is fetched again, and refused where it cannot be", async () => {
    answer = giving(text, { etag: '"v1"' });
    const url = `${root}/rides.csv?token=tok3n`;
    const path = await copies(url);
    const flipped = Buffer.from(text);
    flipped[flipped.length >> 1] = (flipped[flipped.length >> 1] ?? 0) ^ 1;
    for (const damaged of [text.slice(0, -9), flipped]) {
      await writeFile(path, damaged);
      const told: string[] = [];
      assert.equal(await readFile(await copies(url, told), "utf8"), text);
      assert.match(
        told[0] ?? "",
        /token=\*\*\* is fetched again: its copy .*rides\.csv has changed since .*SHA-256 \w{8} then/,
      );
      assert.equal(told.length, 2);
    }
    await writeFile(path, flipped);
    answer = (_, response) => response.writeHead(503).end();
    const why = /its copy .*rides\.csv has changed since it was fetched/;
    await refused(url, /answered 503/, why);
    await refused(`${root}/rides.csv?token=***`, /kept without its secrets/, why);
  });

  test("that is not there, or not whole, is refused and leaves nothing", async () => {
    answer = (_, response) => response.writeHead(404).end();
    await refused(`${root}/rides.csv`, /rides\.csv must be a file, and the server answered 404 Not Found/);
    answer = (_, response) => {
      response.writeHead(200, { "content-length": String(text.length) });
      response.write(text.slice(0, 100));
      setImmediate(() => response.destroy());
    };
    await refused(`${root}/rides.csv`, /rides\.csv ended before its end .*Run again/);
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    await refused(`http://127.0.0.1:${port}/rides.csv`, /cannot be reached \(.*ECONNREFUSED.*\)\. Check the address/);
    await refused("ftp://127.0.0.1/rides.csv", /begins with http:, https: or s3:, got ftp/);
    assert.deepEqual(await readdir(cacheFolder), []);
  });
});

describe("an object in a bucket", () => {
  const own = { AWS_ENDPOINT_URL: "", AWS_ACCESS_KEY_ID: "me", AWS_SECRET_ACCESS_KEY: "secret", AWS_REGION: "eu-1" };
  const kept = { ...process.env };
  before(() => Object.assign(process.env, own, { AWS_ENDPOINT_URL: root }));
  after(() => {
    for (const name of Object.keys(own)) delete process.env[name];
    Object.assign(process.env, kept);
  });

  test("is fetched by a signed request, and once", async () => {
    answer = giving(text, { etag: '"v1"' });
    const path = await copies("s3://rides/2025/may.csv");
    assert.equal(await readFile(path, "utf8"), text);
    assert.equal(requests[0]?.url?.split("?")[0], "/rides/2025/may.csv");
    assert.match(
      requests[0]?.headers.authorization ?? "",
      /^AWS4-HMAC-SHA256 Credential=me\/\d{8}\/eu-1\/s3\/aws4_request/,
    );
    assert.equal(await copies("s3://rides/2025/may.csv"), path);
    assert.equal(requests[1]?.headers["if-none-match"], '"v1"');
  });

  test("may be one of several that a pattern names", async () => {
    const keys = ["2025/may.csv", "2025/june.csv", "2025/old/may.csv", "2025/may.txt"];
    const listing = `<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>${keys
      .map((key) => `<Contents><Key>${key}</Key></Contents>`)
      .join("")}</ListBucketResult>`;
    answer = (request, response) => {
      const isList = request.url?.includes("list-type=2");
      if (isList) assert.match(request.url ?? "", /prefix=2025%2F/);
      response
        .writeHead(200, isList ? { "content-type": "application/xml" } : { etag: '"v1"' })
        .end(isList ? listing : text);
    };
    const found = await localCopies("s3://rides/2025/*.csv", { cacheFolder });
    assert.deepEqual(
      (found as string[]).map((path) => path.split("/").at(-1)),
      ["june.csv", "may.csv"],
    );
    await refused("s3://rides/2025/*.parquet", /no object matches s3:\/\/rides\/2025\/\*\.parquet/);
  });

  test("that is not there or may not be read is refused with the cure", async () => {
    answer = (_, response) =>
      response
        .writeHead(403, { "content-type": "application/xml" })
        .end("<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>");
    await refused(
      "s3://rides/may.csv",
      /s3:\/\/rides\/may\.csv cannot be read \(AccessDenied: .*credentials that the AWS tools use/,
    );
    await refused("s3://rides", /s3:\/\/<bucket>\/<key>, got s3:\/\/rides/);
  });
});
