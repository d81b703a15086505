/** Why a body is not taken; Fastify answers with the status code. */
export class BodyError extends Error {
  readonly statusCode: number

  constructor (statusCode: number, message: string) {
    super(message)
    this.statusCode = statusCode
  }
}

/** Bytes or JSON that are not what they should be. */
export class DecodeError extends BodyError {
  constructor (reason: string) {
    super(400, `The body is no OTLP: ${reason}.`)
  }
}
