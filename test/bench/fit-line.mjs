/** Fits a line through points `{ x, y }` by least squares: its slope, and the half of the interval that holds the true one in 95 of 100 cases. */
export function fitLine (points) {
  const mean = (pick) => points.reduce((sum, point) => sum + pick(point), 0) / points.length
  const [meanX, meanY] = [mean(({ x }) => x), mean(({ y }) => y)]
  const varianceX = mean(({ x }) => (x - meanX) ** 2)
  const slope = mean(({ x, y }) => (x - meanX) * (y - meanY)) / varianceX
  const residuals = points.reduce((sum, { x, y }) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0)
  return { slope, margin: 1.96 * Math.sqrt(residuals / (points.length - 2) / (varianceX * points.length)) }
}
