/** The states of a model that carries one: the student's own, and one of each teacher, which reads the student's batches. */

import type { Engine } from "../engine/engine.js";
import { checkFit, SAME_CONFIGURATION } from "../nn/fit.js";
import type { Model } from "../nn/model.js";
import { copyOf, filled, type NamedArrays } from "../runtime/array.js";
import { byFirstPart, mapValues, underPrefix, withPrefix } from "../runtime/named.js";
import { ownStates } from "./fixed-networks.js";
import { type Learner, stateNames } from "./graphs.js";
import { taughtStates } from "./taught-rows.js";

/**
 * The states from one step to the next. They are saved as those of the whole batch of a step, in the order of its rows, as
 * `state.<name>` and `teacherState.<group>.<name>`: whoever reads which rows.
 */
export interface States {
  /**
   * Called before a step. Each teacher, by its slot, gets the state that its group had after the step before, or a
   * fresh one when the group did not teach then. So a newer snapshot of a group continues with the state of its older
   * snapshot.
   */
  place(groups: readonly number[]): Promise<void>;
  /** What each part of the step is fed of its states, named as the engine names states; none where the engine has them. */
  feeds(): readonly NamedArrays[];
  /** Go on from what the parts of a step that was taken came to, named as {@link feeds} names them. */
  keep(after: readonly NamedArrays[]): void;
  /** Copies of the states of the student and of the teachers of the last step, as they are saved. */
  read(): Promise<NamedArrays>;
  /** Go on from saved states, or from fresh ones. Throws {@link CheckpointError} when those do not fit the model. */
  restore(saved: NamedArrays | null): Promise<void>;
}

type Specs = NonNullable<Model["state"]>;

/** What of a learner says which states there are. */
export type Stateful = Pick<Learner, "model" | "distillation" | "fixedTeachers">;

/** The states that a student carries, with those of its fixed teachers, and those that each group that teaches it does. */
export function stateSpecsOf(learner: Stateful): { readonly own: Specs; readonly ofTeacher: Specs } {
  const { model, distillation: { taught } = {} } = learner;
  return { own: ownStates(learner), ofTeacher: taughtStates(model.state ?? {}, taught) };
}

/** The states of a step of one part, in an engine under `state` and `teacherState.<slot>`. */
export function engineStates(engine: Engine, learner: Stateful): States {
  const { own: specs, ofTeacher: teacherSpecs } = stateSpecsOf(learner);
  const hasState = Object.keys(specs).length > 0;
  let placed: readonly number[] = [];
  let saved: NamedArrays = {};

  async function ofTeachers(): Promise<NamedArrays> {
    if (placed.length === 0) return saved;
    const states = placed.map(async (group, slot) => {
      const prefix = stateNames.teacherState(slot);
      const arrays = await engine.read(Object.keys(withPrefix(prefix, teacherSpecs)));
      return withPrefix(savedName(group), underPrefix(prefix, arrays));
    });
    return Object.assign({}, ...(await Promise.all(states)));
  }

  return {
    feeds: () => [],
    keep() {},
    async read() {
      if (!hasState) return {};
      return { ...(await engine.read(Object.keys(withPrefix(stateNames.state, specs)))), ...(await ofTeachers()) };
    },
    async place(groups) {
      if (!hasState) return;
      if (!groups.every((group, slot) => placed[slot] === group)) {
        const states = await ofTeachers();
        for (const [slot, group] of groups.entries()) {
          const state = { ...freshStates(teacherSpecs), ...underPrefix(savedName(group), states) };
          await engine.write(withPrefix(stateNames.teacherState(slot), state), { memory: "given" });
        }
      }
      placed = groups;
      saved = {};
    },
    async restore(states) {
      if (states) checkStates(states, specs, teacherSpecs);
      const isOwn = ([name]: readonly [string, unknown]) => !isOfTeacher(name);
      const all = Object.entries(states ?? withPrefix(stateNames.state, freshStates(specs)));
      await engine.write(Object.fromEntries(all.filter(isOwn)));
      placed = [];
      saved = mapValues(Object.fromEntries(all.filter((one) => !isOwn(one))), copyOf);
    },
  };
}

/** Under which prefix the state of a group's snapshots as teachers is saved. */
export function savedName(group: number): string {
  return `${TEACHER_STATE}.${group}`;
}

/** The groups whose snapshots have a saved state as teachers. */
export function taughtIn(states: NamedArrays): readonly number[] {
  return [...byFirstPart(underPrefix(TEACHER_STATE, states)).keys()].map(Number);
}

/** Whether a name of what is saved is that of a state. */
export function isState(name: string): boolean {
  return name.startsWith(`${stateNames.state}.`) || isOfTeacher(name);
}

function isOfTeacher(name: string): boolean {
  return name.startsWith(`${TEACHER_STATE}.`);
}

/** The states with which texts begin. */
export function freshStates(specs: Specs): NamedArrays {
  return mapValues(specs, ({ shape, fill }) => filled(shape, fill));
}

/** Throws {@link CheckpointError} unless saved states are the student's and whole ones of teachers. */
export function checkStates(states: NamedArrays, specs: Specs, teacherSpecs: Specs): void {
  const ofTeachers = taughtIn(states).map((group) => withPrefix(savedName(group), teacherSpecs));
  checkFit("the saved state", states, Object.assign(withPrefix(stateNames.state, specs), ...ofTeachers), CURE);
}

const TEACHER_STATE = "teacherState";

/** A state of another shape is of another configuration, or of a version in which the batches of a step had one state between them. */
const CURE = `${SAME_CONFIGURATION} An LSTM with accumulate above 1 that an earlier version saved begins anew: its state is of fewer texts than a step has.`;
