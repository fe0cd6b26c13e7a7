/** Teachers in a checkpoint: a resumed group continues with the teachers that it had, at the ages that they had. */
import { z } from "zod";
import { type Section, sectionInfo } from "../checkpoint/checkpoint.js";
import { groupNumber, stepNumber } from "../checkpoint/fields.js";
import { CheckpointError } from "../errors.js";
import type { NamedArrays } from "../runtime/array.js";
import { byFirstPart, withPrefix } from "../runtime/named.js";
import type { SeenTeacher } from "./transport.js";

const schema = z.object({
  teachers: z.array(z.object({ group: groupNumber, step: stepNumber, digest: z.string(), seenAtStep: stepNumber })),
});

/** The section of the teachers that are known: their arrays are named `<group>.<name>`. */
export function saveTeachers(known: readonly SeenTeacher[]): Section {
  const arrays: NamedArrays[] = known.map(({ group, params }) => withPrefix(String(group), params));
  return {
    info: { teachers: known.map(({ params: _, ...teacher }) => teacher) },
    arrays: Object.assign({}, ...arrays),
  };
}

/** The teachers of a section. Throws {@link CheckpointError} when one is named twice, or an array belongs to none. */
export function savedTeachers(section: Section): readonly SeenTeacher[] {
  const { teachers } = sectionInfo(section, "algorithm", schema);
  const arrays = byFirstPart(section.arrays);
  const groups = new Set<string | null>(teachers.map(({ group }) => String(group)));
  if (groups.size < teachers.length)
    throw new CheckpointError("a checkpoint must name each teacher once, and names one again");
  const foreign = [...arrays.keys()].find((group) => !groups.has(group));
  if (foreign !== undefined) {
    throw new CheckpointError(
      `an array of a checkpoint must be of a teacher that it names, one is of ${foreign ?? "none"}`,
    );
  }
  return teachers.map((teacher) => ({ ...teacher, params: arrays.get(String(teacher.group)) ?? {} }));
}
