import type { ArgumentPart } from './argument-part.ts'
import type { CaptureNode } from './capture-node.ts'
import type { Scrubber } from './scrubber.ts'
import { isCredentialHeader } from './secret-names.ts'

/** Takes out of a validator's own words what they quote; `undefined` when too much was sent to know what they may quote. */
export type HideTexts = (text: string) => string | undefined

/** Values that are looked at; of a part that has more, no words are repeated. */
const MAX_VISITS = 300

/** UTF-16 units by which a longer text is recognised; validators cut what they quote. */
const MAX_NEEDLE_LENGTH = 64

/** Shorter texts are part of too many words: they only count in quotes. */
const MIN_NEEDLE_LENGTH = 4

/** UTF-16 units of a text that are searched. */
const MAX_SEARCHED_LENGTH = 1024

/**
 * Finds what of a part may not be recorded, and could still be quoted in a message: values that no schema declares or that are secret, and names that the
 * client chose. Messages quote them as they were sent, or in other letters, trimmed or escaped.
 */
export function hiddenTexts (part: ArgumentPart, data: unknown, root: CaptureNode | undefined, scrubber: Scrubber): HideTexts {
  let replace: HideTexts | undefined
  return function hide (text) {
    // Most lists are of one error, and most messages quote nothing: nothing is looked for before it is needed.
    replace ??= toReplacer(collect(part, data, root, scrubber))
    return replace(text)
  }
}

interface Visit {
  value: unknown
  node: CaptureNode | undefined
  isHidden: boolean
}

/** `undefined` when there is too much, or something cannot be read. */
function collect (part: ArgumentPart, data: unknown, root: CaptureNode | undefined, scrubber: Scrubber): Set<string> | undefined {
  const texts = new Set<string>()
  const queue: Visit[] = [{ value: data, node: root, isHidden: false }]
  const seen = new Set<object>()

  function visit ({ value, node, isHidden: isInsideHidden }: Visit): void {
    const isHidden = isInsideHidden || node === undefined || node.isUnknown || node.isRedacted || node.isOmitted
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') {
      if (isHidden) texts.add(String(value))
    } else if (value !== null && typeof value === 'object' && !ArrayBuffer.isView(value) && !seen.has(value)) {
      seen.add(value)
      const isList = Array.isArray(value)
      for (const name of Object.keys(value)) {
        const named = node?.child(name)
        if (!isList && named === undefined) texts.add(name)
        queue.push({
          value: (value as Record<string, unknown>)[name],
          node: named ?? node?.unnamedChild(name),
          isHidden: isHidden || (!isList && (scrubber.findInName(name) !== undefined || (part === 'headers' && isCredentialHeader(name)))),
        })
        if (queue.length > MAX_VISITS) return
      }
    }
  }

  try {
    for (let index = 0; index < queue.length && queue.length <= MAX_VISITS; index++) visit(queue[index]!)
  } catch {
    return undefined
  }
  return queue.length <= MAX_VISITS ? texts : undefined
}

interface Needle {
  lowerCase: string
  /** Source of a regular expression. */
  source: string
  isShort: boolean
}

function toReplacer (texts: Set<string> | undefined): HideTexts {
  if (texts === undefined) return () => undefined
  const needles = [...texts].map((text) => text.trim()).filter((text) => text !== '').flatMap(toNeedles)
    .sort((first, second) => second.lowerCase.length - first.lowerCase.length)

  return function replaceTexts (text) {
    const searched = text.slice(0, MAX_SEARCHED_LENGTH)
    const lowerCase = searched.toLowerCase()
    const found = needles.filter((needle) => lowerCase.includes(needle.lowerCase))
    const sourcesOf = (isShort: boolean) => found.filter((needle) => needle.isShort === isShort).map(({ source }) => source).join('|')
    const [long, short] = [sourcesOf(false), sourcesOf(true)]
    let clean = searched
    if (long !== '') clean = clean.replace(new RegExp(long, 'gi'), '…')
    if (short !== '') clean = clean.replace(new RegExp(`(["'\`])(?:${short})(["'\`])`, 'gi'), '$1…$2')
    // At the end of what was cut may stand the beginning of something that was not recognised.
    return searched === text || clean.endsWith('…') ? clean : clean.slice(0, -MAX_NEEDLE_LENGTH)
  }
}

/** A text as it is, as JSON writes it, and as JSON writes that. */
function toNeedles (text: string): Needle[] {
  const escape = (plain: string): string => JSON.stringify(plain).slice(1, -1)
  const plain = text.slice(0, MAX_NEEDLE_LENGTH)
  return [...new Set([plain, escape(plain), escape(escape(plain))])].map((needle) => ({
    lowerCase: needle.toLowerCase(),
    source: toSource(needle) + (text.length > MAX_NEEDLE_LENGTH ? '[^]*' : ''),
    isShort: text.length < MIN_NEEDLE_LENGTH,
  }))
}

function toSource (text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}
