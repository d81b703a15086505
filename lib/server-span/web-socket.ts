/** What is counted of an upgraded connection. */
export class WebSocketCounts {
  messagesReceived = 0
  messagesSent = 0
  bytesReceived = 0
  bytesSent = 0
  /** How it was closed; 1006 (without a word) until it says so. @see https://www.rfc-editor.org/rfc/rfc6455#section-7.4 */
  closeCode = 1006
  closed = false
  /** Called when it has said so, after its connection went. */
  onClosed: (() => void) | null = null
}
