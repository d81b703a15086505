import { cutText } from './cut-text.ts'
import { findSecretWord } from './secret-names.ts'
import { findSecretText, hideSecrets, mayHoldSecret } from './secret-texts.ts'
import { SCRUBBED } from './stand-ins.ts'

/** What a scrubbing callback is asked about. */
export interface ScrubMatch {
  /** JSON pointer to the value: `/body/session`; of an attribute `/app.session`. */
  path: string
  /** The value itself: handle with care. */
  value: unknown
  /** What raised the alarm: the word in the name, or the beginning of what was found in a text. */
  matched: string
}

/** The option `scrubbing`, when it is an object. */
export interface ScrubbingOptions {
  /** More patterns of secret names and texts; strings are regular expressions without regard to case. Added to the list that is built in. */
  extraPatterns?: ReadonlyArray<string | RegExp>
  /**
   * Asked before a value is taken out: what it returns is recorded in its place, within the bounds and not scrubbed again; `undefined`
   * takes the value out. When it throws, or returns a promise, the value is taken out.
   */
  callback?: (match: ScrubMatch) => unknown
}

/**
 * The second net. The first is the schema, which decides what is recorded at all; this one takes out what its name, or in free text its form,
 * says to be secret.
 */
export interface Scrubber {
  /** `null` when nobody is asked. */
  readonly callback: NonNullable<ScrubbingOptions['callback']> | null
  /** Every text needs a look, also one without any sign that {@link mayHoldSecret} knows beforehand. */
  readonly looksAtAll: boolean
  /** What in a name marks its value as secret; `undefined` when nothing does. */
  findInName (name: string): string | undefined
  /** A name that the client chose, without what looks like a credential in it; patterns of the user's own are for the value under it. */
  hideInName (name: string): string
  /** Whether {@link hideInText} could change a text; cheap. */
  mayHoldSecret (text: string): boolean
  /** What in a text looks like a credential; `undefined` when nothing does. */
  findInText (text: string): string | undefined
  /** The text with what looks like a credential taken out; the same text when nothing does. */
  hideInText (text: string): string
  /** Notes that the callback failed. */
  reportFailure (error: unknown): void
}

/**
 * @param scrubbing - the plugin's option; `false` scrubs nothing
 * @throws SyntaxError - when a string of `extraPatterns` is no regular expression
 */
export function createScrubber (scrubbing: boolean | ScrubbingOptions = true, reportFailure: (error: unknown) => void = () => {}): Scrubber {
  if (scrubbing === false) {
    return {
      callback: null,
      looksAtAll: false,
      findInName: () => undefined,
      hideInName: (name) => name,
      mayHoldSecret: () => false,
      findInText: () => undefined,
      hideInText: (text) => text,
      reportFailure,
    }
  }
  const { extraPatterns = [], callback = null } = scrubbing === true ? {} : scrubbing
  const extra = extraPatterns.map(toPattern)
  const findExtra = (text: string): string | undefined => {
    for (const pattern of extra) {
      const match = pattern.exec(text)
      if (match !== null) return match[0]
    }
    return undefined
  }
  const extraEverywhere = extra.map(({ source, flags }) => new RegExp(source, `${flags}g`))
  const hideExtra = (text: string): string => extraEverywhere.reduce((clean, pattern) => clean.replace(pattern, SCRUBBED), text)

  return {
    callback,
    looksAtAll: extra.length > 0,
    findInName: extra.length === 0 ? findSecretWord : (name) => findSecretWord(name) ?? findExtra(name),
    hideInName: (name) => mayHoldSecret(name) ? hideSecrets(name) : name,
    mayHoldSecret: extra.length === 0 ? mayHoldSecret : (text) => mayHoldSecret(text) || findExtra(text) !== undefined,
    findInText: (text) => findSecretText(text) ?? findExtra(text),
    hideInText: (text) => hideExtra(mayHoldSecret(text) ? hideSecrets(text) : text),
    reportFailure,
  }
}

/** Free text that is searched for secrets, unless more of it may be recorded; what is longer is cut first. */
const MAX_TEXT_LENGTH = 8192

/** UTF-16 units that are searched beyond what may be recorded. */
const MARGIN = 512

/** As much of a text as is searched before it is cut at `maxLength`: more than that, so that a secret at the end is recognised as a whole. */
export function nearText (text: string, maxLength: number): string {
  return cutText(text, Math.max(maxLength + MARGIN, Math.min(MAX_TEXT_LENGTH, maxLength * 2 + MARGIN)))
}

/** A {@link nearText}, scrubbed, without its end: half a secret may stand there, which was not recognised, and may have moved to where it is recorded. */
export function withoutEnd (clean: string): string {
  const mark = clean.lastIndexOf(SCRUBBED)
  return cutText(clean, Math.max(mark === -1 ? 0 : mark + SCRUBBED.length, clean.length - MARGIN))
}

/** Free text (messages, stacks) without what looks like a credential, cut at `maxLength` UTF-16 units. */
export function scrubText (scrubber: Scrubber, text: string, maxLength: number): string {
  const near = nearText(text, maxLength)
  const clean = scrubber.hideInText(near)
  return cutText(near === text ? clean : withoutEnd(clean), maxLength)
}

/** Without the flags that make a pattern remember where it was. */
export function toPattern (pattern: string | RegExp): RegExp {
  return typeof pattern === 'string' ? new RegExp(pattern, 'i') : new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''))
}
