import assert from "node:assert/strict";
import { test } from "node:test";
import { closable } from "./closable.js";

test("what is closed is freed once, by its name or by the end of a block, and keeps its getters", async () => {
  let [freed, step] = [0, 0];
  const open = () =>
    closable(
      {
        get step() {
          return step;
        },
      },
      async () => {
        freed++;
      },
    );
  const resource = open();
  step = 7;
  assert.equal(resource.step, 7);
  assert.equal(resource.close(), resource.close());
  await resource[Symbol.asyncDispose]();
  assert.equal(freed, 1);
  {
    await using inBlock = open();
    assert.equal(inBlock.step, 7);
    assert.equal(freed, 1);
  }
  assert.equal(freed, 2);
});
