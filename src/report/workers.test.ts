import assert from "node:assert/strict";
import { test } from "node:test";
import { meanTimes, workersLine, workersTable } from "./workers.js";

const sync = (...workers: readonly (readonly [compute: number, reduce: number])[]) => ({
  workers: workers.map(([compute, reduce]) => ({ compute: compute / 1000, reduce: reduce / 1000 })),
  gradients: null,
});

test("each worker has its time in compute and in sums, the slow one is named, and the share of sums where there is room", () => {
  const two = sync([9.1, 0.9], [6, 4]);
  assert.equal(workersLine(two, 80), "  ms of workers, compute+sums: 0 9.1+0.90 slow, 1 6.0+4.0; 9 % in sums");
  assert.equal(workersLine(two, 60), "  ms of workers, compute+sums: 0 9.1+0.90 slow, 1 6.0+4.0");
  assert.equal(workersLine(sync([123, 1], [124, 1]), 60), "  ms of workers, compute+sums: 0 123+1.0, 1 124+1.0");
});

test("where not all fit, those that compute longest come first, and the others are counted", () => {
  const many = sync([6, 4], [6, 4], [6, 4], [9.1, 0.9], [6, 4], [6.1, 4]);
  assert.equal(workersLine(many, 79), "  ms of workers, compute+sums: 3 9.1+0.90 slow, 5 6.1+4.0, 0 6.0+4.0, 3 more");
  for (let width = 30; width < 140; width++) assert.ok((workersLine(many, width) ?? "").length <= width, `${width}`);
});

test("workers of asynchronous SGD have their time in waiting, and a group of one has no such line", () => {
  const worker = (worker: number, compute: number) => ({
    ...{ worker, compute: compute / 1000, wait: 0.002 },
    ...{ gradients: 10, meanStaleness: 1 },
  });
  const gradients = { meanStaleness: 1, maxStaleness: 2, workers: [worker(1, 5), worker(3, 5)] };
  assert.equal(workersLine({ workers: [], gradients }, 80), "  ms of workers, compute+wait: 1 5.0+2.0, 3 5.0+2.0");
  assert.equal(workersLine({ workers: [], gradients: null }, 80), null);
  assert.equal(workersLine(sync([1, 1]), 80), null);
});

test("over a log each worker has its means, by how many steps an event stands for", () => {
  const means = meanTimes();
  means.add({ step: 10, workers: sync([5, 1], [1, 5]).workers });
  means.add({ step: 40, workers: sync([1, 1], [1, 1]).workers });
  const all = means.all();
  assert.deepEqual(
    all.map(({ worker, compute, other }) => [worker, compute.toFixed(6), other.toFixed(6)]),
    [
      [0, "0.002000", "0.001000"],
      [1, "0.001000", "0.002000"],
    ],
  );
  assert.deepEqual(workersTable([{ group: 0 }, { group: 1, workers: all }]), [
    "",
    "         worker  computes a step  adds up or waits",
    "group 1       0  2.0 ms           1.0 ms            slow",
    "group 1       1  1.0 ms           2.0 ms",
  ]);
  assert.deepEqual(workersTable([{ group: 0 }]), []);
});
