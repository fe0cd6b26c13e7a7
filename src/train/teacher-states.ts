/** The states of teachers of a model that carries one: each reads the student's batches, with a state of its own. */

import type { Engine } from "../engine/engine.js";
import { checkFit, SAME_CONFIGURATION } from "../nn/fit.js";
import type { Model } from "../nn/model.js";
import { copyOf, filled, type NamedArrays } from "../runtime/array.js";
import { mapValues, underPrefix, withPrefix } from "../runtime/named.js";
import { stateNames } from "./graphs.js";

/** All states are named `<group>.<name>`. */
export interface TeacherStates {
  /**
   * Called before a step. Each teacher, by its slot, gets the state that its group had after the step before, or a
   * fresh one when the group did not teach then. So a newer snapshot of a group continues with the state of its older
   * snapshot.
   */
  place(groups: readonly number[]): Promise<void>;
  /** Copies of the states of the teachers of the last step. */
  read(): Promise<NamedArrays>;
  /** Go on from saved states. Throws {@link CheckpointError} when they do not fit the model. */
  restore(states: NamedArrays): void;
}

/** The states in an engine, under `teacherState.<slot>`. */
export function teacherStates(engine: Engine, { state: specs = {} }: Pick<Model, "state">): TeacherStates {
  const hasState = Object.keys(specs).length > 0;
  let placed: readonly number[] = [];
  let saved: NamedArrays = {};

  async function read(): Promise<NamedArrays> {
    if (!hasState || placed.length === 0) return saved;
    const states = placed.map(async (group, slot) => {
      const prefix = stateNames.teacherState(slot);
      const arrays = await engine.read(Object.keys(withPrefix(prefix, specs)));
      return withPrefix(String(group), underPrefix(prefix, arrays));
    });
    return Object.assign({}, ...(await Promise.all(states)));
  }

  return {
    read,
    async place(groups) {
      if (!hasState) return;
      if (!groups.every((group, slot) => placed[slot] === group)) {
        const states = await read();
        for (const [slot, group] of groups.entries()) {
          const fresh = mapValues(specs, ({ shape, fill }) => filled(shape, fill));
          const state = { ...fresh, ...underPrefix(String(group), states) };
          await engine.write(withPrefix(stateNames.teacherState(slot), state), { memory: "given" });
        }
      }
      placed = groups;
      saved = {};
    },
    restore(states) {
      const groups = new Set(Object.keys(states).map((name) => name.slice(0, name.indexOf("."))));
      for (const group of groups)
        checkFit(`the saved state of teacher ${group}`, underPrefix(group, states), specs, SAME_CONFIGURATION);
      placed = [];
      saved = mapValues(states, copyOf);
    },
  };
}
