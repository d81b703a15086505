/** Medians of a machine that others use too spread by 10 to 20 %; the low quantile, of slices that nothing disturbed, by 2 %. */
const QUANTILE = 0.12

/**
 * Measures CPU microseconds a request of each subject.
 *
 * @param subjects - `{ name, runSlice }`; `runSlice` resolves to the cost of a request in one slice
 * @returns microseconds by name
 */
export async function measure (subjects, slices) {
  const costs = new Map(subjects.map(({ name }) => [name, []]))
  for (let slice = 0; slice < slices; slice++) {
    for (let turn = 0; turn < subjects.length; turn++) {
      const { name, runSlice } = subjects[(slice + turn) % subjects.length]
      costs.get(name).push(await runSlice())
    }
  }
  return Object.fromEntries([...costs].map(([name, list]) => [name, quantile(list, QUANTILE)]))
}

export function quantile (numbers, fraction) {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) * fraction)]
}
