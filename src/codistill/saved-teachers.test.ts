import assert from "node:assert/strict";
import { test } from "node:test";
import { paramsOf } from "../../test/fixtures/exchange-fixture.js";
import { CheckpointError } from "../errors.js";
import { float32 } from "../runtime/array.js";
import { savedTeachers, saveTeachers } from "./saved-teachers.js";
import type { SeenTeacher } from "./transport.js";

const teacher = (group: number): SeenTeacher => ({
  group,
  step: 100 * group,
  digest: String(group).repeat(8),
  seenAtStep: 480,
  params: paramsOf(group),
});

test("teachers come back as they were saved, in their order", () => {
  // 1 and 11: neither name may be taken for the beginning of the other.
  for (const groups of [[], [1], [1, 11, 2]]) {
    const teachers = groups.map(teacher);
    assert.deepEqual(savedTeachers(saveTeachers(teachers)), { known: teachers, kept: [] });
  }
});

test("what consolidation has kept comes back beside them, several of one group too", () => {
  const kept = [1, 1, 0].map((group, i) => ({ ...teacher(group), digest: `kept ${i}`, keptAt: 300 + i }));
  for (const known of [[], [teacher(1)]]) {
    const section = saveTeachers(known, kept);
    assert.deepEqual(savedTeachers(section), { known, kept });
    assert.throws(
      () => savedTeachers({ ...section, arrays: { ...section.arrays, "kept-3.w": float32([1]) } }),
      /one is of kept-3$/,
    );
  }
});

test("a section that names a teacher twice, or has arrays of another one, is refused", () => {
  const { info, arrays } = saveTeachers([teacher(1)]);
  const { teachers } = info as { teachers: readonly object[] };
  const refused = (changed: unknown, more: object, pattern: RegExp) =>
    assert.throws(
      () => savedTeachers({ info: changed, arrays: { ...arrays, ...more } }),
      (error) => error instanceof CheckpointError && pattern.test(error.message),
    );
  refused({ teachers: [...teachers, ...teachers] }, {}, /must name each teacher once/);
  for (const name of ["2.w", "01.w", "x.w", "__proto__.w"]) {
    refused(info, Object.fromEntries([[name, float32([1])]]), /one is of (2|01|x|__proto__)$/);
  }
  refused(info, { w: float32([1]) }, /one is of none/);
  refused({ teachers: [{ group: 1 }] }, {}, /section algorithm .*refused: [\s\S]*teachers\[0\]\.step/);
  refused(null, {}, /section algorithm/);
});
