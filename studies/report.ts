export async function writeReport(..._: unknown[]): Promise<string[]> {
  return [];
}
