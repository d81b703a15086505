import { ok } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { cutText, isCredentialHeader, isSecretName, REDACTED, SCRUBBED, scrubText } from '../../../lib/arguments/scrub.ts'

const words = (text: string) => text.trim().split(/\s+/)

/** What is decided for each group of names stands beside it. */
const SECRET: Array<[string, string]> = [
  ['passwords, in every spelling', `password Password PASSWORD passwords passwd userPassword user_password user-password user.password password_hash
    passwordConfirmation newpassword dbpassword password2 passphrase passcode pass db_pass pwd mysql_pwd pw`],
  ['secrets and credentials', 'secret secrets clientSecret client_secret CLIENT-SECRET topsecret mysecretvalue credential credentials awsCredentials creds'],
  ['authorization', 'auth x-auth authHeader auth0 authorization Authorization x-forwarded-authorization proxyauthorization bearer'],
  ['tokens', `token tokens token2 accessToken access_token accesstoken ACCESS-TOKEN refreshToken refreshtoken idToken oauth2Token resetToken device_token_id
    jwt jwtToken csrf csrfToken csrf_token _csrf xsrf X-XSRF-TOKEN`],
  ['keys that open something', `apikey apiKey api_key x-api-key APIKey XAPIKey accessKey AWSAccessKeyId privateKey private_key_pem secretKey signingKey
    encryptionKey masterKey sshKey`],
  ['what proves who signed', 'signature sig hmac salt x-hub-signature-256'],
  ['one-time codes', 'otp totp mfa mfaCode pin PIN userPIN pinCode pin_code'],
  ['cards, accounts and persons', `cvv cvv2 cvc csc pan ssn ssn_last4 userSsn socialSecurityNumber social_security iban pesel cardNumber card_number creditCard
    credit_card_number debitCard accountNumber securityCode`],
  ['connection strings, which hold a password', 'connectionString connection_string'],
  // As in other tools a session is a credential, alone and in a compound.
  ['sessions and cookies', 'session sessionId sessionid jsessionid session_key user_session sid connect.sid cookie cookies set-cookie setcookie'],
  // The price of reading word by word: rather one harmless value too few than one credential too many.
  ['harmless names with a secret word in them', 'session_count cookie_consent auth_method pass_through pin_board secretion token_expires_at'],
]

const HARMLESS: Array<[string, string]> = [
  ['who wrote something', 'author authors authorId author_id authority authentic coauthor'],
  ['words that contain "pass"', 'passenger passengers passage passive compass bypass surpass encompass trespass'],
  // A number of a document: personal, but no credential. A schema that should not record it can leave it out.
  ['documents', 'passport passportNumber'],
  ['words that contain "key", and keys that open nothing', 'key keys keyboard keyword keynote monkey donkey turkey hotkey publicKey primaryKey foreign_key sortKey'],
  ['what is done to text', 'tokenize tokenizer tokenized tokenization detokenize'],
  ['counts of tokens', `max_tokens maxTokens min_tokens total_tokens totalTokens prompt_tokens completionTokens input_tokens output_tokens num_tokens
    remaining_tokens token_count tokenCount tokens_used token_usage token_limit token_type tokens_per_minute tokensLeft`],
  ['words that contain "secret"', 'secretary secretaries secretariat'],
  ['words that contain "pin", "pan" and "otp"', 'pinned spinner spin opinion shopping pinterest panel pancake company japan expand hotpot photo laptop'],
  ['words that contain "sign" and "sig"', 'assign assigned design sign signal signup sign_in signed insight'],
  // Many sessions are an agenda more often than a list of credentials.
  ['words that contain "session" and "sid"', 'sessions obsession possession professional side inside sidebar president resident'],
  ['words that contain "cook" and "salt"', 'cook cookbook salty basalt assault'],
  ['words that contain "auth" only by chance', 'autharch mauthor'],
  ['money without its numbers', 'card cardinal cardboard account accountId credit creditLimit debit credits security securityLevel social'],
  ['words of APIs', 'api apiVersion access accessLevel privateNote connection string bearing issn lesson'],
  ['plain data', 'id name username email phone city zip tenant number count q page limit'],
  ['no name', '_ - __proto__ constructor'],
]

