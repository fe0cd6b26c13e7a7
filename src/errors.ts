/** The errors a user can cause. Each message states the rule, the values that broke it, and the cure. */

/**
 * The kind of an error, for programs. Codes stay the same, while messages may be reworded; each code has one class.
 *
 * - `"SHAPE"`: shapes or dtypes that do not fit the operation they were given to.
 * - `"CONFIG"`: a configuration value or an option that breaks its rule.
 * - `"DATA"`: input data that cannot be read, or does not hold what the configuration says.
 * - `"DAMAGED_CACHE"`: a cache of prepared data that is not as it was written.
 * - `"CHECKPOINT"`: a checkpoint, snapshot or model that is foreign, or does not fit.
 * - `"DAMAGED"`: a file of ours that is not as it was written: cut off, or with a bit that has flipped.
 * - `"STORE"`: the store failed: unreachable, full, refused, or holding something it should not.
 * - `"FOREIGN_FILE"`: something that no store wrote lies where a value of the store should.
 * - `"CLOSED"`: something that was closed was used again.
 * - `"WORKER"`: the workers of a group no longer take steps together: one failed, is lost, or did not come in time.
 * - `"TRAINING"`: training itself went wrong: a loss that is not finite, a group that died.
 */
export type ErrorCode = keyof typeof classes;

/** Base of every error that the user can correct; any other error that is thrown is a defect of ours. */
export abstract class CodistillError extends Error {
  /** The kind of the error, which survives a transfer between threads or processes; see {@link ErrorCode}. */
  abstract readonly code: ErrorCode;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Shapes or dtypes that do not fit the operation they were given to. */
export class ShapeError extends CodistillError {
  readonly code = "SHAPE";
}

/** A configuration value that breaks its rule. */
export class ConfigError extends CodistillError {
  readonly code = "CONFIG";
}

/** Input data that cannot be read, or does not hold what the configuration says. */
export class DataError extends CodistillError {
  readonly code: "DATA" | "DAMAGED_CACHE" = "DATA";
}

/** A cache of prepared data that is not as it was written. */
export class DamagedCacheError extends DataError {
  override readonly code = "DAMAGED_CACHE";
}

/** A checkpoint or snapshot that is torn, foreign or does not fit the model. */
export class CheckpointError extends CodistillError {
  readonly code: "CHECKPOINT" | "DAMAGED" = "CHECKPOINT";
}

/** A file of ours that is not as it was written: cut off, or with a bit that has flipped. */
export class DamagedError extends CheckpointError {
  override readonly code = "DAMAGED";
}

/** The store failed: unreachable, full, refused, or holding something it should not. */
export class StoreError extends CodistillError {
  readonly code: "STORE" | "FOREIGN_FILE" = "STORE";
}

/** Something that no store wrote lies where a value of the store should: a link, a pipe, a file far too large. */
export class ForeignFileError extends StoreError {
  override readonly code = "FOREIGN_FILE";
}

/** Training itself went wrong: a loss that is not finite, a group that died. */
export class TrainingError extends CodistillError {
  readonly code = "TRAINING";
}

/** The workers of a group no longer take steps together: one of them failed, is lost, or did not come in time. */
export class WorkerError extends CodistillError {
  readonly code = "WORKER";
}

/** Something that was closed, as an engine or a program, was used again. */
export class ClosedError extends CodistillError {
  readonly code = "CLOSED";
}

/** The class of each code. */
const classes = {
  SHAPE: ShapeError,
  CONFIG: ConfigError,
  DATA: DataError,
  DAMAGED_CACHE: DamagedCacheError,
  CHECKPOINT: CheckpointError,
  DAMAGED: DamagedError,
  STORE: StoreError,
  FOREIGN_FILE: ForeignFileError,
  CLOSED: ClosedError,
  TRAINING: TrainingError,
  WORKER: WorkerError,
} as const;

/** Every {@link ErrorCode}. */
export const errorCodes = Object.keys(classes) as readonly ErrorCode[];

/** The code of anything that was thrown; null for a defect, which has none. */
export function codeOf(error: unknown): ErrorCode | null {
  return error instanceof CodistillError ? error.code : null;
}

/**
 * Restore an error that lost its class, but not its code, in a transfer between threads: an error of the class of
 * `code`, with `arrived` as its cause. Without a code, `arrived` itself.
 */
export function errorOfCode(code: ErrorCode | null, arrived: unknown): unknown {
  return code === null ? arrived : new classes[code](messageOf(arrived), { cause: arrived });
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
