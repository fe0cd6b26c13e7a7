/** The states of a step that is cut into parts: each part has that of its own rows, at the worker that takes it. */

import { type Communicator, soleWorker } from "../comm/communicator.js";
import { bytesOf, float32, type NamedArrays, type NdArray, zeros } from "../runtime/array.js";
import { mapValues, named, underPrefix, withPrefix } from "../runtime/named.js";
import { stateNames } from "./graphs.js";
import { checkStates, freshStates, type Stateful, type States, savedName, stateSpecsOf, taughtIn } from "./states.js";

export interface PartStates extends States {
  /** Go on from the states that worker 0 restores, among them those of teachers of these groups. Called by the others. */
  receive(groups: readonly number[]): Promise<void>;
}

/**
 * The states of the parts that this worker takes: part i of worker r of n is part i n + r of the step, and reads the same rows of
 * every batch. All workers call `place` and `keep` alike. What is read and restored is the state of all rows: so all call `read`
 * together, and the others `receive` where worker 0 calls `restore`; these throw {@link WorkerError} when a worker is lost.
 */
export function partStates(learner: Stateful, numParts: number, comm: Communicator = soleWorker()): PartStates {
  const numAll = numParts * comm.size;
  const { own: specs, ofTeacher: teacherSpecs } = stateSpecsOf(learner);
  const ofAll = (of: typeof specs) =>
    mapValues(of, ({ shape: [rows = 1, ...rest], fill }) => ({ shape: [rows * numAll, ...rest], fill }));
  const [whole, wholeOfTeacher] = [ofAll(specs), ofAll(teacherSpecs)];
  /** Named as they are fed; the teachers' by the slots of the groups that taught last. */
  let parts: readonly NamedArrays[] = [];
  let groupsBefore: readonly number[] = [];

  /** The states of the student and of teachers of these groups: their names as they are saved, and as they are fed. */
  const namesWith = (groups: readonly number[]) =>
    [
      [stateNames.state, stateNames.state] as const,
      ...groups.map((group, slot) => [savedName(group), stateNames.teacherState(slot)] as const),
    ].flatMap(([saved, fed]) =>
      Object.entries(saved === stateNames.state ? whole : wholeOfTeacher).map(([name, { shape }]) => ({
        saved: `${saved}.${name}`,
        fed: `${fed}.${name}`,
        shape,
      })),
    );

  /** The rows of part i of the step, where they lie in a state of all rows. */
  function rowsOf({ data }: NdArray, i: number): Float32Array {
    const size = data.length / numAll;
    return (data as Float32Array).subarray(i * size, (i + 1) * size);
  }

  /** Take this worker's rows of the states of worker 0. */
  async function take(groups: readonly number[], states: NamedArrays): Promise<void> {
    const own = Array.from({ length: numParts }, (): Record<string, NdArray> => ({}));
    for (const { saved, fed, shape } of namesWith(groups)) {
      const state = states[saved] ?? zeros(shape);
      await comm.broadcast(bytesOf(state.data), 0);
      for (const [i, part] of own.entries()) {
        const rows = rowsOf(state, i * comm.size + comm.rank).slice();
        part[fed] = float32(rows, [(shape[0] as number) / numAll, ...shape.slice(1)]);
      }
    }
    [parts, groupsBefore] = [own, groups];
  }

  return {
    async place(groups) {
      parts = parts.map((part) => {
        const ofTeachers = groups.map((group, slot) => {
          const before = groupsBefore.includes(group)
            ? underPrefix(stateNames.teacherState(groupsBefore.indexOf(group)), part)
            : {};
          return withPrefix(stateNames.teacherState(slot), { ...freshStates(teacherSpecs), ...before });
        });
        const own = withPrefix(stateNames.state, underPrefix(stateNames.state, part));
        return Object.assign(own, ...ofTeachers);
      });
      groupsBefore = groups;
    },
    feeds: () => parts,
    keep(after) {
      parts = after;
    },
    async read() {
      const all: Record<string, NdArray> = {};
      for (const { saved, fed, shape } of namesWith(groupsBefore)) {
        const state = zeros(shape);
        for (let i = 0; i < numAll; i++) {
          const [rows, part] = [rowsOf(state, i), parts[Math.floor(i / comm.size)]];
          if (i % comm.size === comm.rank && part) rows.set(named(part, fed).data);
          await comm.broadcast(bytesOf(rows), i % comm.size);
        }
        all[saved] = state;
      }
      return all;
    },
    async restore(states) {
      if (states) checkStates(states, whole, wholeOfTeacher);
      const all = states ?? withPrefix(stateNames.state, freshStates(whole));
      await take(taughtIn(all), all);
    },
    receive: (groups) => take(groups, {}),
  };
}
