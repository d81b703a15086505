/** The close code of a connection that was cut without a word. */
export const ABNORMAL_CLOSURE = 1006

/** What is counted of an upgraded connection. */
export class WebSocketCounts {
  messagesReceived = 0
  messagesSent = 0
  bytesReceived = 0
  bytesSent = 0
  /** How it was closed; `undefined` until it says so. @see https://www.rfc-editor.org/rfc/rfc6455#section-7.4 */
  closeCode: number | undefined = undefined
  /** Called when it has said so, after its connection went. */
  onClosed: (() => void) | null = null
}
