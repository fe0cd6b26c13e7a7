/** When further validations are not worth waiting for, as a pure rule. */

/** The last loss that counted as an improvement, and the validations since. */
export interface Waiting {
  /** Null before the first validation. */
  readonly loss: number | null;
  readonly validations: number;
}

export const notWaiting: Waiting = { loss: null, validations: 0 };

export interface EarlyStopping {
  /** Validations without improvement after which training ends. */
  readonly patience: number;
  /** A loss is an improvement when it is lower by more than this, in its unit: nats per example, or standard units. */
  readonly minDelta: number;
}

/** The state after one more validation. */
export function afterValidation({ loss, validations }: Waiting, now: number, minDelta: number): Waiting {
  const isBetter = loss === null || now < loss - minDelta;
  return isBetter ? { loss: now, validations: 0 } : { loss, validations: validations + 1 };
}

/** Whether the wait has been long enough; never without a rule. */
export function hasWaitedEnough({ validations }: Waiting, rule: EarlyStopping | undefined): boolean {
  return rule !== undefined && validations >= rule.patience;
}
