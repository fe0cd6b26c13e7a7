/**
 * Whether the process of a group still trains. Each answer of its engine is a sign of life, so that a step, a save or a
 * disk that hangs is noticed as well as a process that is suspended or whose main thread hangs.
 */
import type { Engine } from "../../engine/engine.js";
import { millisecondsBetweenLooks } from "../comm/silence.js";

/** The engine, whose answers are told as signs of life: not more often than a watch over them looks. */
export function livingEngine(engine: Engine, silentSeconds: number, tell: () => void): Engine {
  let told = Number.NEGATIVE_INFINITY;
  function answered<T>(answer: T): T {
    const now = performance.now();
    if (now - told > millisecondsBetweenLooks(silentSeconds)) {
      told = now;
      tell();
    }
    return answer;
  }
  return {
    ...engine,
    async compile(graph) {
      const program = answered(await engine.compile(graph));
      return { ...program, run: (feeds, options) => program.run(feeds, options).then(answered) };
    },
  };
}
