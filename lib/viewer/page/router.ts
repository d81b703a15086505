import { createContext } from 'preact'
import { useContext, useEffect, useState } from 'preact/hooks'
import { PREFIX } from './api.ts'
import type { Filters } from './model/filters.ts'
import { formatPlace, parsePlace, type Place } from './model/routes.ts'

export interface Router {
  place: Place
  /** Goes to a place; what is not named stays as it is. */
  go (change: Partial<Place>, how?: 'push' | 'replace'): void
  filter (change: Partial<Filters>, how?: 'push' | 'replace'): void
  href (change: Partial<Place>): string
}

export const RouterContext = createContext<Router>(undefined as unknown as Router)

export function useRouter (): Router {
  return useContext(RouterContext)
}

/** The address is the one place where it stands what is shown. */
export function useAddress (): Router {
  const [place, setPlace] = useState(read)
  useEffect(() => {
    const onPopState = () => setPlace(read())
    addEventListener('popstate', onPopState)
    return () => removeEventListener('popstate', onPopState)
  }, [])
  const router: Router = {
    place,
    href: (change) => formatPlace(PREFIX, { filters: read().filters, page: place.page, ...change }),
    go (change, how = 'push') {
      const href = router.href(change)
      if (href === location.pathname + location.search) return
      if (how === 'push') history.pushState(null, '', href)
      else history.replaceState(null, '', href)
      setPlace(read())
    },
    filter (change, how) {
      const now = read()
      router.go({ ...now, filters: { ...now.filters, ...change } }, how)
    },
  }
  return router
}

function read (): Place {
  return parsePlace(PREFIX, location.pathname, location.search)
}

/** Attributes of a link inside the page. With a modifier key the browser does what it always does. */
export function linkTo (router: Router, change: Partial<Place>): { href: string, onClick: (event: MouseEvent) => void } {
  return {
    href: router.href(change),
    onClick (event) {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0) return
      event.preventDefault()
      router.go(change)
    },
  }
}
