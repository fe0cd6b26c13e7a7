import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../../errors.js";
import { patienceOf } from "./patience.js";

test("what the environment says counts, else the defaults", () => {
  const defaults = { startSeconds: 600, silentSeconds: 600, stopSeconds: 30, saveSeconds: 600 };
  assert.deepEqual(patienceOf({ CODISTILL_STOP_SECONDS: " " }), defaults);
  assert.deepEqual(patienceOf({ CODISTILL_STOP_SECONDS: "2.5" }), { ...defaults, stopSeconds: 2.5 });
});

test("what is no number of seconds is refused", () => {
  for (const text of ["0", "-1", "soon", "Infinity", "1e9"]) {
    assert.throws(
      () => patienceOf({ CODISTILL_START_SECONDS: text }),
      (error: unknown) => error instanceof ConfigError && error.message.includes(`CODISTILL_START_SECONDS must be`),
      text,
    );
  }
});
