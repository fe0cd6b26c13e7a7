/** What every engine must do with the signal of a run. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Engine, Program } from "../../src/engine/engine.js";
import type { Graph } from "../../src/graph/graph.js";
import { add, greater, input, mul, reduceSum, scan, sub, transpose } from "../../src/graph/ops.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { bytesOf, float32, type NamedArrays, scalar, zeros } from "../../src/runtime/array.js";
import { rootKey } from "../../src/runtime/random.js";
import { engineStudent, type StepMetrics } from "../../src/train/student.js";
import { flightsLike, randomBatch } from "../fixtures/flights-like.js";
import { a, b } from "./engine-graphs.js";

/** A loop in a loop: 10^10 steps, which take hours, on 400 kB; or a few. */
function loopFrom(start: Tensor, steps: number): Tensor {
  const times = input("times", [steps]);
  const inner = (state: Tensor) =>
    scan({
      states: [state],
      sequences: [times],
      body: ([s], [t]) => ({ states: [add(mul(s as Tensor, 0.5), t as Tensor)], outputs: [] }),
    }).states[0] as Tensor;
  const outer = scan({
    states: [start],
    sequences: [times],
    body: ([s]) => ({ states: [inner(s as Tensor)], outputs: [] }),
  });
  return outer.states[0] as Tensor;
}

const ENDLESS = 100_000;
const SHORT = 3;

/** A step that changes `a` in place and `b` through a second buffer, once its loop has ended. */
function guardedStep(steps: number): Graph {
  const loss = loopFrom(reduceSum(add(a, b)), steps);
  const isSound = greater(1, sub(loss, loss));
  return { outputs: { loss }, updates: { a: add(a, mul(loss, 0.1)), b: transpose(b) }, when: isSound };
}

/** The same without asking: `a` may be written while the loop is under way. */
function plainStep(steps: number): Graph {
  const counted = add(a, 1);
  return { outputs: { loss: loopFrom(reduceSum(counted), steps) }, updates: { a: counted, b: transpose(b) } };
}

const start: NamedArrays = { a: float32([1, -2, 3, 4], [2, 2]), b: float32([0.5, 6, -7, 8], [2, 2]) };
const feedsOf = (steps: number): NamedArrays => ({ times: zeros([steps]) });
const reason = new Error("no more");

/** Tests of engines that are made anew for each; `interrupts` says whether they end a run that has begun. */
export function cancellationSuite(name: string, make: () => Engine, interrupts: boolean): void {
  describe(name, () => {
    let engine: Engine;
    const engines: Engine[] = [];
    const fresh = () => {
      const one = make();
      engines.push(one);
      return one;
    };
    beforeEach(() => {
      engine = fresh();
    });
    afterEach(() => Promise.all(engines.splice(0).map((one) => one.close())));

    /** What two runs give, and what they leave, when nothing is cancelled. */
    async function undisturbed(): Promise<unknown> {
      const other = fresh();
      await other.write(start);
      return twoRuns(other, await other.compile(guardedStep(SHORT)));
    }

    async function twoRuns(on: Engine, program: Program): Promise<unknown> {
      const results = [];
      for (let run = 0; run < 2; run++)
        results.push(await program.run(feedsOf(SHORT), { signal: new AbortController().signal }));
      return { results, after: await on.read(["a", "b"]) };
    }

    test("a run that is cancelled before it begins rejects, changes nothing, and the next gives the same bits", async () => {
      await engine.write(start);
      const program = await engine.compile(guardedStep(SHORT));
      const plain = await engine.compile(plainStep(SHORT));
      for (const each of [program, plain, program]) {
        await assert.rejects(each.run(feedsOf(SHORT), { signal: AbortSignal.abort(reason) }), reason);
        assert.deepEqual(await engine.read(["a", "b"]), start);
      }
      assert.deepEqual(await twoRuns(engine, program), await undisturbed());
    });

    test("a signal that comes after its run changes nothing", async () => {
      await engine.write(start);
      const program = await engine.compile(guardedStep(SHORT));
      const late = new AbortController();
      const other = fresh();
      await other.write(start);
      await program.run(feedsOf(SHORT), { signal: late.signal });
      late.abort(reason);
      await (await other.compile(guardedStep(SHORT))).run(feedsOf(SHORT));
      await engine.write({ b: start.b as NamedArrays[string] });
      await other.write({ b: start.b as NamedArrays[string] });
      assert.deepEqual(await twoRuns(engine, program), await twoRuns(other, await other.compile(guardedStep(SHORT))));
    });

    test("whenever it is cancelled, a step is taken whole or not at all, and what it gives says which", async () => {
      // Tensors whose updates together take long against the rest of the step.
      const names = ["u", "v", "w", "x", "y", "z"];
      const size = 100_000;
      const [first, second, ...others] = names.map((name) => input(name, [size])) as [Tensor, Tensor, ...Tensor[]];
      const loss = reduceSum(mul(first, second));
      const counted = [first, second, ...others].map((tensor, i) => [names[i], add(tensor, 1)] as const);
      const graph: Graph = {
        outputs: { loss },
        updates: Object.fromEntries(counted),
        when: greater(1, sub(loss, loss)),
      };
      await engine.write(Object.fromEntries(names.map((name) => [name, zeros([size])])));
      const program = await engine.compile(graph);
      let taken = 0;
      for (let attempt = 0; attempt < (interrupts ? 90 : 15); attempt++) {
        const controller = new AbortController();
        const running = program.run({}, { signal: controller.signal }).then(
          () => true,
          (error: unknown) => {
            assert.equal(error, reason);
            return false;
          },
        );
        for (let turn = 0; turn < attempt % 15; turn++) await new Promise(setImmediate);
        // On a busy machine no run may end within so many turns.
        if (attempt % 15 === 14) await running;
        controller.abort(reason);
        if (await running) taken++;
        const expected = bytesOf(new Float32Array(size).fill(taken));
        for (const [name, { data }] of Object.entries(await engine.read(names)))
          assert.ok(Buffer.compare(bytesOf(data), expected) === 0, `${name}, attempt ${attempt}`);
      }
      assert.ok(taken > 0, "some are taken");
    });

    for (const numParts of [1, 2]) {
      test(`a student whose steps of ${numParts} batches are cancelled now and then learns the same to the bit`, async () => {
        const learner = flightsLike();
        async function learn(disturb: boolean): Promise<unknown> {
          const student = engineStudent({ engine: fresh(), learner });
          await student.init(rootKey(1));
          const metrics: StepMetrics[] = [];
          for (let attempt = 0; metrics.length < 5; attempt++) {
            const step = metrics.length;
            const batches = Array.from({ length: numParts }, (_, part) => randomBatch(128, 10 * step + part));
            const controller = new AbortController();
            const learning = student.learn(batches, [], 0, controller.signal);
            if (disturb && attempt % 2 === 0) {
              for (let turn = 0; turn < attempt; turn++) await new Promise(setImmediate);
              controller.abort(reason);
            }
            const learned = await learning.catch((error: unknown) => {
              assert.equal(error, reason);
              return null;
            });
            if (learned) metrics.push(learned);
            assert.equal(student.step, metrics.length);
          }
          return { metrics, state: await student.state() };
        }
        assert.deepEqual(await learn(true), await learn(false));
      });
    }

    if (interrupts) endlessTests(() => engine, undisturbed, twoRuns);
  });
}

