/** Who teaches whom. */
export type Topology = "all" | "ring" | "pairs";

/**
 * The groups that teach a group, in group order: everyone else ("all"), the predecessor ("ring"), or the partner
 * ("pairs": 0 with 1, 2 with 3; the last of an odd number stays alone).
 */
export function teachersOf(topology: Topology, groupIndex: number, numGroups: number): number[] {
  const others = Array.from({ length: numGroups }, (_, group) => group).filter((group) => group !== groupIndex);
  switch (topology) {
    case "all":
      return others;
    case "ring":
      return others.filter((group) => group === (groupIndex + numGroups - 1) % numGroups);
    case "pairs":
      return others.filter((group) => group === (groupIndex ^ 1));
  }
}
