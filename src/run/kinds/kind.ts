/**
 * The interface of a kind of data: its configuration, and what a run needs to know of it. Its `DataReader` reads the
 * data.
 */
import type { z } from "zod";
import type { TrainEvent } from "../../log/events.js";
import type { IsDocumented } from "../documented.js";

/** How much data there is, as the event `data-ready` has it. */
export type DataSizes = Pick<Extract<TrainEvent, { readonly event: "data-ready" }>, "rows" | "tokens" | "areImages">;

/** A file that a configuration names. A run copies it into its folder, and then reads only the copy. */
export interface OwnFile<Config> {
  /** The option that names it. */
  readonly option: string;
  /** The name of the copy. */
  readonly copy: string;
  /** Its path; undefined where the configuration names none. */
  pathIn(config: Config): string | undefined;
  /** The SHA-256 of its content when the configuration was loaded, where that was noted. */
  noted?(config: Config): string | undefined;
  /** The configuration with another path in its place. */
  withPath(config: Config, path: string): Config;
}

/** How a trained model is used, in words for users. */
export interface Usage {
  /** What goes into the ONNX model, and what comes out. */
  readonly signature: string;
  /** The command of `codistill` that uses it, without the program's name. */
  readonly command: string;
  /** The page of the documentation on serving it. */
  readonly docs: string;
}

/**
 * The rules of one kind of data. `Schema` is the schema of the configuration of such a run, `Input` the documented type
 * of its options. Methods take a configuration of this kind that has been checked.
 */
export interface DataKind<Schema extends z.ZodType, Input> {
  /** What runs of this kind are on, as in "a run on tables". */
  readonly noun: string;
  /** Checks, defaults, and shares of numSteps as steps. */
  readonly schema: Schema;
  /** Does not compile unless the schema takes what `Input` documents: a sentence of its own, and no other error. */
  readonly isDocumented: IsDocumented<Schema, Input>;
  /** A line for each rule of several options that is broken. */
  problems(config: z.output<Schema>): readonly string[];
  /** The configuration with all paths of data in it made absolute. */
  located(config: z.output<Schema>, absolute: (path: string) => string): z.output<Schema>;
  /** Files beside the data that a configuration may name, by a name for each. */
  readonly ownFiles: Readonly<Record<string, OwnFile<z.output<Schema>>>>;
  /** How much of the training data a step reads, in what {@link numToTrain} counts. */
  numPerStep(config: z.output<Schema>): number;
  /** How much of the data may train some group. */
  numToTrain(sizes: DataSizes): number;
  /** Whether the groups' data differs by nothing but chance, so that they should do equally well. */
  isDealtByChance(config: z.output<Schema>): boolean;
  /** What can be done with the model of such a run, which lies at a path. */
  usage(config: z.output<Schema>, model: string): Usage;
}
