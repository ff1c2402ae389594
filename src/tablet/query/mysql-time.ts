/** A moment as MySQL's NOW(6) writes it, in UTC. `at` is in epoch milliseconds. */
export function mysqlTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 23).replace('T', ' ')}000`;
}
