/** What cannot be updated by touched rows, and what is said of it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { flightsLike } from "../../test/fixtures/flights-like.js";
import { ConfigError } from "../errors.js";
import { gradients } from "../graph/grad.js";
import { gather, input, matmul, reduceSum, square } from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";
import { applyGraph } from "../train/graphs.js";
import { clipByRms } from "./clip.js";
import { adafactor, adam, adamW, lamb, lars, lion, sgd } from "./optimizers.js";
import { constantSchedule } from "./schedules.js";
import { rowGradients, step, touchingRows } from "./sparse-updates.js";
import { chain, type GradientTransformation, stateless } from "./transformations.js";

const sparseParams = ["table"];
const shapes = { table: { shape: [14, 3] }, weight: { shape: [3] } };

const refusal = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ConfigError, String(error));
  assert.match(error.message, message);
  return true;
};

describe("what must see a table whole is refused by name", () => {
  const schedule = constantSchedule(0.1);
  const decay = { rate: 0.1, except: ["table"] };
  const unknown: GradientTransformation = { scalars: {}, stateSpec: () => ({}), update: (input) => ({ ...input }) };
  const refused: Readonly<Record<string, readonly [GradientTransformation, RegExp]>> = {
    "decay, coupled": [adam(schedule, { sparseParams, decay: { rate: 0.1 } }), /weight decay .*except it from decay/],
    "decay, decoupled": [adamW(schedule, { sparseParams }), /weight decay .*except it from decay/],
    lamb: [lamb(schedule, { sparseParams, decay }), /the trust ratio of LAMB/],
    lars: [lars(schedule, { sparseParams }), /the rate of LARS/],
    lion: [lion(schedule, { sparseParams }), /Lion moves every row/],
    adafactor: [adafactor(schedule, { sparseParams }), /Adafactor keeps moments of all rows/],
    "a bound on the root mean square": [touchingRows(chain(clipByRms(1)), ["*"]), /root mean square of all rows/],
    "a part that says nothing": [touchingRows(chain(unknown), ["*"]), /does not say that it can/],
  };
  for (const [name, [optimizer, message]] of Object.entries(refused)) {
    test(name, () => {
      assert.throws(
        () => optimizer.stateSpec(shapes),
        refusal(/^optimizer: "table" cannot be updated by touched rows: /),
      );
      assert.throws(() => optimizer.stateSpec(shapes), refusal(message));
    });
  }

  test("but not what leaves it out", () => {
    const excepted = lamb(schedule, { sparseParams, decay, trust: { except: ["table"] } });
    assert.ok(excepted.stateSpec(shapes)["rows.last.table"]);
    assert.ok(lion(schedule, { sparseParams: ["other"] }).stateSpec(shapes));
  });

  test("a scalar has no rows", () => {
    assert.throws(
      () => sgd(schedule, { sparseParams: ["*"] }).stateSpec({ x: { shape: [] } }),
      refusal(/"x" .*has no rows/),
    );
  });

  test("a part of a chain cannot touch rows on its own", () => {
    assert.throws(
      () =>
        chain(
          sgd(schedule, { sparseParams }),
          stateless({}, ({ updates }) => updates),
        ),
      refusal(/whole chain/),
    );
  });

  test("a table that is read otherwise", () => {
    const table = input("table", [14, 3]);
    const optimizer = sgd(schedule, { sparseParams });
    const scores = matmul(gather(table, input("ids", ["batch"], "int32")), table, { transposeB: true });
    const grads = { table: gradients(reduceSum(square(scores)), [table])[0] as Tensor };
    assert.throws(() => rowGradients(optimizer, grads), refusal(/"table" .*the loss must read it by gather alone/));
    const scalars = { learningRate: input("learningRate", []) };
    assert.throws(() => step(optimizer, { updates: grads, params: { table }, optState: {}, scalars }), ConfigError);
  });
});

test("a step that is put together from parts cannot touch rows", () => {
  const learner = flightsLike({ optimizer: sgd(constantSchedule(1), { sparseParams: ["embeddings.*"] }) });
  assert.throws(() => applyGraph(learner), refusal(/"embeddings.origin" .*in one batch that is not accumulated/));
});
