import { baggageEntryMetadataFromString, propagation, type Baggage, type BaggageEntry } from '@opentelemetry/api'
import { decodePercent } from './percent-coding.ts'

/** A good member of a header, as it stands there. */
export interface BaggageMember {
  /** Percent-coded. */
  value: string
  /** What stands behind the first `;`; empty when there is none. */
  properties: string
}

/** A baggage that came in. Most of it is only passed on, so entries are made when somebody asks for them. */
export class HeaderBaggage implements Baggage {
  readonly #members: ReadonlyMap<string, BaggageMember>

  constructor (members: ReadonlyMap<string, BaggageMember>) {
    this.#members = members
  }

  getEntry (name: string): BaggageEntry | undefined {
    const member = this.#members.get(name)
    return member === undefined ? undefined : toEntry(member)
  }

  getAllEntries (): Array<[name: string, entry: BaggageEntry]> {
    return Array.from(this.#members, ([name, member]) => [name, toEntry(member)])
  }

  setEntry (name: string, entry: BaggageEntry): Baggage {
    return this.#toChange().setEntry(name, entry)
  }

  removeEntry (name: string): Baggage {
    return this.#toChange().removeEntry(name)
  }

  removeEntries (...names: string[]): Baggage {
    return this.#toChange().removeEntries(...names)
  }

  clear (): Baggage {
    return propagation.createBaggage()
  }

  /** The same entries in a baggage of the API's own kind. */
  #toChange (): Baggage {
    return propagation.createBaggage(Object.fromEntries(this.getAllEntries()))
  }
}

function toEntry ({ value, properties }: BaggageMember): BaggageEntry {
  const decoded = decodePercent(value)
  return properties === '' ? { value: decoded } : { value: decoded, metadata: baggageEntryMetadataFromString(properties) }
}
