import { messageOf } from "../errors.js";

/**
 * Reports trouble that may come back at every interval: when it begins, and again when it is of another kind or
 * something succeeded in between. Messages that differ only in paths and numbers are of one kind.
 */
export function troubleTeller(tell: (message: string) => void): { wentWrong(error: unknown): void; wentWell(): void } {
  let told: string | undefined;
  return {
    wentWrong(error) {
      const message = messageOf(error);
      const kind = message.replace(/\S*[\d/]\S*/g, "");
      if (kind !== told) tell(message);
      told = kind;
    },
    wentWell() {
      told = undefined;
    },
  };
}
