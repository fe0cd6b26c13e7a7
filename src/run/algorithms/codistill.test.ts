import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { tinyInput } from "../../../test/fixtures/tiny-run.js";
import { ConfigError } from "../../errors.js";
import { resolveConfig } from "../config.js";
import type { TableRunInput } from "../input/run.js";
import type { CodistillInput } from "./codistill.js";

const resolved = (algorithm: CodistillInput, changes: Partial<TableRunInput> = {}) =>
  resolveConfig(tinyInput({ numGroups: 2, ...changes, algorithm: { burnInSteps: 0, ...algorithm } }));

/** That a configuration is refused, with words. */
function refused(words: RegExp, config: () => unknown): void {
  assert.throws(config, (error) => error instanceof ConfigError && words.test(error.message));
}

describe("what teaches beside predictions on the batch", () => {
  test("has a probability of fresh values below 1, and a weight of Gram matrices from 0 on", () => {
    resolved({ freshInputs: 0.3, gramWeight: 2 });
    for (const freshInputs of [-0.1, 1, Number.NaN])
      refused(/algorithm\.freshInputs: must be/, () => resolved({ freshInputs }));
    for (const gramWeight of [-1, Number.POSITIVE_INFINITY])
      refused(/algorithm\.gramWeight: must be/, () => resolved({ gramWeight }));
  });

  test("makes fresh rows of tables alone", () => {
    const text = {
      name: "words",
      data: { kind: "text", source: "a.txt", tokenizer: "bytes", sequenceLength: 8 },
      model: { kind: "lstm", width: 4, hidden: 4 },
      optimizer: { kind: "adam", learningRate: 0.01 },
      ...{ numGroups: 2, numSteps: 10, globalBatchSize: 4 },
    };
    const of = (algorithm: CodistillInput) => resolveConfig({ ...text, algorithm });
    of({ gramWeight: 1 });
    refused(
      /algorithm\.freshInputs: gives rows of a table the values of other rows, and data\.kind is "text", whose parts mean nothing apart; leave it out, got 0\.3/,
      () => of({ freshInputs: 0.3 }),
    );
  });

  test("has no fresh rows where what teachers predict is kept for each row", () => {
    refused(
      /algorithm\.freshInputs: what teachers that do not change predict is kept for each row as it is, .*leave out freshInputs or teachers, got 0\.3/,
      () => resolved({ freshInputs: 0.3 }, { teachers: [{ column: "p" }] }),
    );
    resolved({ gramWeight: 1 }, { teachers: [{ column: "p" }] });
  });
});
