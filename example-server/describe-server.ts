export interface RunningServer {
  address: string
  /** Where the viewer is, if it is. */
  viewerPath: string | undefined
  /** Of the collector, if there is one. */
  endpoint: string | undefined
}

/** What `npm start` prints: the addresses to open, requests to try, and the way to a collector. */
export function describeServer ({ address, viewerPath, endpoint }: RunningServer): string {
  const json = "-H 'content-type: application/json'"
  return `The example server listens on ${address}
${viewerPath === undefined
    ? 'The viewer is left out, since NODE_ENV is production.'
    : `Open it in a browser and press a button: the trace of its request is shown.
All traces, live: ${address}${viewerPath}`}

Each trace is printed below as well. From another terminal:

  # a good request
  curl -s ${address}/ ${json} -d '{"name":"Ada","country_code":"GB","dob":"1815-12-10"}'
  # a wrong field: the trace says which
  curl -s ${address}/ ${json} -d '{"name":"Ada","country_code":"England","dob":"1815-12-10"}'
  # not JSON
  curl -s ${address}/ ${json} -d '{"name":'
  # params, query, headers and a nested body; the password never reaches the trace
  curl -s '${address}/users/7?notify=no' ${json} -H 'x-tenant: acme' \\
    -d '{"address":{"city":"Oslo","country_code":"NO"},"contact":{"email":"ada@example.com"},"tags":["a"],"password":"hunter2"}'
  curl -s '${address}/hello?name=world'
  curl -s '${address}/items/five?q=somequery'
  curl -s ${address}/failing
  curl -s ${address}/slow
  curl -sN ${address}/stream

${!endpoint
    ? 'To see them in Jaeger as well, start one and run: npm run example:jaeger'
    : `They are also sent to ${endpoint}`}
Ctrl-C ends the server.
`
}
