import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hidesSecrets, recordWithoutSecrets, withoutSecrets } from "./secrets.js";

const host = "https://data.example.com";

describe("an address is told without", () => {
  const cases: Readonly<Record<string, readonly [given: string, told: string]>> = {
    "user and password": [`https://user:s3cr3t@data.example.com/a.csv`, `https://***@data.example.com/a.csv`],
    "a password with an @ in it": ["https://user:p@ss@data.example.com/a.csv", "https://***@data.example.com/a.csv"],
    "a token as a user": ["https://ghp_tok3n@data.example.com/a.csv", "https://***@data.example.com/a.csv"],
    "credentials of another scheme": ["s3://AKIA:s3cr3t@bucket/a.csv", "s3://***@bucket/a.csv"],
    "a token": [`${host}/a.csv?token=tok3n&year=2025`, `${host}/a.csv?token=***&year=2025`],
    "a token by another name": [
      `${host}/a.csv?year=2025&access_token=tok3n`,
      `${host}/a.csv?year=2025&access_token=***`,
    ],
    "a name that is written otherwise": [`${host}/a.csv?tok%65n=s3cr3t`, `${host}/a.csv?tok%65n=***`],
    keys: [
      `${host}/a?api_key=k3y&apiKey=k3y&x-functions-key=k3y&subscription-key=k3y&key=k3y`,
      `${host}/a?api_key=***&apiKey=***&x-functions-key=***&subscription-key=***&key=***`,
    ],
    "a signature of AWS": [
      `${host}/a.csv?X-Amz-Algorithm=A&X-Amz-Credential=AKIA%2F2026&X-Amz-Date=2026&X-Amz-Security-Token=t&X-Amz-Signature=abc`,
      `${host}/a.csv?X-Amz-Algorithm=***&X-Amz-Credential=***&X-Amz-Date=***&X-Amz-Security-Token=***&X-Amz-Signature=***`,
    ],
    "one of an older kind": [
      `${host}/a.csv?AWSAccessKeyId=AKIA&Expires=17&Signature=abc%3D`,
      `${host}/a.csv?AWSAccessKeyId=***&Expires=17&Signature=***`,
    ],
    "a shared access signature of Azure": [
      `${host}/a.csv?sv=2024-11-04&se=2026-12-01&sr=b&sp=r&sig=abc%2F%3D`,
      `${host}/a.csv?sv=2024-11-04&se=2026-12-01&sr=b&sp=r&sig=***`,
    ],
    "a session in the path": [`${host}/a;jsessionid=s3cr3t/b.csv?x=1`, `${host}/a;jsessionid=***/b.csv?x=1`],
    "a token in the fragment": [`${host}/a.csv#access_token=tok3n`, `${host}/a.csv#access_token=***`],
    "a web token in the path": [`${host}/eyJhbGciOiJIUzI1.eyJzdWIiOiIx.c2ln/a.csv`, `${host}/***/a.csv`],
    "what was drawn by chance": [`${host}/a.csv?k=Zx81QmN7aLp0RtYw3sVd9KfG`, `${host}/a.csv?k=***`],
  };
  for (const [what, [given, told]] of Object.entries(cases)) {
    test(what, () => {
      assert.equal(withoutSecrets(given), told);
      assert.equal(withoutSecrets(told), told);
      assert.equal(
        withoutSecrets(`data: ${given} cannot be reached (fetch "${given}")`),
        `data: ${told} cannot be reached (fetch "${told}")`,
      );
      assert.ok(hidesSecrets(told) && !hidesSecrets(given));
    });
  }
});

test("what identifies a source stays", () => {
  for (const text of [
    `${host}/2025/may.csv?format=csv&page=2&date=2026-01-31T12:00:00Z&file=flights-2026-january-version-2`,
    "s3://bucket/rides/*.parquet",
    "me@example.com, a*** b, C:\\data\\x.csv, /a//b?token=1, select 'x' where a = 1",
  ]) {
    assert.equal(withoutSecrets(text), text);
    assert.ok(!hidesSecrets(text));
  }
});

test("of a record every text is told so", () => {
  const given = { source: [`${host}/a?token=x`], deep: { message: `see ${host}/?sig=y` }, step: 1, none: null };
  assert.deepEqual(recordWithoutSecrets(given), {
    source: [`${host}/a?token=***`],
    deep: { message: `see ${host}/?sig=***` },
    step: 1,
    none: null,
  });
});
