import type { Context } from '@opentelemetry/api'

/** Longest chain; what is longer is copied into a context of the API's own kind. */
const MAX_LINKS = 32

/**
 * A context that holds one value and points to the one it was made from. The API's own copies all values into a new map, with three closures, at
 * each `setValue`; a request makes two or three contexts, and this saves it a tenth of its time.
 *
 * @see https://opentelemetry.io/docs/specs/otel/context/
 */
export class LinkedContext implements Context {
  // Not `#private`: engines take longer to define such fields than all the rest of the constructor.
  private readonly parent: Context
  private readonly key: symbol | undefined
  private readonly value: unknown
  private readonly links: number

  /** Without a key: the beginning of a chain, with the values of `parent`. */
  constructor (parent: Context, key?: symbol, value?: unknown, links = 0) {
    this.parent = parent
    this.key = key
    this.value = value
    this.links = links
  }

  getValue (key: symbol): unknown {
    let link: LinkedContext = this
    while (true) {
      if (link.key === key) return link.value
      const parent = link.parent
      if (!(parent instanceof LinkedContext)) return parent.getValue(key)
      link = parent
    }
  }

  setValue (key: symbol, value: unknown): Context {
    return this.links < MAX_LINKS ? new LinkedContext(this, key, value, this.links + 1) : this.flatten().setValue(key, value)
  }

  deleteValue (key: symbol): Context {
    return this.setValue(key, undefined)
  }

  private flatten (): Context {
    const links: LinkedContext[] = []
    let root: Context = this
    while (root instanceof LinkedContext) {
      if (root.key !== undefined) links.push(root)
      root = root.parent
    }
    return links.reduceRight((context, link) => context.setValue(link.key!, link.value), root)
  }
}
