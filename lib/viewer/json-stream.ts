import { Readable } from 'node:stream'
import { createTurns } from './turns.ts'

/** UTF-16 units of a piece: small enough that writing it is no long work. */
const PIECE_LENGTH = 64 * 1024

/** An object as JSON, in pieces, its list last; others have their turn in between. */
export function streamJson<Item> (head: object, listName: string, items: Iterable<Item>, toJson: (item: Item) => unknown): Readable {
  async function * pieces (): AsyncGenerator<string> {
    const turn = createTurns()
    let piece = `${JSON.stringify(head).slice(0, -1)},${JSON.stringify(listName)}:[`
    let separator = ''
    for (const item of items) {
      piece += separator + JSON.stringify(toJson(item))
      separator = ','
      await turn()
      if (piece.length < PIECE_LENGTH) continue
      yield piece
      piece = ''
    }
    yield `${piece}]}`
  }
  return Readable.from(pieces(), { objectMode: false })
}
