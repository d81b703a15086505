/** What the index page does, in the browser. The answer says its trace id itself: the plugin's option `responseHeader`. */
export const script = String.raw`
const viewer = document.querySelector('main').dataset.viewer
const TRACE = /\btrace;desc=00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})/

for (const card of document.querySelectorAll('.card')) {
  const buttons = [...card.querySelectorAll('button')]
  for (const button of buttons) {
    button.addEventListener('click', async () => {
      for (const each of buttons) each.disabled = true
      const traceUrl = await send(card)
      for (const each of buttons) each.disabled = false
      if (button.name === 'see' && traceUrl !== undefined) location.assign(traceUrl)
      else button.focus()
    })
  }
}

/** Sends the request of a card, shows its answer there, and gives the address of its trace, if it has one. */
async function send (card) {
  const { method, path, body, abortAfter } = card.dataset
  const headers = JSON.parse(card.dataset.headers)
  if (body !== undefined) headers['content-type'] = 'application/json'
  const answer = card.querySelector('.answer')
  answer.replaceChildren('…')

  const giveUp = new AbortController()
  let traceId
  if (abortAfter !== undefined) {
    // There will be no answer to read the trace id from, so it is chosen here.
    traceId = randomHex(16)
    headers.traceparent = '00-' + traceId + '-' + randomHex(8) + '-01'
    setTimeout(() => giveUp.abort(), Number(abortAfter))
  }
  const start = performance.now()
  try {
    const response = await fetch(path, { method, headers, body, signal: giveUp.signal })
    const [, id, flags] = TRACE.exec(response.headers.get('server-timing')) ?? []
    // The last bit says whether the trace is recorded.
    if (parseInt(flags, 16) & 1) traceId = id
    const show = (text) => showAnswer(answer, response.status, text, start, traceId)
    let text = ''
    for await (const piece of pieces(response.body)) show(text += piece)
    show(text)
  } catch (error) {
    if (error.name === 'AbortError') showAnswer(answer, 'abort', 'The page gave up after ' + abortAfter + ' ms.', start, traceId)
    else {
      answer.replaceChildren('The server does not answer. Is it still running?')
      return undefined
    }
  }
  return traceUrlOf(traceId)
}

/** The texts of a stream as they come. */
async function * pieces (stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
}

function showAnswer (answer, status, text, start, traceId) {
  const facts = element('span', 'facts')
  facts.append(element('b', 'status status-' + String(status)[0], status), element('span', 'duration', Math.round(performance.now() - start) + ' ms'))
  const url = traceUrlOf(traceId)
  if (url !== undefined) {
    const link = element('a', '', 'See its trace')
    link.href = url
    facts.append(link)
  } else if (viewer !== undefined) facts.append(element('span', 'no-trace', 'No trace was recorded'))
  answer.replaceChildren(facts, element('code', '', readable(text.trim())))
}

/** JSON with room to break its line; what is no JSON as it is. */
function readable (text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 1).replace(/\n\s*/g, ' ')
  } catch {
    return text
  }
}

function traceUrlOf (traceId) {
  return viewer === undefined || traceId === undefined ? undefined : viewer + '/traces/' + traceId
}

function element (name, className, text = '') {
  const made = document.createElement(name)
  made.className = className
  made.textContent = text
  return made
}

function randomHex (bytes) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
`
