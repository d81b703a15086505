/** The text, or its beginning and `…` when it is longer than `maxLength` UTF-16 units; a surrogate pair is not split. */
export function cutText (text: string, maxLength: number): string {
  if (text.length <= maxLength) return text
  const unit = text.charCodeAt(maxLength - 1)
  const splitsPair = unit >= 0xd800 && unit <= 0xdbff
  return text.slice(0, splitsPair ? maxLength - 1 : maxLength) + '…'
}