t.test('names of secrets', async (t) => {
  for (const [group, names] of SECRET) t.strictSame(words(names).filter((name) => !isSecretName(name)), [], group)
  const count = SECRET.flatMap(([, names]) => words(names)).length
  t.ok(count >= 60, `${count} names`)
})

t.test('names that only look like it', async (t) => {
  for (const [group, names] of HARMLESS) t.strictSame(words(names).filter(isSecretName), [], group)
  const count = HARMLESS.flatMap(([, names]) => words(names)).length
  t.ok(count >= 60, `${count} names`)
  t.equal(isSecretName(''), false, 'the empty name')
})

t.test('a secret is one in every spelling of its words', async (t) => {
  const secret = fc.constantFrom('password', 'token', 'secret', 'auth', 'session', 'cookie', 'jwt', 'csrf', 'otp', 'cvv', 'ssn', 'signature')
  const word = fc.constantFrom('user', 'my', 'app', 'x', 'value', 'old', 'new')
  const capital = (text: string) => text[0]!.toUpperCase() + text.slice(1)
  t.equal(fc.defaultReportMessage(fc.check(fc.property(fc.array(word, { maxLength: 3 }), secret, fc.array(word, { maxLength: 3 }), (before, secret, after) => {
    const name = [...before, secret, ...after]
    for (const separator of ['_', '-', '.', ' ', ':', '/', '[', '__', '\u0000', 'ü']) {
      ok(isSecretName(name.join(separator)), name.join(separator))
      ok(isSecretName(name.join(separator).toUpperCase()), name.join(separator).toUpperCase())
    }
    const camel = name.map((word, index) => index === 0 ? word : capital(word)).join('')
    ok(isSecretName(camel) && isSecretName(capital(camel)), camel)
  }))), undefined)
})

t.test('headers that carry credentials', async (t) => {
  const credentials = words(`authorization proxy-authorization cookie cookie2 set-cookie x-api-key x-auth-token x-csrf-token x-xsrf-token x-amz-security-token
    x-forwarded-authorization x-access-token x-goog-api-key x-goog-iap-jwt-assertion cf-access-jwt-assertion Authorization COOKIE X-Api-Key`)
  const others = words(`accept accept-encoding accept-language cache-control connection content-length content-type date etag expect forwarded from host if-match
    if-none-match origin range referer te traceparent tracestate baggage upgrade user-agent via x-forwarded-for x-request-id x-tenant constructor`)
  t.strictSame(credentials.filter((name) => !isCredentialHeader(name)), [], 'any case')
  t.strictSame(others.filter(isCredentialHeader), [], 'others')
  t.strictSame([SCRUBBED, REDACTED], ['[scrubbed]', '[redacted]'])
})

