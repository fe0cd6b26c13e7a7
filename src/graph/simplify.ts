/** Graphs made smaller before an engine gets them: passes over a graph, until none finds anything to do. */
import { type Graph, inputsOf } from "./graph.js";
import { common } from "./passes/common.js";
import { unused } from "./passes/unused.js";
import { countReads, type Pass, type PassRule, rewrite } from "./passes/walk.js";

/** In the order in which they see a tensor. No pass changes a bit of any result. */
const passes = { unused, common } as const satisfies Record<string, Pass>;

export type PassName = keyof typeof passes;

/** Which passes run; all by default. */
export type Passes = { readonly [P in PassName]?: boolean };

export const passNames = Object.keys(passes) as readonly PassName[];

/** No pass at all. */
export const noPasses: Passes = Object.fromEntries(passNames.map((name) => [name, false]));

/** Every pass removes something, so the rounds end by themselves; after so many, a graph is good enough as it is. */
const MOST_ROUNDS = 100;

/**
 * The same graph with less to compute: the same outputs and updates under the same names. Equal graphs give equal
 * results. The result is for engines: no gradient may be taken of it.
 */
export function simplify(graph: Graph, which: Passes = {}): Graph {
  const chosen = passNames.filter((name) => which[name] ?? true).map((name) => passes[name]);
  let simple = graph;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const reads = countReads(simple);
    const next = rewrite(simple, inTurn(chosen.map((pass) => pass(simple, reads))));
    if (next === simple) break;
    simple = next;
  }
  return keepsItsInputs(graph, simple) ? simple : graph;
}

/** One rule after the other, until one gives several results. */
function inTurn(rules: readonly PassRule[]): PassRule {
  return (tensor, before) => {
    let made = tensor;
    for (const rule of rules) {
      const result = rule(made, before);
      if (!("op" in result)) return result;
      made = result;
    }
    return made;
  };
}

/** A run that makes no updates returns the old values of state tensors, so the graph must still read these. */
function keepsItsInputs(before: Graph, after: Graph): boolean {
  if (!before.when) return true;
  const [was, is] = [inputsOf(before), inputsOf(after)];
  return Object.keys(before.updates).every((name) => is.has(name) || !was.has(name));
}
