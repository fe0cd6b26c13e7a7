/** Random choices from a key: a fuzzed input is a pure function of the seed, its category and its number. */
import { bits, fold, type Key } from "../../src/runtime/random.js";

export interface Draw {
  /** An integer from 0 to `below` - 1. */
  int(below: number): number;
  pick<T>(list: readonly T[]): T;
}

const BLOCK_WORDS = 16;

export function drawFrom(key: Key): Draw {
  let words = new Uint32Array();
  let used = 0;
  let numBlocks = 0;
  function int(below: number): number {
    if (used === words.length) {
      words = bits(fold(key, numBlocks++), BLOCK_WORDS) as Uint32Array<ArrayBuffer>;
      used = 0;
    }
    return Math.floor(((words[used++] ?? 0) / 2 ** 32) * below);
  }
  return { int, pick: <T>(list: readonly T[]) => list[int(list.length)] as T };
}
