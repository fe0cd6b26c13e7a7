import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import * as errors from "./errors.js";

const { CodistillError, codeOf, errorCodes, errorOfCode } = errors;
type Made = new (message: string) => errors.CodistillError;

/** Every class of errors that can be thrown. */
const classes = Object.values(errors).filter(
  (value) => typeof value === "function" && value.prototype instanceof CodistillError,
) as unknown as Made[];

describe("codes of errors", () => {
  test("each class has one of its own, and none is left over", () => {
    assert.deepEqual(classes.map((Class) => new Class("x").code).sort(), [...errorCodes].sort());
  });

  test("are said in docs/errors.md, with their classes", () => {
    const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
    const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| `(\w+)` \|/gm)].map(([, code, name]) => [code, name]);
    const said = classes.map((Class) => [new Class("x").code, Class.name]);
    assert.deepEqual(rows.sort(), said.sort());
  });

  for (const Class of classes) {
    test(`${Class.name} is the same after its way to another thread`, () => {
      const { port1, port2 } = new MessageChannel();
      const thrown = new Class("the rule, both values, the cure");
      port1.postMessage({ error: thrown, code: codeOf(thrown) });
      const { error, code } = receiveMessageOnPort(port2)?.message ?? {};
      port1.close();
      assert.ok(!(error instanceof CodistillError), "the way keeps classes, and codes are no longer needed for them");
      const arrived = errorOfCode(code, error);
      assert.ok(arrived instanceof CodistillError);
      assert.deepEqual(
        [arrived.constructor, arrived.name, arrived.code, arrived.message],
        [Class, Class.name, thrown.code, thrown.message],
      );
    });
  }

  test("defects have none, and stay what they are", () => {
    const defect = new TypeError("x is undefined");
    assert.equal(codeOf(defect), null);
    assert.equal(errorOfCode(null, defect), defect);
  });
});