/** Of runs that would take hours. */
function endlessTests(
  engineNow: () => Engine,
  undisturbed: () => Promise<unknown>,
  twoRuns: (on: Engine, program: Program) => Promise<unknown>,
): void {
  /** Cancel a run once the worker has come to it. */
  async function cancelled(program: Program): Promise<void> {
    const controller = new AbortController();
    const before = engineNow().read([]);
    const running = program.run(feedsOf(ENDLESS), { signal: controller.signal });
    const rejected = assert.rejects(running, reason);
    await before;
    await new Promise(setImmediate);
    controller.abort(reason);
    await rejected;
  }

  test("an endless step returns, has changed nothing, and the next gives the same bits", async () => {
    const engine = engineNow();
    await engine.write(start);
    const endless = await engine.compile(guardedStep(ENDLESS));
    const step = await engine.compile(guardedStep(SHORT));
    for (let time = 0; time < 3; time++) {
      await cancelled(endless);
      assert.deepEqual(await engine.read(["a", "b"]), start);
    }
    assert.deepEqual(await twoRuns(engine, step), await undisturbed());
  });

  test("an endless prediction returns, and what waited behind it is run", async () => {
    const engine = engineNow();
    const endless = await engine.compile({ outputs: { last: loopFrom(input("x", []), ENDLESS) }, updates: {} });
    const doubled = await engine.compile({ outputs: { doubled: mul(a, 2) }, updates: {} });
    const controllers = [new AbortController(), new AbortController()] as const;
    const feeds = { ...feedsOf(ENDLESS), x: scalar(1) };
    const [first, second] = controllers.map(({ signal }) => endless.run(feeds, { signal }));
    const behind = doubled.run({ a: start.a as NamedArrays[string] });
    // The one that waits, and then the one that is under way.
    const other = new Error("nor this");
    controllers[1].abort(other);
    controllers[0].abort(reason);
    await Promise.all([
      assert.rejects(first as Promise<unknown>, reason),
      assert.rejects(second as Promise<unknown>, other),
    ]);
    assert.deepEqual([...((await behind).doubled?.data ?? [])], [2, -4, 6, 8]);
  });

  test("what a step updates in place without asking has no value after, by name, until it is written", async () => {
    const engine = engineNow();
    await engine.write(start);
    const shared = await engine.share(["a"]);
    const endless = await engine.compile(plainStep(ENDLESS));
    const step = await engine.compile(plainStep(SHORT));
    const controller = new AbortController();
    const running = endless.run(feedsOf(ENDLESS), { signal: controller.signal });
    const rejected = assert.rejects(running, reason);
    // It has certainly begun once it has counted.
    while (shared.a?.data[0] === 1) await new Promise(setImmediate);
    controller.abort(reason);
    await rejected;
    const named = /"a" has no value since a run that was updating it was cancelled; write it/;
    await assert.rejects(engine.read(["a"]), named);
    await assert.rejects(step.run(feedsOf(SHORT)), named);
    await assert.rejects(engine.share(["a"]), named);
    assert.deepEqual(await engine.read(["b"]), { b: start.b });
    await engine.write(start);
    await step.run(feedsOf(SHORT));
    assert.deepEqual(await engine.read(["a"]), { a: float32([2, -1, 4, 5], [2, 2]) });
  });

  test("an engine is closed after its run was cancelled, and one with a run under way once that is", async () => {
    const engine = engineNow();
    const endless = await engine.compile({ outputs: { last: loopFrom(input("x", []), ENDLESS) }, updates: {} });
    const controller = new AbortController();
    const running = endless.run({ ...feedsOf(ENDLESS), x: scalar(1) }, { signal: controller.signal });
    const rejected = assert.rejects(running, reason);
    const closing = engine.close();
    await new Promise(setImmediate);
    controller.abort(reason);
    await Promise.all([rejected, closing]);
  });
}
