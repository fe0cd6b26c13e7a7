import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { ConfigError } from "../../errors.js";
import { locatedStore, openStore } from "./stores.js";

test("a store is kept by its absolute path, whether its path or its file: URL is given", () => {
  const same: Readonly<Record<string, string>> = {
    "/shared/flights": "/shared/flights",
    "file:///shared/flights": "/shared/flights",
    "FILE:/shared/flights": "/shared/flights",
    "file://localhost/shared/a%20b%3F": "/shared/a b?",
    flights: resolve("flights"),
    ".": resolve("."),
    "runs/2026-01-31T12:00:00": resolve("runs/2026-01-31T12:00:00"),
    "2026-01-31T12:00:00": resolve("2026-01-31T12:00:00"),
    "./s3:": resolve("s3:"),
    "C:\\shared\\flights": resolve("C:\\shared\\flights"),
    "C:/shared/flights": resolve("C:/shared/flights"),
  };
  for (const [given, kept] of Object.entries(same)) {
    assert.equal(locatedStore(given), kept, given);
    assert.equal(locatedStore(kept), kept, given);
  }
});

test("what is no store of a known kind is refused with those that are known, and nothing is made", async () => {
  const here = readdirSync(".");
  const wrong: Readonly<Record<string, RegExp>> = {
    "": /must be a path or file:\/\/\/<path>, got an empty name/,
    "s3://bucket/run": /must be a path or file:\/\/\/<path>, got s3:\/\/bucket\/run, and no store of kind "s3:".*\.\//,
    "S3:/bucket/run": /"S3:"/,
    "gs:bucket": /"gs:"/,
    "https://name:password@host/run": /got https:\/\/\*\*\*@host\/run, and no store of kind "https:"/,
    "nas:/export/run": /"nas:"/,
    "user@host:run": /"user@host:"/,
    "file:flights": /got file:flights: it is relative/,
    "file://shared/flights": /file:\/\/\/shared\/flights, got file:\/\/shared\/flights: .*host/,
    "file:///shared/a?b": /%3F/,
    "file:///shared/a%2Fb": /encoded/,
    "file:///shared/100%": /malformed/,
  };
  for (const [given, why] of Object.entries(wrong)) {
    const isTaught = (error: unknown) => error instanceof ConfigError && why.test(error.message);
    assert.throws(() => locatedStore(given), isTaught, given);
    await assert.rejects(openStore(given), isTaught, given);
  }
  assert.deepEqual(readdirSync("."), here);
});

test("a path and its file: URL open one store, which may be forbidden to change", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "codistill-stores-"));
  t.after(() => rmSync(root, { recursive: true }));
  const path = join(root, "a b");
  const url = pathToFileURL(path).href;
  const value = Uint8Array.of(1, 2, 3);
  const store = await openStore(path);
  assert.equal(existsSync(path), false);
  await store.put("value", value);
  assert.deepEqual(await (await openStore(url)).get("value"), value);
  for (const address of [path, url]) {
    const forbidden = await openStore(address, () => {
      throw new Error("not any more");
    });
    await assert.rejects(forbidden.put("value", Uint8Array.of(4)), /not any more/);
    assert.deepEqual(await forbidden.get("value"), value);
  }
});
