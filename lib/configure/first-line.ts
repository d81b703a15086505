/** The first line of a text, for a message that is to be one line itself. */
export function firstLine (text: string, maxLength = 300): string {
  return text.split('\n', 1)[0]!.slice(0, maxLength)
}
