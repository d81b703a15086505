/** Paths below the prefix at which the page is served; what it shows there it reads from its address. */
export const PAGE_PATHS = ['/', '/failures', '/traces', '/traces/:traceId']

/**
 * The HTML of the page. Its links, and the `content` of `<meta name="viewer-base">`, are relative to the address that was asked for, so that it works under
 * any prefix, also when a proxy changes the path.
 *
 * @param path - of the request, without query
 * @param pattern - of the route, one of {@link PAGE_PATHS}
 */
export function pageHtml (path: string, pattern: string): string {
  const base = escapeHtml(baseOf(path, pattern))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="viewer-base" content="${base}">
<title>Traces</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${base}viewer.css">
<script type="module" src="${base}viewer.js"></script>
</head>
<body>
<div id="viewer"></div>
<noscript>The viewer needs JavaScript.</noscript>
</body>
</html>
`
}

/** The way from an address to the prefix with its slash: `./`, `../`, or `./telemetry/` from `/telemetry`. */
function baseOf (path: string, pattern: string): string {
  const hasTrailingSlash = path.endsWith('/')
  if (pattern === '/') return hasTrailingSlash ? './' : `./${path.slice(path.lastIndexOf('/') + 1)}/`
  const levels = pattern.split('/').length - 2 + (hasTrailingSlash ? 1 : 0)
  return levels === 0 ? './' : '../'.repeat(levels)
}

function escapeHtml (text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
