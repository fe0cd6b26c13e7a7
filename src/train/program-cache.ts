import type { Engine, Program } from "../engine/engine.js";
import type { Graph } from "../graph/graph.js";

/** Compile each graph once, when first needed. */
export function programCache(engine: Engine): { get(name: string, graph: () => Graph): Promise<Program> } {
  const programs = new Map<string, Promise<Program>>();
  return {
    get(name, graph) {
      const program = programs.get(name) ?? engine.compile(graph());
      programs.set(name, program);
      return program;
    },
  };
}
