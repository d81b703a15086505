/** The rows that are drawn: those in view and some around them, so that a fast scroll shows no gap. */
export interface RowWindow {
  first: number
  /** Behind the last one. */
  end: number
}

const OVERSCAN = 6

export function windowOf (count: number, rowHeight: number, scrollTop: number, viewHeight: number): RowWindow {
  const first = Math.floor(scrollTop / rowHeight) - OVERSCAN
  const end = Math.ceil((scrollTop + viewHeight) / rowHeight) + OVERSCAN
  return { first: Math.max(0, Math.min(first, count)), end: Math.max(0, Math.min(end, count)) }
}

/** Where to scroll so that a row is in view; the place where it is now, when it is already. */
export function scrollTopFor (index: number, rowHeight: number, scrollTop: number, viewHeight: number): number {
  const top = index * rowHeight
  if (top < scrollTop) return top
  return top + rowHeight > scrollTop + viewHeight ? top + rowHeight - viewHeight : scrollTop
}
