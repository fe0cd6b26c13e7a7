/** How processes of ours end, for those that start them. Those of signals are as the shell has them: 128 and the number. */

/** Training failed, or a defect of ours. */
export const FAILED = 1;

/** The user's input was refused: started again it would be refused again. */
export const REFUSED = 2;

export const STOPPED_BY = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
