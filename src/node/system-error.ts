/** Whether the operating system refused something, as a disk that is full or a folder that may not be written to. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "code" in error;
}