t.test('free text loses what looks like a credential', async (t) => {
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'
  const s = SCRUBBED
  const cases: Array<[string, string]> = [
    ['postgres://user:pw@db:5432/app', `postgres://${s}@db:5432/app`],
    ['postgres://user:p@ss:w@db/app?x=a@b', `postgres://${s}@db/app?x=a@b`],
    ['see https://user@host/ and HTTPS://:pw@host?q and git+ssh://u:p@h#x', `see https://${s}@host/ and HTTPS://${s}@host?q and git+ssh://${s}@h#x`],
    ['mongodb+srv://u:p%40@a.b,c.d/x', `mongodb+srv://${s}@a.b,c.d/x`],
    ['https://host/path/@scope and mail a@b.c and http://host a@b', 'https://host/path/@scope and mail a@b.c and http://host a@b'],
    ['Bearer abcdefgh123', `Bearer ${s}`],
    ['invalid bearer   a.b-c_d~e+f/g== received', `invalid bearer ${s} received`],
    ['basic dXNlcjpwYXNz!', `basic ${s}!`],
    ['no bearer access_token: abc', `no bearer ${s}: ${s}`],
    ['token: Bearer abc', `token: ${s}`],
    ['the bearer is ill, a basic car', 'the bearer is ill, a basic car'],
    [`jwt malformed: ${jwt}.`, `jwt malformed: ${s}.`],
    [`(${jwt})`, `(${s})`],
    ['eyJhbGciOi is no token, eyJ neither', 'eyJhbGciOi is no token, eyJ neither'],
    ['password=hunter2', `password=${s}`],
    ['password: hunter2, user: me', `password: ${s}, user: me`],
    ['PASSWORD = hunter2; next', `PASSWORD = ${s}; next`],
    ['?access_token=abc&page=2', `?access_token=${s}&page=2`],
    ['{"password":"a b \\"c\\" d","user":"me"}', `{"password":${s},"user":"me"}`],
    ["{ secret: 'a \\' b', user: 'me' }", `{ secret: ${s}, user: 'me' }`],
    ['{"apiKey":"a\\', `{"apiKey":${s}`],
    ['{"credential":"never closed', `{"credential":${s} closed`],
    ["credentials='x'y", `credentials=${s}y`],
    ['[token=abc]', `[token=${s}]`],
    [`token=${jwt}`, `token=${s}`],
    [`api_key=${s}`, `api_key=${s}`],
    ['credentials:\n  password: hunter2\n  user: me', `credentials:\n  ${s}\n  user: me`],
    ['{"session": {"token": "a b"}, "user": "me"}', `{"session": ${s}}, "user": "me"}`],
    ['{"session":{"token":"a b"},"user":"me"}', `{"session":${s}},"user":"me"}`],
    ["credentials: { user: 'me', password: 'a b' }", `credentials: ${s} user: 'me', password: ${s} }`],
    ['Bad credentials: password: hunter2', `Bad credentials: ${s}`],
    ['passwd=a pwd=b passphrase=c passcode=d pass=e', `passwd=${s} pwd=${s} passphrase=${s} passcode=${s} pass=${s}`],
    ['access-key=a private_key=b api key=c', `access-key=${s} private_key=${s} api key=${s}`],
    ['cookie: a=b; c=d', `cookie: ${s}; c=d`],
    ['session=a session_id=b sessionid:c', `session=${s} session_id=${s} sessionid:${s}`],
    ['authorization: secret', `authorization: ${s}`],
    ['Authorization: Bearer short', `Authorization: ${s}`],
    ['Authorization: Bearer abcdefgh123', `Authorization: ${s}`],
    ['Authorization: Token abc, Accept: x', `Authorization: ${s}, Accept: x`],
    ['{"authorization":"Basic dTpw","a":1}', `{"authorization":${s},"a":1}`],
    // No word by word here: rather too much than too little.
    ['compass: north', `compass: ${s}`],
    ['the password is wrong', 'the password is wrong'],
    ['must be string', 'must be string'],
    ['Expected union value', 'Expected union value'],
    ['tokens: 5, author: me, sign = 1', 'tokens: 5, author: me, sign = 1'],
    ['', ''],
    ['😀 ü \u0000 \ud800', '😀 ü \u0000 \ud800'],
  ]
  for (const [text, clean] of cases) {
    t.equal(scrubText(text, 256), clean, text)
    t.equal(scrubText(clean, 256), clean, `once more: ${clean}`)
  }
})

