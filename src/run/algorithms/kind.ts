/** The interface of a kind of algorithm: its options, what groups must share, and how one group trains by it. */
import type { z } from "zod";
import type { Section } from "../../checkpoint/checkpoint.js";
import type { StartWatch } from "../../checkpoint/claims.js";
import type { Store } from "../../checkpoint/store.js";
import type { Mail } from "../../comm/mail.js";
import type { SkippingStream, Stream } from "../../data/stream.js";
import type { Engine } from "../../engine/engine.js";
import type { TeachersEvent, TrainEvent } from "../../log/events.js";
import type { Model } from "../../nn/model.js";
import type { Schedule } from "../../optim/schedules.js";
import type { Key } from "../../runtime/random.js";
import type { Algorithm } from "../../train/algorithm.js";
import type { Crew } from "../../train/crew.js";
import type { FollowerOptions } from "../../train/follower.js";
import type { Distillation, Learner } from "../../train/graphs.js";
import type { Student } from "../../train/student.js";

/** The parts of a configuration on which the rules of an algorithm's options may depend. */
export interface RunShape {
  readonly numGroups: number;
  readonly numSteps: number;
  readonly globalBatchSize: number;
  readonly accumulate: number;
  readonly workers: number;
  readonly record: boolean;
  readonly device?: string | undefined;
  readonly data: { readonly kind?: string | undefined };
  /** Those that do not change. */
  readonly teachers?: readonly unknown[] | undefined;
  readonly task: { readonly kind: string };
  readonly model: { readonly kind: string };
  readonly ema?: unknown;
  readonly init?: unknown;
  readonly optimizer: {
    readonly clip?: { readonly norm?: number | undefined } | undefined;
    readonly sparseParams?: readonly string[] | undefined;
  };
}

/** Workers that bring gradients one by one, and the engines of the servers that apply them. */
export interface Servers {
  readonly mail: Mail;
  readonly engines: readonly Engine[];
}

/** What there is of a group before its checkpoint is read. */
export interface BaseContext {
  /** The leader's engine. */
  readonly engine: Engine;
  readonly learner: Learner;
  /** By what the student of the group draws. */
  readonly key: Key;
  readonly accumulate: number;
  readonly workers: number;
  readonly numSteps: number;
  /** Start the workers, and so many servers. */
  readonly startServers: (numServers: number) => Promise<Servers>;
  /** An engine beside the leader's, like it; it lives as long as the group trains. */
  readonly startEngine: () => Engine;
  /** Start the other workers, which follow as the algorithm says; none where the group has one worker. */
  readonly startCrew: () => Crew | undefined;
}

/** How a group takes its steps, where that is not by one engine or by workers that take each step together. */
export interface Base {
  readonly student: Student;
  /** The other workers, each of whom reads its part of every batch; left out where there are none. */
  readonly crew?: Crew | undefined;
  /** A validation of what the student ships, by one of what its engine has; left out where these are the same. */
  validating?<T>(validate: (signal: AbortSignal) => Promise<T>): (signal: AbortSignal) => Promise<T>;
  /**
   * The batches of the group, given the stream of its data, the algorithm's section of the checkpoint, and the step it is of; left out
   * where it reads them one after the other.
   */
  open?(source: SkippingStream, saved: Section | null, fromStep: number): Stream & { close(): Promise<void> };
}

/** The group that an algorithm trains. */
export interface AlgorithmContext {
  readonly group: number;
  readonly numGroups: number;
  readonly numSteps: number;
  readonly accumulate: number;
  readonly model: Model;
  readonly student: Student;
  readonly stream: Pick<Stream, "next">;
  /** The key of the run's seed, which all groups share. */
  readonly seed: Key;
  /** The store that all groups share. */
  readonly store: Store;
  /** The number of this start of the group, and the watch for a newer one. */
  readonly incarnation: number;
  readonly starts: StartWatch;
  /** Whether chance alone deals the data of the groups. */
  readonly isAlike: boolean;
  /** The section of the checkpoint that this algorithm saved; null when there is no checkpoint. */
  readonly saved: Section | null;
  /** The step at which the group begins, or from which it resumes. */
  readonly fromStep: number;
  /** Steps between two checkpoints: a group that is started again may go back by as many. */
  readonly checkpointInterval: number;
  /** The recorded exchange of a group whose steps this group repeats. */
  readonly replay?: { readonly trace: readonly TeachersEvent[]; readonly recorded: Store } | undefined;
  readonly log: (event: TrainEvent) => void;
}

/**
 * A kind of algorithm. `Given` are its options as a configuration gives them, `Parsed` with the defaults filled in, `Options` with
 * shares of the run as steps.
 */
export interface AlgorithmKind<Given, Parsed, Options> {
  readonly schema: z.ZodType<Parsed, Given>;
  /** Options with shares of `numSteps` as steps. */
  inSteps(parsed: Parsed, numSteps: number): Options;
  /** A line for each rule that is broken, with the path of the option. */
  problems(options: Options, run: RunShape): string[];
  /** The options that all groups of a run must share, beside the kind. */
  declared(options: Options): Readonly<Record<string, unknown>>;
  /** How the distillation loss is made, of batches of so many examples, and mixed with the label loss. */
  distillation(options: Options, batchSize: number): Distillation;
  /** The step from which on groups teach one another; null when none ever teaches. */
  teachesFrom(options: Options): number | null;
  /** The learning rate by step, made of the configured one and its peak; left out where that stays as it is. */
  learningRate?(
    options: Options,
    configured: Schedule,
    run: { readonly peak: number; readonly numSteps: number },
  ): Schedule;
  /** How a group takes steps; left out where that is by one engine, or by workers that take each step together. */
  base?(options: Options, context: BaseContext): Promise<Base>;
  /** How the workers of a group work that another one leads; left out where they take each step together. */
  follow?(options: FollowerOptions): Promise<void>;
  /** The algorithm of one group. Throws {@link CheckpointError} when its section of the checkpoint does not fit. */
  start(options: Options, context: AlgorithmContext): Algorithm;
}
