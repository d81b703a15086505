import { type FastifyInstance } from 'fastify'
import { exampleRequests, type ExampleRequest } from './index-page-requests.ts'
import { script } from './index-page-script.ts'
import { style } from './index-page-style.ts'

export interface IndexPageOptions {
  /** Where the viewer is; without it the page shows answers only. */
  viewerPath: string | undefined
}

/** The page loads its script and its style from here, and nothing from elsewhere. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** A page with a button for each request worth a look. It makes no spans itself. */
export async function indexPage (app: FastifyInstance, { viewerPath }: IndexPageOptions) {
  const files = {
    '/': { type: 'text/html; charset=utf-8', text: pageHtml(viewerPath) },
    '/index.css': { type: 'text/css; charset=utf-8', text: style },
    '/index.js': { type: 'text/javascript; charset=utf-8', text: script },
  }
  for (const [path, { type, text }] of Object.entries(files)) {
    app.get(path, { config: { telemetry: false } }, async function indexFile (_request, reply) {
      reply.headers({ 'content-security-policy': POLICY, 'x-content-type-options': 'nosniff', 'cache-control': 'no-cache' })
      return reply.type(type).send(text)
    })
  }
}

function pageHtml (viewerPath: string | undefined): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Example server</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/index.css">
<script type="module" src="/index.js"></script>
</head>
<body>
<header>
<svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true"><rect class="mark-one" x="1" y="3" width="18" height="3.5" rx="1.2"/><rect class="mark-two" x="4" y="8.25" width="8" height="3.5" rx="1.2"/><rect class="mark-three" x="11" y="13.5" width="6" height="3.5" rx="1.2"/></svg>
<strong>Example server</strong>
${viewerPath === undefined ? '' : `<nav aria-label="Viewer"><a href="${viewerPath}">All traces</a><a href="${viewerPath}/failures">Failures</a></nav>`}
</header>
<main${viewerPath === undefined ? '' : ` data-viewer="${viewerPath}"`}>
<h1>Press a button, see the trace</h1>
<p class="lead">${viewerPath === undefined
    ? 'Each button sends a real request to this server. The viewer is left out, since NODE_ENV is <code>production</code>; traces are printed in the terminal.'
    : 'Each button sends a real request to this server, and opens what was recorded of it. Back brings you here again.'}</p>
<div class="cards">
${exampleRequests.map((request, index) => cardHtml(request, index, viewerPath !== undefined)).join('\n')}
</div>
</main>
</body>
</html>
`
}

function cardHtml (request: ExampleRequest, index: number, hasViewer: boolean): string {
  const { title, says, outcome, method, path, headers = {}, body, wrong = [], abortAfterMillis } = request
  const [route, query] = path.split('?') as [string, string?]
  const lines = [
    `<b>${method}</b> ${escapeHtml(route)}${query === undefined ? '' : `?${markWrong(query, wrong, '=')}`}`,
    ...Object.entries(headers).map(([name, value]) => `<i>${escapeHtml(name)}: ${escapeHtml(value)}</i>`),
    ...(body === undefined ? [] : readable(body).map((line) => markWrong(line, wrong))),
  ]
  const data = { method, path, headers: JSON.stringify(headers), body, 'abort-after': abortAfterMillis?.toString() }
  const attributes = Object.entries(data).map(([name, value]) => value === undefined ? '' : ` data-${name}="${escapeHtml(value)}"`).join('')
  return `<section class="card is-${outcome}" aria-labelledby="title-${index}"${attributes}>
<h2 id="title-${index}">${title}</h2>
<p>${says}</p>
<pre>${lines.map((line) => `<span>${line}</span>`).join('')}</pre>
<div class="actions">
${hasViewer ? `<button class="primary" name="see" aria-describedby="title-${index}">Send and see its trace</button>` : ''}
<button name="send" aria-describedby="title-${index}">${hasViewer ? 'Send only' : 'Send'}</button>
</div>
<div class="answer" role="status"></div>
</section>`
}

/** JSON with a line for each member; what is no JSON as it is. */
function readable (body: string): string[] {
  try {
    const members = Object.entries(JSON.parse(body)).map(([name, value]) => `  "${name}": ${JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ')}`)
    return ['{', ...members.map((member, index) => index + 1 < members.length ? `${member},` : member), '}']
  } catch {
    return [body]
  }
}

/** @param before - stands before a piece that is meant */
function markWrong (text: string, wrong: string[], before = ''): string {
  return wrong.reduce((html, piece) => {
    const found = escapeHtml(before + piece)
    return html.replace(found, `${before}<mark>${found.slice(before.length)}</mark>`)
  }, escapeHtml(text))
}

function escapeHtml (text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
