/** A request that the index page has a button for. */
export interface ExampleRequest {
  title: string
  /** What the trace will show. */
  says: string
  /** How it ends, in the viewer's colours: `refused` is the caller's fault, `failed` the server's. */
  outcome: 'fine' | 'refused' | 'failed' | 'aborted'
  method: 'GET' | 'POST'
  path: string
  headers?: Record<string, string>
  /** As it is sent. */
  body?: string
  /** Pieces of path or body that are wrong, to be underlined. */
  wrong?: string[]
  /** After so many milliseconds the page gives up. */
  abortAfterMillis?: number
}

const profile = {
  address: { city: 'Oslo', country_code: 'NO' },
  contact: { email: 'ada@example.com' },
  tags: ['a'],
  password: 'correct horse battery',
}
const tenant = { 'x-tenant': 'acme' }

export const exampleRequests: ExampleRequest[] = [
  {
    title: 'A wrong field',
    says: 'The trace says which, and what was expected.',
    outcome: 'refused',
    method: 'POST',
    path: '/',
    body: '{"name":"Ada","country_code":"England","dob":"1815-12-10"}',
    wrong: ['"England"'],
  },
  {
    title: 'Two wrong parts at once',
    says: 'The answer names one of them, the trace both.',
    outcome: 'refused',
    method: 'POST',
    path: '/users/7?notify=no',
    headers: tenant,
    body: JSON.stringify({ ...profile, address: { city: 'Oslo', country_code: 'Norway' } }),
    wrong: ['no', '"Norway"'],
  },
  {
    title: 'A secret',
    says: 'The trace says that a password came, never which.',
    outcome: 'fine',
    method: 'POST',
    path: '/users/7?notify=true',
    headers: tenant,
    body: JSON.stringify(profile),
  },
  {
    title: 'A good request',
    says: 'The trace has its arguments, validated.',
    outcome: 'fine',
    method: 'POST',
    path: '/',
    body: '{"name":"Ada","country_code":"GB","dob":"1815-12-10"}',
  },
  {
    title: 'Not JSON',
    says: 'The trace has the line and the column.',
    outcome: 'refused',
    method: 'POST',
    path: '/',
    body: '{"name":',
    wrong: ['{"name":'],
  },
  {
    title: 'A handler that throws',
    says: 'The trace has the error and its stack.',
    outcome: 'failed',
    method: 'GET',
    path: '/failing',
  },
  {
    title: 'A slow answer',
    says: 'The handler has a bar of its own.',
    outcome: 'fine',
    method: 'GET',
    path: '/slow',
  },
  {
    title: 'A stream',
    says: 'Its span is as long as the answer, about a second.',
    outcome: 'fine',
    method: 'GET',
    path: '/stream',
  },
  {
    title: 'An abandoned request',
    says: 'After 100 ms the page gives up.',
    outcome: 'aborted',
    method: 'GET',
    path: '/slow',
    abortAfterMillis: 100,
  },
]
