/** How thorough the tests are. `npm test -- --full` takes the numbers that a change of their subject must pass. */
export const isFull = process.env.CODISTILL_FULL === "1";
