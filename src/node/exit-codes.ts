/** How processes of ours end, for those that start them. Those of signals are as the shell has them: 128 and the number. */
import { constants } from "node:os";

/** Training failed, or a defect of ours. */
export const FAILED = 1;

/** The user's input was refused: started again it would be refused again. */
export const REFUSED = 2;

/** Signals that make a run save and stop; a second of them ends it at once. */
export const STOP_SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

/** What batch systems send ahead of the end of a job's time: save and stop too, but however many come, none ends at once. */
export const EARLY_SIGNALS = ["SIGUSR1", "SIGUSR2"] as const;

/** The exit code of a run that a signal stopped. */
export const stoppedBy = (signal: NodeJS.Signals) => 128 + constants.signals[signal];
