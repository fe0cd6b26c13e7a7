/** What a kind of data is to a run: its configuration, and what is said of it. The other half reads the data. */
import type { z } from "zod";
import type { TrainEvent } from "../../log/events.js";
import type { Documented } from "../documented.js";

/** How much data there is, as the log says it. */
export type DataSizes = Pick<Extract<TrainEvent, { readonly event: "data-ready" }>, "rows" | "tokens">;

/** A file that a configuration names, of which a run keeps a copy in its folder and reads that alone. */
export interface OwnFile<Config> {
  /** The option that names it. */
  readonly option: string;
  /** What the copy is called. */
  readonly copy: string;
  /** Its path; undefined where the configuration names none. */
  pathIn(config: Config): string | undefined;
  /** The configuration with another path in its place. */
  withPath(config: Config, path: string): Config;
}

/** What can be done with a trained model, as people are told. */
export interface Usage {
  /** What goes into the ONNX model, and what comes out. */
  readonly signature: string;
  /** What `codistill` can do with it. */
  readonly command: string;
  /** The page of the documentation on serving it. */
  readonly docs: string;
}

/**
 * The rules of one kind of data. `Schema` is that of a configuration of such a run, `Input` what an editor shows of its
 * options. In functions, the configuration is a checked one of this kind.
 */
export interface DataKind<Schema extends z.ZodType, Input> {
  /** What runs of this kind are on, as in "a run on tables". */
  readonly noun: string;
  /** Checks, defaults, and shares of numSteps as steps. */
  readonly schema: Documented<Schema, Input>;
  /** A line for each rule of several options that is broken. */
  problems(config: z.output<Schema>): readonly string[];
  /** The configuration with all paths of data in it made absolute. */
  located(config: z.output<Schema>, absolute: (path: string) => string): z.output<Schema>;
  /** Files beside the data that it may name, by what the run folder calls them. */
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
