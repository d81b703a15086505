/** Where a text stops to be JSON. */
export interface JsonPosition {
  /** UTF-16 units before it. */
  position: number
  /** From 1. */
  line: number
  column: number
}

/** UTF-16 units that are searched: what is longer costs more than knowing the place is worth. */
export const MAX_SEARCHED_LENGTH = 64 * 1024

/** More than an escape, a word or a number needs to be told from a wrong one: those that begin before the bound are seen whole. */
export const MAX_TOKEN_LENGTH = 8

const SPACE = /[ \t\n\r]*/y
/** Up to where it is a string; the closing quote is looked for afterwards. */
const STRING = /"(?:[\x20\x21\x23-\x5b\x5d-\uffff]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null/y

/**
 * Finds where a text stops to be JSON. Engines tell it in one message in three, and quote the text in the others.
 *
 * @returns `undefined` when the text is JSON, or the place lies beyond {@link MAX_SEARCHED_LENGTH}
 */
export function findJsonError (text: string): JsonPosition | undefined {
  const position = scan(text.slice(0, MAX_SEARCHED_LENGTH + MAX_TOKEN_LENGTH))
  if (position === undefined || position >= MAX_SEARCHED_LENGTH) return undefined
  const before = text.slice(0, position)
  const lineStart = before.lastIndexOf('\n') + 1
  return { position, line: before.split('\n').length, column: position - lineStart + 1 }
}

/** Walks token by token; what is open is kept on a stack, so that depth costs no recursion. */
function scan (text: string): number | undefined {
  const open: Array<'{' | '['> = []
  // Fastify's parser passes over a byte order mark.
  let at = text.startsWith('\ufeff') ? 1 : 0
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at
    if (!pattern.test(text)) return false
    at = pattern.lastIndex
    return true
  }
  const skipString = (): boolean => {
    if (text[at] !== '"') return false
    skip(STRING)
    if (text[at] !== '"') return false
    at++
    return true
  }
  /** A property's name and its colon. */
  const skipName = (): boolean => {
    skip(SPACE)
    if (!skipString()) return false
    skip(SPACE)
    if (text[at] !== ':') return false
    at++
    return true
  }

  for (;;) {
    skip(SPACE)
    const char = text[at]
    if (char === '{' || char === '[') {
      at++
      skip(SPACE)
      if (text[at] === (char === '{' ? '}' : ']')) {
        at++
      } else {
        open.push(char)
        if (char === '{' && !skipName()) return at
        continue
      }
    } else if (char === '"') {
      if (!skipString()) return at
    } else if (!skip(NUMBER) && !skip(WORD)) {
      return at
    }
    // A value is complete: what follows belongs to what is open around it.
    for (;;) {
      skip(SPACE)
      const around = open.at(-1)
      if (around === undefined) return at === text.length ? undefined : at
      const next = text[at]
      if (next === ',') {
        at++
        if (around === '{' && !skipName()) return at
        break
      }
      if (next !== (around === '{' ? '}' : ']')) return at
      at++
      open.pop()
    }
  }
}
