import { fold, type Key, permutation } from "../runtime/random.js";

/**
 * Who teaches whom: everyone else ("all"), the predecessor ("ring"), the partner ("pairs": 0 with 1, 2 with 3; the last
 * of an odd number stays alone), `degree` random others each, or the teachers of each group in a list.
 */
export type Topology = "all" | "ring" | "pairs" | { readonly degree: number } | readonly (readonly number[])[];

/** The groups that teach a group, in group order. The random ones follow from the key, which all groups must share. */
export function teachersOf(
  topology: Topology,
  groupIndex: number,
  numGroups: number,
  key: Key = { hi: 0, lo: 0 },
): number[] {
  const others = Array.from({ length: numGroups }, (_, group) => group).filter((group) => group !== groupIndex);
  return others.filter(isTeacher(topology, groupIndex, numGroups, others, key));
}

function isTeacher(
  topology: Topology,
  groupIndex: number,
  numGroups: number,
  others: readonly number[],
  key: Key,
): (group: number) => boolean {
  if (topology === "all") return () => true;
  if (topology === "ring") return (group) => group === (groupIndex + numGroups - 1) % numGroups;
  if (topology === "pairs") return (group) => group === (groupIndex ^ 1);
  if ("degree" in topology) {
    const drawn = permutation(fold(key, groupIndex), others.length).slice(0, topology.degree);
    return (group) => drawn.includes(others.indexOf(group));
  }
  return (group) => topology[groupIndex]?.includes(group) ?? false;
}
