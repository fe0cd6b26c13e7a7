/** Teachers in a checkpoint: a resumed group continues with the teachers that it had, at the ages that they had. */
import { z } from "zod";
import { type Section, sectionInfo } from "../checkpoint/checkpoint.js";
import { groupNumber, stepNumber } from "../checkpoint/fields.js";
import { CheckpointError } from "../errors.js";
import { copyOf, type NamedArrays } from "../runtime/array.js";
import { byFirstPart, mapValues, withPrefix } from "../runtime/named.js";
import type { KeptTeacher } from "./consolidation.js";
import type { SeenTeacher } from "./transport.js";

const teacherSchema = z.object({ group: groupNumber, step: stepNumber, digest: z.string(), seenAtStep: stepNumber });

const schema = z.object({
  teachers: z.array(teacherSchema),
  /** What consolidation has kept; left out where there is nothing. */
  kept: z.array(teacherSchema.extend({ keptAt: stepNumber })).optional(),
});

const keptName = (place: number) => `kept-${place}`;

/** The section of the teachers that are known, with arrays named `<group>.<name>`, and of those that are kept, `kept-<place>.<name>`. */
export function saveTeachers(known: readonly SeenTeacher[], kept: readonly KeptTeacher[] = []): Section {
  const arrays: NamedArrays[] = [
    ...known.map(({ group, params }) => withPrefix(String(group), params)),
    ...kept.map(({ params }, place) => withPrefix(keptName(place), params)),
  ];
  return {
    info: {
      teachers: known.map(({ params: _, ...teacher }) => teacher),
      ...(kept.length > 0 && { kept: kept.map(({ params: _, ...teacher }) => teacher) }),
    },
    arrays: Object.assign({}, ...arrays),
  };
}

export interface SavedTeachers {
  readonly known: readonly SeenTeacher[];
  readonly kept: readonly KeptTeacher[];
}

/** The teachers of a section. Throws {@link CheckpointError} when one is named twice, or an array belongs to none. */
export function savedTeachers(section: Section): SavedTeachers {
  const { teachers, kept = [] } = sectionInfo(section, "algorithm", schema);
  const arrays = byFirstPart(section.arrays);
  const groups = new Set<string | null>(teachers.map(({ group }) => String(group)));
  if (groups.size < teachers.length)
    throw new CheckpointError("a checkpoint must name each teacher once, and names one again");
  const places = new Set<string | null>(kept.map((_, place) => keptName(place)));
  const foreign = [...arrays.keys()].find((name) => !groups.has(name) && !places.has(name));
  if (foreign !== undefined) {
    throw new CheckpointError(
      `an array of a checkpoint must be of a teacher that it names, one is of ${foreign ?? "none"}`,
    );
  }
  return {
    known: teachers.map((teacher) => ({ ...teacher, params: arrays.get(String(teacher.group)) ?? {} })),
    // Copies, since views would keep the whole file in memory.
    kept: kept.map((teacher, place) => ({ ...teacher, params: mapValues(arrays.get(keptName(place)) ?? {}, copyOf) })),
  };
}
