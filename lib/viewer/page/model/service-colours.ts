const COLOURS = 6

/** A colour for each service, by the order in which they take part; more services than colours begin again. */
export function serviceColours (services: readonly string[]): Map<string, number> {
  const colours = new Map<string, number>()
  for (const service of services) if (!colours.has(service)) colours.set(service, colours.size % COLOURS)
  return colours
}
