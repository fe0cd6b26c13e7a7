import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { desk, type Push } from "./desk.js";

/** A desk with workers whose gradients come in the order that `choices` makes. */
function simulated(
  numWorkers: number,
  choices: readonly number[],
  options: { maxStaleness?: number | undefined } = {},
) {
  let next = 0;
  const own = desk<string>({ deal: () => next++, activeAt: () => numWorkers, ...options });
  /** Workers that compute, with the batch of each. */
  const computing = new Map<number, number>();
  const applied: (Push<string> & { readonly staleness: number })[] = [];
  let mostUnderWay = 0;
  for (let worker = 1; worker <= numWorkers; worker++) own.asked(worker);

  function serve(): void {
    for (;;) {
      for (let worker = own.nextPull(); worker !== null; worker = own.nextPull())
        computing.set(worker, own.give(worker).batch);
      mostUnderWay = Math.max(mostUnderWay, own.underWay().length);
      const push = own.nextPush();
      if (!push) return;
      applied.push({ ...push, staleness: own.version - push.version });
      own.applied(push);
    }
  }

  for (const choice of choices) {
    serve();
    const all = [...computing];
    assert.ok(all.length > 0, "somebody computes, or nothing would ever come");
    const [worker, batch] = all[choice % all.length] as [number, number];
    computing.delete(worker);
    own.brought(batch, `g${batch}`);
    own.asked(worker);
  }
  serve();
  return { own, applied, computing, mostUnderWay, numDealt: next };
}

const choices = fc.array(fc.nat(1000), { maxLength: 60 });

describe("whatever the order in which gradients come", () => {
  test("without a bound each is applied as it comes, and none is lost", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), choices, (numWorkers, order) => {
        const { applied, own } = simulated(numWorkers, order);
        assert.equal(applied.length, order.length);
        assert.equal(own.version, order.length);
        assert.equal(new Set(applied.map(({ batch }) => batch)).size, order.length);
      }),
    );
  });

  test("none is staler than the bound, no more than it allows are under way, and all come to be applied", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(5), choices, (numWorkers, maxStaleness, order) => {
        const { applied, own, computing, mostUnderWay } = simulated(numWorkers, order, { maxStaleness });
        assert.ok(applied.every(({ staleness }) => staleness <= maxStaleness));
        assert.ok(mostUnderWay <= maxStaleness + 1);
        // Once those that compute have come, nothing waits.
        for (const [worker, batch] of computing) {
          own.brought(batch, "last");
          assert.ok(worker > 0);
        }
        for (let push = own.nextPush(); push; push = own.nextPush()) {
          assert.ok(own.version - push.version <= maxStaleness);
          own.applied(push);
        }
        assert.deepEqual(own.underWay(), []);
      }),
    );
  });
});

test("that each gradient alone is in time is not enough: two of them cannot both be next", () => {
  // Three pull at version 0, of which one comes, pulls again and comes again before the other two.
  let next = 0;
  const own = desk<string>({ deal: () => next++, activeAt: () => 3, maxStaleness: 2 });
  for (const worker of [1, 2, 3]) own.asked(worker);
  for (const worker of [1, 2, 3]) own.give(worker);
  const apply = () => {
    const push = own.nextPush();
    if (push) own.applied(push);
    return push?.batch;
  };
  own.brought(0, "g");
  assert.equal(apply(), 0);
  own.asked(1);
  assert.equal(own.give(1).version, 1);
  own.brought(3, "g");
  // After it, batches 1 and 2 would be late by 2 both, and then one of them by 3.
  assert.equal(apply(), undefined);
  own.brought(2, "g");
  assert.equal(apply(), 2);
  assert.equal(apply(), undefined);
  own.brought(1, "g");
  assert.deepEqual([apply(), apply()], [1, 3]);
});

test("a worker whose gradient waits gets no params, as it would compute over it", () => {
  let next = 0;
  const own = desk<string>({ deal: () => next++, activeAt: () => 2, maxStaleness: 1 });
  for (const worker of [1, 2]) own.asked(worker);
  for (const worker of [1, 2]) own.give(worker);
  own.brought(1, "g");
  const first = own.nextPush();
  assert.equal(first?.batch, 1);
  own.applied(first as Push<string>);
  own.asked(2);
  own.give(2);
  own.brought(2, "g");
  own.asked(2);
  assert.deepEqual([own.nextPush(), own.nextPull()], [null, null]);
});

test("gradients from before it went back are void, also when they come later", () => {
  let next = 7;
  const own = desk<string>({ deal: () => next++, activeAt: () => 1 });
  own.asked(1);
  own.asked(2);
  assert.deepEqual(own.give(1), { worker: 1, version: 0, batch: 7 });
  assert.equal(own.nextPull(), null, "worker 2 is not active");
  own.goBack(3);
  own.brought(7, "void");
  assert.deepEqual([own.nextPush(), own.underWay(), own.version], [null, [], 3]);
  own.asked(1);
  assert.deepEqual(own.give(1), { worker: 1, version: 3, batch: 8 });
  own.brought(8, "g");
  own.brought(8, "twice");
  assert.equal(own.nextPush()?.gradient, "g");
});
