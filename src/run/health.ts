/**
 * The rule by which a group goes on, goes back or gives up, as pure functions. The graph itself skips a step whose
 * numbers are not finite; this rule says what follows when skipping does not help.
 */

/** Skipped steps in a row after which the group goes back to its last checkpoint. */
export const SKIPS_BEFORE_RESTORE = 3;

/** Times that a group goes back without saving a checkpoint of a later step than any before; then it gives up. */
export const MAX_RESTORES = 3;

/** What the learning rate is multiplied by each time the group goes back. */
export const RESTORED_LEARNING_RATE = 0.5;

/** What the rule remembers. */
export interface Health {
  /** Skipped steps in a row. */
  readonly skips: number;
  /** Times gone back since the latest checkpoint. */
  readonly restores: number;
  /** The latest step of which a checkpoint was saved. */
  readonly savedStep: number;
}

/** The state of a group that begins, or resumes, at a step. */
export function healthAt(step: number): Health {
  return { skips: 0, restores: 0, savedStep: step };
}

/** The state after a step, skipped or not. */
export function afterStep(health: Health, isSkipped: boolean): Health {
  return { ...health, skips: isSkipped ? health.skips + 1 : 0 };
}

/** The state after a checkpoint was saved: only a checkpoint of a later step shows that the group got further. */
export function afterSave(health: Health, step: number): Health {
  return step > health.savedStep ? { ...health, restores: 0, savedStep: step } : health;
}

/** Whether enough steps were skipped to go back. */
export function mustRestore({ skips }: Health): boolean {
  return skips >= SKIPS_BEFORE_RESTORE;
}

/**
 * The state after going back; null when the group has gone back {@link MAX_RESTORES} times in vain and must give up.
 */
export function afterRestore(health: Health): Health | null {
  return health.restores < MAX_RESTORES ? { ...health, skips: 0, restores: health.restores + 1 } : null;
}
