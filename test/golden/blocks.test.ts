import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sizeOf } from "../../src/runtime/array.js";
import { mapValues } from "../../src/runtime/named.js";
import { type BlockCase, type BlockName, type BlockResult, blockCases, blockParams, NUM_STEPS } from "./blocks.js";
import { readGolden, resultOf } from "./golden.js";

describe("the golden steps of blocks", () => {
  const golden = readGolden<BlockResult>("blocks");
  for (const [name, { params, kept }] of Object.entries<BlockCase>(blockCases)) {
    it(`have a value for each element of ${name}, and every param has moved`, () => {
      const result = resultOf(golden, name);
      assert.equal(result.losses.length, NUM_STEPS);
      const sizes = (values: BlockResult["params"]) => mapValues(values, ({ length }) => length);
      assert.deepEqual(sizes(result.params), mapValues(params, sizeOf));
      assert.deepEqual(sizes(result.kept), mapValues(kept, sizeOf));
      for (const [path, { data }] of Object.entries(blockParams(name as BlockName))) {
        assert.notDeepEqual(result.params[path], [...data], path);
      }
    });
  }
});
