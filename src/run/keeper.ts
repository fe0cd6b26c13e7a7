/**
 * The files that a group keeps: its best params by validation, and the checkpoint to which it goes back or from which
 * it resumes.
 */
import { generationsOf } from "../checkpoint/generations.js";
import { sealedSafetensors } from "../checkpoint/seal.js";
import type { Store } from "../checkpoint/store.js";
import { StoreError } from "../errors.js";
import type { TrainEvent } from "../log/events.js";
import { notFinite } from "../runtime/array.js";
import type { Algorithm } from "../train/algorithm.js";
import type { Student } from "../train/student.js";
import { troubleTeller } from "../train/trouble.js";
import { afterValidation, type EarlyStopping, hasWaitedEnough, type Waiting } from "./early-stopping.js";
import { groupFiles, readOwnCheckpoint, type SavedInfo, writeOwnCheckpoint } from "./saved-group.js";
import type { Validate } from "./specs.js";

/** The `format` in the metadata of a group's best params. */
export const BEST_FORMAT = "codistill.params";

/** The version of that metadata. */
export const BEST_VERSION = 1;

export interface KeeperOptions {
  readonly group: number;
  readonly incarnation: number;
  /** Digest of the forward graph. */
  readonly model: string;
  readonly student: Student;
  /** Begin anew: the student as it was before its first step. */
  readonly begin: () => Promise<void>;
  readonly stream: { readonly cursor: SavedInfo["cursor"] };
  readonly algorithm: Algorithm;
  readonly validate: Validate;
  readonly files: Store;
  readonly log: (event: TrainEvent) => void;
  readonly best: SavedInfo["best"];
  readonly waiting: Waiting;
  readonly earlyStopping?: EarlyStopping | undefined;
  /** Training ends at a validation whose loss is at most this. */
  readonly stopAtLoss?: number | undefined;
  /** Whether a validation at the student's step was cancelled before. */
  readonly mustValidate: boolean;
  /** Whether the group had trained for as long as it may. */
  readonly isOutOfTime: boolean;
  /** Cancels a validation. */
  readonly stop: AbortSignal;
}

/** Methods return what is wrong with the group, as a sentence with the rule and the values; else null. */
export interface Keeper {
  /**
   * Validate, and write the params if they are the best so far. A disk that fails is logged, unless `must` says that
   * writing has to succeed. Rejects with the reason of the signal that cancels it.
   */
  validate(must: boolean): Promise<string | null>;
  /** Whether the validation of the student's present step was cancelled. */
  owesValidation(): boolean;
  /** Say that the group has trained for as long as it may; the next checkpoint says so too. */
  endTime(): void;
  isOutOfTime(): boolean;
  /** The best so far, when it is good enough, or validations have not improved on it for long enough; else null. */
  stopsEarly(): SavedInfo["best"];
  /**
   * Save a checkpoint. A disk that fails is logged and the older checkpoint stays, unless `must` says that writing has
   * to succeed.
   */
  save(must: boolean): Promise<string | null>;
  /** Go back to the checkpoint, or to the initial params when there is none; the data stream goes on from where it is. */
  restore(learningRateScale: number): Promise<void>;
}

export function groupKeeper(options: KeeperOptions): Keeper {
  const { group, incarnation, model, student, stream, algorithm, files, log } = options;
  let { best, waiting, mustValidate, isOutOfTime } = options;
  const onTrouble = (message: string) => log({ event: "checkpoint-trouble", group, step: student.step, message });
  const writing = { best: tolerant(onTrouble), checkpoint: tolerant(onTrouble) };

  async function validate(): Promise<string | null> {
    const { step } = student;
    mustValidate = true;
    const { loss, ...measured } = await options.validate(options.stop);
    mustValidate = false;
    algorithm.validated?.(loss);
    if (!Number.isFinite(loss)) return `the validation loss must stay finite, at step ${step} it was ${loss}`;
    waiting = afterValidation(waiting, loss, options.earlyStopping?.minDelta ?? 0);
    const isBest = best === null || loss < best.loss;
    if (isBest) {
      const metadata = {
        format: BEST_FORMAT,
        version: String(BEST_VERSION),
        step: String(step),
        validationLoss: String(loss),
        ...(measured.temperature !== undefined && { temperature: String(measured.temperature) }),
        model,
      };
      const parts = await sealedSafetensors(await student.shipped(), metadata);
      await files.put(groupFiles.best, parts, undefined, generationsOf(groupFiles.best).before);
      best = { step, loss };
    }
    log({ event: "validation", group, step, loss, ...measured, best: isBest });
    return null;
  }

  async function save(): Promise<string | null> {
    const started = performance.now();
    const { step, learningRateScale } = student;
    const state = await student.state();
    if (notFinite(state).length > 0) return `the params must stay finite, at step ${step} they were not`;
    const { cursor } = stream;
    const flags = { ...(mustValidate && { mustValidate }), ...(isOutOfTime && { isOutOfTime }) };
    const info = { group, step, incarnation, model, cursor, best, learningRateScale, waiting, ...flags };
    const bytes = await writeOwnCheckpoint(files, { info, state, algorithm: algorithm.save() });
    log({ event: "checkpoint", group, step, bytes, seconds: (performance.now() - started) / 1000 });
    return null;
  }

  async function restore(learningRateScale: number): Promise<void> {
    const checkpoint = await readOwnCheckpoint(files, group, log);
    if (!checkpoint) await options.begin();
    await student.restore(
      checkpoint?.state ?? (await student.state()),
      checkpoint?.info.step ?? student.step,
      learningRateScale,
    );
    mustValidate = checkpoint?.info.mustValidate ?? false;
    // Saved at once, so that a restarted group knows the lower learning rate and the position of the data stream.
    await writing.checkpoint(false, save);
  }

  const { stopAtLoss = Number.NEGATIVE_INFINITY } = options;
  const stopsEarly = () =>
    hasWaitedEnough(waiting, options.earlyStopping) || (best !== null && best.loss <= stopAtLoss) ? best : null;
  return {
    validate: (must) => writing.best(must, validate),
    owesValidation: () => mustValidate,
    endTime() {
      isOutOfTime = true;
    },
    isOutOfTime: () => isOutOfTime,
    stopsEarly,
    save: (must) => writing.checkpoint(must, save),
    restore,
  };
}

type Work = () => Promise<string | null>;

/**
 * Runs work that writes a file. A disk that fails is logged and does not stop training, unless the work `must` succeed.
 */
function tolerant(onTrouble: (message: string) => void): (must: boolean, work: Work) => Promise<string | null> {
  const trouble = troubleTeller(onTrouble);
  return async (must, work) => {
    try {
      const found = await work();
      trouble.wentWell();
      return found;
    } catch (error) {
      if (must || !(error instanceof StoreError)) throw error;
      trouble.wentWrong(error);
      return null;
    }
  };
}
