import { SCOPE_NAME } from '../semconv.ts'

/** Reads variables of one environment by kind. `undefined`: not set, empty, or not usable, which is said once for each variable. */
export interface Variables {
  text (name: string): string | undefined
  choice<Choice extends string> (name: string, choices: readonly Choice[]): Choice | undefined
  integer (name: string, least?: number): number | undefined
  /** A number from 0 to 1. */
  ratio (name: string): number | undefined
  /**
   * In the order of `choices`, each once; what is unknown is left out.
   *
   * @param alone - counts only when nothing else is in the list
   */
  list<Choice extends string> (name: string, choices: readonly Choice[], alone?: Choice): Choice[] | undefined
  /** `true` without regard to case; everything else is false. */
  flag (name: string): boolean
  /** Of HTTP. One that cannot be parsed at all is said by the exporters. */
  url (name: string): string | undefined
  /**
   * Says how many pairs of a list that somebody else reads are none, without showing them: they can be secrets.
   *
   * @param pair - what a pair looks like, besides that it can be decoded
   */
  checkPairs (name: string, pair: RegExp, whatHappens: string): void
  /** The same variables, and nothing is said: for what somebody else reads, and complains of, too. */
  readonly quiet: Variables
}

/** @param warn - takes one line with its end */
export function createVariables (env: NodeJS.ProcessEnv, warn: (line: string) => void): Variables {
  const said = new Set<string>()

  function text (name: string): string | undefined {
    const value = env[name]?.trim()
    return value === undefined || value === '' ? undefined : value
  }

  function itemsOf (name: string): string[] {
    return text(name)?.split(',').map((item) => item.trim()).filter((item) => item !== '') ?? []
  }

  function say (name: string, line: string): void {
    if (!said.has(name)) warn(`${SCOPE_NAME}: ${name} ${line}\n`)
    said.add(name)
  }

  function ignore (name: string, expected: string, value: string): undefined {
    say(name, `must be ${expected}, received ${JSON.stringify(value.slice(0, 40))}; it is ignored.`)
  }

  function number (name: string, isGood: (number: number) => boolean, expected: string): number | undefined {
    const value = text(name)
    if (value === undefined) return undefined
    return isGood(Number(value)) ? Number(value) : ignore(name, expected, value)
  }

  return {
    text,
    choice (name, choices) {
      const value = text(name)
      if (value === undefined) return undefined
      return choices.find((known) => known === value.toLowerCase()) ?? ignore(name, `one of ${choices.join(', ')}`, value)
    },
    integer: (name, least = 0) => number(name, (value) => Number.isSafeInteger(value) && value >= least, `an integer, ${least} or more`),
    ratio: (name) => number(name, (value) => value >= 0 && value <= 1, 'a number from 0 to 1'),
    list (name, choices, alone) {
      const names = new Set(itemsOf(name).map((item) => item.toLowerCase()))
      const known = choices.filter((item) => names.delete(item))
      if (names.size > 0) ignore(name, `a list of ${choices.join(', ')}`, [...names].join(','))
      if (known.length > 1 && alone !== undefined && known.includes(alone)) {
        known.splice(known.indexOf(alone), 1)
        say(name, `has "${alone}" beside others, where it means nothing; it is ignored.`)
      }
      return known.length === 0 ? undefined : known
    },
    flag (name) {
      const value = text(name)
      if (value !== undefined && !/^(?:true|false)$/i.test(value)) ignore(name, 'true or false', value)
      return value?.toLowerCase() === 'true'
    },
    url (name) {
      const value = text(name)
      if (value === undefined || !URL.canParse(value)) return undefined
      return /^https?:\/\//i.test(value) ? value : ignore(name, 'a URL that begins with http:// or https://', value)
    },
    checkPairs (name, pair, whatHappens) {
      const items = itemsOf(name)
      const wrong = items.filter((item) => !pair.test(item) || !isDecodable(item)).length
      if (wrong > 0) say(name, `must be a list of name=value, percent-encoded, and ${wrong} of its ${items.length} items cannot be read; ${whatHappens}.`)
    },
    get quiet () {
      return createVariables(env, () => {})
    },
  }
}

function isDecodable (text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
