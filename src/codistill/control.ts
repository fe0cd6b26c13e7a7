/** Teachers that know nothing of other groups: what codistillation is held against, to see what its gain comes from. */
import { initWeights, type Model } from "../nn/model.js";
import { copyOf } from "../runtime/array.js";
import { mapValues } from "../runtime/named.js";
import { fold, type Key } from "../runtime/random.js";
import type { Exchange } from "./exchange.js";
import type { SeenTeacher } from "./transport.js";

/** An exchange that reaches no other group. */
export interface ControlExchange extends Exchange {
  /** What a checkpoint has of it. */
  known(): readonly SeenTeacher[];
}

/** For each of these groups a teacher of random weights, drawn by the key, which never learns. */
export function randomTeachers(model: Model, groups: readonly number[], key: Key): ControlExchange {
  const teachers = groups.map((group): SeenTeacher => {
    return { group, step: 0, seenAtStep: 0, digest: `random ${group}`, params: initWeights(model, fold(key, group)) };
  });
  return { teachers: () => teachers, known: () => [] };
}

/** The group's own params, as they were when it last published, in place of the others'; nothing leaves the group. */
export function ownTeacher(group: number, known: readonly SeenTeacher[]): ControlExchange {
  let current = known.map((teacher) => ({ ...teacher, params: mapValues(teacher.params, copyOf) }));
  let numCopies = 0;
  return {
    teachers: () => current,
    publish(step, params) {
      // A student that was set back comes to a step again with other params.
      current = [{ group, step, seenAtStep: step, digest: `own ${step} ${numCopies++}`, params }];
    },
    known: () => current,
  };
}
