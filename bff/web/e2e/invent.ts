// Invented people: nobody's ID number begins with 990101, nobody's phone with 1990.

/** What tells this run's records from those of other runs on the same server. */
export const stamp = String(Date.now() % 1e8).padStart(8, '0')

/** An ID number with a correct check digit, of somebody born between 1960 and 1989, old enough for the dates that tests join on. */
export function inventedID(): string {
  const born = new Date(Date.UTC(1960, 0, 1 + Math.floor(Math.random() * 10_900))).toISOString().slice(0, 10).replaceAll('-', '')
  const first17 = '990101' + born + String(Math.floor(Math.random() * 1000)).padStart(3, '0')
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
  return first17 + '10X98765432'[weights.reduce((sum, w, i) => sum + w * Number(first17[i]), 0) % 11]
}

export const inventedPhone = () => '199' + String(Math.floor(Math.random() * 1e8)).padStart(8, '0')

/** The month so many months after one, yyyy-MM. */
export function month(from: string, by: number): string {
  const [y, m] = from.split('-').map(Number)
  return new Date(Date.UTC(y, m - 1 + by, 1)).toISOString().slice(0, 7)
}

/** A moment in China, as "yyyy-MM-dd HH:mm:ss". */
export const inChina = (t: number) => new Date(t + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
