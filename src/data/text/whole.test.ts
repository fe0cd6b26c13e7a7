import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { NdArray } from "../../runtime/array.js";
import { corpusOf } from "./corpus.js";
import { NO_LABEL, numPredicted, type TextLayout, wholeText } from "./whole.js";

for (const layout of ["lanes", "sequences"] as const) {
  test(`every unit but the first is the label of one place of ${layout}, after the unit before it`, () =>
    checkLayout(layout));
}

function checkLayout(layout: TextLayout): void {
  const sizes = fc.record({
    lengths: fc.array(fc.nat(30), { minLength: 1, maxLength: 8 }),
    batchSize: fc.integer({ min: 1, max: 5 }),
    times: fc.integer({ min: 1, max: 7 }),
  });
  fc.assert(
    fc.property(sizes, ({ lengths, batchSize, times }) => {
      const total = lengths.reduce((a, b) => a + b, 0);
      const starts = Float64Array.from([
        0,
        ...lengths.map((_, d) => lengths.slice(0, d + 1).reduce((a, b) => a + b, 0)),
      ]);
      // Every unit is its own number.
      const corpus = corpusOf(
        starts,
        Uint32Array.from({ length: total }, (_, i) => i),
      );
      const found: number[] = [];
      const last: number[] = [];
      for (const { ids, labels } of wholeText[layout](corpus, batchSize, times)) {
        const shape = layout === "lanes" ? [times, batchSize] : [batchSize, times];
        assert.deepEqual([ids?.shape, labels?.shape], [shape, [times * batchSize]]);
        for (const [place, label] of (labels as NdArray).data.entries()) {
          if (label === NO_LABEL) continue;
          const lane = layout === "lanes" ? place % batchSize : Math.floor(place / times);
          assert.equal(ids?.data[place], label - 1);
          const goesOn = layout === "lanes" ? last[lane] !== undefined : place % times > 0;
          if (goesOn) assert.equal(label, (last[lane] as number) + 1, "a text goes on where it was");
          last[lane] = label;
          found.push(label);
        }
      }
      assert.equal(found.length, numPredicted(corpus));
      assert.deepEqual(
        found.sort((a, b) => a - b),
        Array.from({ length: numPredicted(corpus) }, (_, i) => i + 1),
      );
    }),
  );
}
