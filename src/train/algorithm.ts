/**
 * The interface of a training algorithm. Each algorithm is a file in `run/algorithms/` and a line in
 * `run/algorithms.ts`.
 */
import type { Section } from "../checkpoint/checkpoint.js";
import type { TeacherUse } from "../log/events.js";
import type { StepMetrics } from "./student.js";

/** One step of a group, after it was taken. */
export interface Step extends StepMetrics {
  readonly step: number;
  /** The weight of the distillation loss; 0 in a step without teachers. */
  readonly distillWeight: number;
  readonly teachers: readonly TeacherUse[];
}

/** The algorithm of one group. It leaves out the methods that it does not need. */
export interface Algorithm {
  /** Compile the programs of its first step; programs that only later steps need may be compiled in the background. */
  prepare(): Promise<void>;
  /** The steps from the student's own to the last. The signal cancels the step that is under way: then it throws the signal's reason. */
  steps(signal: AbortSignal): AsyncGenerator<Step>;
  /** Its section of the checkpoint: what resuming needs beside the student's state. */
  save(): Section;
  /** Note the student's validation loss. */
  validated?(loss: number): void;
  /** Give the other groups the params as they are now: the group takes no more steps. */
  share?(): Promise<void>;
  /** Resolves when nothing is under way in the background. */
  idle?(): Promise<void>;
}