t.test('text around a credential does not save it', async (t) => {
  const secret = 'CANARYsecretCANARY1234'
  const forms = fc.constantFrom(
    `password=${secret}`, `"token": "${secret}"`, `bearer ${secret}`, `Basic ${secret}`, `https://user:${secret}@host`, `eyJhbGciOi.${secret}.${secret}`,
    `Authorization: ApiKey ${secret}`, `api-key='${secret}'`, `x-session-id: ${secret}`
  )
  const around = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('"', "'", 'http://', 'bearer ', 'eyJ', '@', '\\', '{"a":"', 'passwords'))
  const noise = fc.array(around, { maxLength: 6 }).map((parts) => parts.join(' '))
  t.equal(fc.defaultReportMessage(fc.check(fc.property(noise, forms, noise, fc.integer({ min: 1, max: 300 }), (before, form, after, length) => {
    const clean = scrubText(`${before} ${form} ${after}`, length)
    ok(!clean.includes(secret), clean)
    ok(clean.length <= length + 1)
  }), { numRuns: 2000 })), undefined)
})

t.test('text made to be slow is read to its end', async (t) => {
  const size = 8192
  const fill = (piece: string) => piece.repeat(Math.ceil(size / piece.length)).slice(0, size)
  const unchanged = ['a', 'a://', 'bearer ', ' ', 'eyJaaaaa-', 'eyJ', 'pass', 'password', 'api ', '"', "'", '\\', '\\"', 'a.', ':', '\n', 'authorization', '\ud800', '😀']
  for (const piece of unchanged) t.equal(scrubText(fill(piece), size), fill(piece), `many of ${JSON.stringify(piece)}`)
  t.equal(scrubText('bearer' + ' '.repeat(8000), size), 'bearer' + ' '.repeat(8000), 'a scheme and no credential')
  t.equal(scrubText(`password="${'\\"'.repeat(4000)}`, size), `password=${SCRUBBED}`, 'a quote that never ends')
  t.equal(scrubText(fill('pass="'), size), `pass=${SCRUBBED}`, 'quotes that open again and again')
  t.equal(scrubText(fill('token: '), size), `token: ${SCRUBBED} `.repeat(390) + 'to', 'keys without values')
  t.equal(scrubText('a://' + 'b'.repeat(8000) + '@c', size), 'a://' + 'b'.repeat(8000) + '@c', 'userinfo is at most 512 long')
  t.equal(scrubText('Bearer ' + 'a'.repeat(8000), size), `Bearer ${SCRUBBED}`, 'a long credential')
  t.equal(scrubText(' '.repeat(size) + 'password=x', 2 * size), ' '.repeat(size) + '…', 'what comes after 8 KiB is cut')
  t.equal(scrubText('x'.repeat(1e7), 3), 'xxx…', 'a text of 10 MB')
  const long = 'aA'.repeat(50_000)
  t.strictSame([isSecretName(long), isSecretName(long + '_token'), isSecretName('_'.repeat(1e5)), isSecretName('tokens'.repeat(2e4))], [false, true, false, false], 'long names')
})

t.test('text is cut between characters', async (t) => {
  const cases: Array<[string, number, string]> = [
    ['abc', 3, 'abc'], ['abcd', 3, 'abc…'], ['', 0, ''], ['a', 0, '…'], ['😀😀', 4, '😀😀'], ['😀😀', 3, '😀…'], ['😀😀', 2, '😀…'], ['😀😀', 1, '…'],
    ['a\udc00b', 2, 'a\udc00…'], ['a\ud800b', 2, 'a…'],
  ]
  for (const [text, length, expected] of cases) t.equal(cutText(text, length), expected, `${JSON.stringify(text)} at ${length}`)
  t.equal(scrubText('x' + '😀'.repeat(5000), 8192), 'x' + '😀'.repeat(4095) + '…', 'also at 8 KiB')
  t.equal(fc.defaultReportMessage(fc.check(fc.property(fc.string({ unit: 'grapheme', maxLength: 50 }), fc.integer({ min: 0, max: 60 }), (text, length) => {
    const cut = cutText(text, length)
    ok(cut.length <= length + 1)
    ok(cut === text || (cut.endsWith('…') && text.startsWith(cut.slice(0, -1))))
    ok((cut as unknown as { isWellFormed (): boolean }).isWellFormed())
  }))), undefined)
})
