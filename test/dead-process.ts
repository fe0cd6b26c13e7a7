/** An id that no process has, however often ids come again: Linux ends them at 2^22, other systems before that. */
export const deadPid = 2 ** 22 + 1;
