/** The errors a user can cause. Each message states the rule, the values that broke it, and the cure. */

/** Base of every error that is the user's to mend; anything else that is thrown is a defect of ours. */
export class CodistillError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Shapes or dtypes that do not fit the operation they were given to. */
export class ShapeError extends CodistillError {}

/** A configuration value that breaks its rule. */
export class ConfigError extends CodistillError {}

/** Input data that cannot be read, or does not hold what the configuration says. */
export class DataError extends CodistillError {}

/** A cache of prepared data that is not as it was written. */
export class DamagedCacheError extends DataError {}

/** A checkpoint or snapshot that is torn, foreign or does not fit the model. */
export class CheckpointError extends CodistillError {}

/** A file of ours that is not as it was written: cut off, or with a bit that has flipped. */
export class DamagedError extends CheckpointError {}

/** The store failed: unreachable, full, refused, or holding something it should not. */
export class StoreError extends CodistillError {}

/** In the place of a value of the store lies something that no store has put there: a link, a pipe, a file far too large. */
export class ForeignFileError extends StoreError {}

/** Training itself went wrong: a loss that is not finite, a group that died. */
export class TrainingError extends CodistillError {}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
