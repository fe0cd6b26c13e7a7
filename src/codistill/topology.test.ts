import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { rootKey } from "../runtime/random.js";
import { type Topology, teachersOf } from "./topology.js";

/** The teachers of each group, for 1 to 7 groups. */
const expected: Readonly<Record<Extract<Topology, string>, readonly (readonly number[][])[]>> = {
  all: [
    [[]],
    [[1], [0]],
    [
      [1, 2],
      [0, 2],
      [0, 1],
    ],
    [
      [1, 2, 3],
      [0, 2, 3],
      [0, 1, 3],
      [0, 1, 2],
    ],
    [
      [1, 2, 3, 4],
      [0, 2, 3, 4],
      [0, 1, 3, 4],
      [0, 1, 2, 4],
      [0, 1, 2, 3],
    ],
  ],
  ring: [[[]], [[1], [0]], [[2], [0], [1]], [[3], [0], [1], [2]], [[4], [0], [1], [2], [3]]],
  pairs: [
    [[]],
    [[1], [0]],
    [[1], [0], []],
    [[1], [0], [3], [2]],
    [[1], [0], [3], [2], []],
    [[1], [0], [3], [2], [5], [4]],
    [[1], [0], [3], [2], [5], [4], []],
  ],
};

const topologies = Object.keys(expected) as (keyof typeof expected)[];
const sizes = [1, 2, 3, 4, 5, 6, 7];
const groupsOf = (numGroups: number) => Array.from({ length: numGroups }, (_, group) => group);

describe("teachersOf", () => {
  for (const topology of topologies) {
    for (const [i, teachers] of expected[topology].entries()) {
      test(`"${topology}" of ${i + 1}`, () => {
        assert.deepEqual(
          groupsOf(i + 1).map((group) => teachersOf(topology, group, i + 1)),
          teachers,
        );
      });
    }
  }

  test("names other groups of the run only, each once, in group order", () => {
    for (const topology of topologies) {
      for (const numGroups of sizes) {
        for (const group of groupsOf(numGroups)) {
          const teachers = teachersOf(topology, group, numGroups);
          const inOrder = groupsOf(numGroups).filter((other) => other !== group && teachers.includes(other));
          assert.deepEqual(teachers, inOrder, `${topology}, group ${group} of ${numGroups}`);
        }
      }
    }
  });

  test('"all" is everyone else', () => {
    for (const numGroups of sizes) {
      for (const group of groupsOf(numGroups)) {
        assert.equal(teachersOf("all", group, numGroups).length, numGroups - 1);
      }
    }
  });

  test('"ring" is one ring: from any group the teachers lead through all groups and back', () => {
    for (const numGroups of sizes.slice(1)) {
      for (const start of groupsOf(numGroups)) {
        const seen: number[] = [];
        let group = start;
        do {
          seen.push(group);
          const [teacher, ...more] = teachersOf("ring", group, numGroups);
          assert.deepEqual(more, []);
          group = teacher ?? Number.NaN;
        } while (group !== start && seen.length <= numGroups);
        assert.deepEqual(
          seen.sort((a, b) => a - b),
          groupsOf(numGroups),
        );
      }
    }
  });

  test('"pairs" is mutual, and only the last of an odd number is alone', () => {
    for (const numGroups of sizes) {
      for (const group of groupsOf(numGroups)) {
        const teachers = teachersOf("pairs", group, numGroups);
        const isAlone = numGroups % 2 === 1 && group === numGroups - 1;
        assert.equal(teachers.length, isAlone ? 0 : 1);
        for (const teacher of teachers) assert.deepEqual(teachersOf("pairs", teacher, numGroups), [group]);
      }
    }
  });
});

test("random teachers are as many as asked for, nobody's own, the same for one key and others for another", () => {
  const draw = (seed: number) => groupsOf(7).map((group) => teachersOf({ degree: 3 }, group, 7, rootKey(seed)));
  for (const [group, teachers] of draw(1).entries()) {
    assert.equal(new Set(teachers).size, 3);
    assert.ok(!teachers.includes(group));
    assert.deepEqual(teachers, [...teachers].sort());
  }
  assert.deepEqual(draw(1), draw(1));
  assert.notDeepEqual(draw(1), draw(2));
  assert.deepEqual(teachersOf({ degree: 9 }, 1, 3), [0, 2]);
});

test("a list says the teachers of each group", () => {
  const list = [[2, 1], [], [0]];
  assert.deepEqual(
    groupsOf(3).map((group) => teachersOf(list, group, 3)),
    [[1, 2], [], [0]],
  );
});
