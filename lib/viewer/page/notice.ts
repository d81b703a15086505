import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import { copyText } from './clipboard.ts'

/** Says something at the edge of the page for a few seconds. */
export type Notify = (text: string, detail?: readonly string[]) => void

export const NoticeContext = createContext<Notify>(() => {})

/** Copies a text and says so. */
export function useCopy (): (text: string, what: string, detail?: readonly string[]) => Promise<void> {
  const notify = useContext(NoticeContext)
  return async (text, what, detail) => {
    if (await copyText(text)) notify(`${what} copied`, detail)
    else notify(`The browser does not let the page copy; ${what} was not copied`)
  }
}
