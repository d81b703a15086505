import { deepStrictEqual, equal, ok } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { writeOpen, writeSafely } from '../../../lib/arguments/bounded-walk.ts'
import { cutText } from '../../../lib/arguments/cut-text.ts'
import { DEFAULT_LIMITS } from '../../../lib/arguments/limits.ts'
import { captureValues, compileRequestCapture } from '../../../lib/arguments/request-capture.ts'
import { createScrubber, nearText, scrubText, toPattern, type ScrubbingOptions, type ScrubMatch } from '../../../lib/arguments/scrubber.ts'
import { findSecretWord, isCredentialHeader } from '../../../lib/arguments/secret-names.ts'
import { findSecretText, hideSecrets, mayHoldSecret } from '../../../lib/arguments/secret-texts.ts'
import { kindMark, redactedMark, SCRUBBED, SCRUBBING_FAILED, UNKNOWN_SCHEMA, UNREADABLE } from '../../../lib/arguments/stand-ins.ts'
import { MAX_SCRUBBED_PATHS, ValueSink } from '../../../lib/arguments/value-sink.ts'

const words = (text: string) => text.trim().split(/\s+/)
const isSecretName = (name: string) => findSecretWord(name) !== undefined
const CANARY = 'CANARY'
const scrubber = createScrubber()

/** What is decided for each group of names stands beside it. */
const SECRET: Array<[string, string]> = [
  ['passwords, in every spelling', `password Password PASSWORD passwords passwd passwrd userPassword user_password user-password user.password password_hash
    passwordConfirmation newpassword dbpassword password2 passphrase pass_phrase passcode pass passes db_pass pwd mysql_pwd pw psw pswd pword`],
  ['passwords of places', 'userpass dbpass databasepass adminpass rootpass mypass sqlpass smtppass ftppass mailpass redispass loginpass storepass DBPASS'],
  ['secrets and credentials', 'secret secrets clientSecret client_secret CLIENT-SECRET topsecret mysecretvalue credential credentials awsCredentials cred creds'],
  ['authorization', `auth x-auth authHeader auth0 authorization Authorization x-forwarded-authorization proxyauthorization bearer oauth oauth2 OAuth oauthState
    authn authz authentication Authentication isAuthenticated authenticator authorize authorise authorized unauthorized preauthorization`],
  ['tokens', `token tokens token2 accessToken access_token accesstoken ACCESS-TOKEN refreshToken refreshtoken idToken IDToken oauth2Token resetToken device_token_id
    usertoken sessiontoken bearertoken apitoken logfire_token jwt jwts userjwt jwtToken csrf csrfToken csrf_token _csrf xsrf X-XSRF-TOKEN csrfmiddlewaretoken`],
  ['keys that open something', `apikey apiKey api_key api.key x-api-key APIKey XAPIKey apikeys accessKey AWSAccessKeyId privateKey private.key private_key_pem secretKey
    signingKey encryptionKey masterKey sshKey sharedKey accountKey storageKey licenseKey sessionKey authkey subscription_key Ocp-Apim-Subscription-Key x-functions-key`],
  ['what proves who signed', 'signature sig hmac salt pem x-hub-signature-256 assertion client_assertion SAMLResponse saml_response code_verifier codeVerifier'],
  ['one-time codes and what recovers an account', `otp totp hotp mfa tfa 2fa 2FA user2fa user2FA enable_2_fa mfaCode pin PIN userPIN pinCode pincode pin_code recovery_codes backupCode
    verificationCode one_time_code oneTimeCode seedPhrase recovery_phrase mnemonic security_answer mothersMaidenName mother_maiden_name`],
  ['cards, accounts and persons', `cvv cvv2 cvc csc pan cardPan PAN ssn SSN ssn_last4 userSsn userssn socialSecurityNumber social_security iban pesel cardNumber card_number cardnum
    creditCard credit_card_number debitCard accountNumber routing_number securityCode passportNumber passport_no`],
  ['connection strings, which hold a password', 'connectionString connection_string'],
  // As in other tools a session is a credential, alone and in a compound.
  ['sessions and cookies', `session sessions sess sessId sessionId sessionid jsessionid phpsessid PHPSESSID session_key sessionData user_session usersession sid connect.sid
    cookie cookies set-cookie setcookie mycookies`],
  // The price of reading word by word: rather one harmless value too few than one credential too many.
  ['harmless names with a secret word in them', 'session_count cookie_consent auth_method pass_through pin_board secretion token_expires_at'],
]

const HARMLESS: Array<[string, string]> = [
  ['who wrote something', 'author authors authorId author_id authority authorities authored coauthor authentic'],
  ['words that contain "pass"', 'passenger passengers passage passive compass bypass surpass encompass trespass'],
  // The document is personal, but no credential; its number is left out.
  ['documents', 'passport hasPassport'],
  ['words that contain "key", and keys that open nothing', 'key keys keyboard keyword keynote monkey donkey turkey hotkey publicKey primaryKey foreign_key sortKey'],
  ['what is done to text', 'tokenize tokenizer tokenized tokenization detokenize'],
  ['counts of tokens', `max_tokens maxTokens min_tokens total_tokens totalTokens prompt_tokens completionTokens input_tokens output_tokens num_tokens
    remaining_tokens token_count tokenCount tokens_used token_usage token_limit token_type tokens_per_minute tokensLeft`],
  ['words that contain "secret"', 'secretary secretaries secretariat'],
  ['words that contain "pin", "pan" and "otp"', 'pinned spinner spin opinion shopping pinterest panel pancake company japan expand hotpot photo laptop'],
  ['words that contain "sign" and "sig"', 'assign assigned design sign signal signup sign_in signed insight'],
  ['words that contain "session" and "sid"', 'obsession obsessions possession possessions professional side inside sidebar president resident assess'],
  ['words that contain "cook" and "salt"', 'cook cookbook salty basalt assault'],
  ['words that contain "auth" only by chance', 'autharch mauthor'],
  ['codes that prove nothing', 'code codes country_code zipcode postcode qrcode barcode statusCode'],
  ['money without its numbers', 'card cardinal cardboard account accountId credit creditLimit debit credits security securityLevel social routing'],
  ['words of APIs', 'api apiVersion access accessLevel privateNote connection string bearing issn lesson mission assertive mother seed phrase'],
  ['plain data', 'id name username email phone city zip tenant number count q page limit'],
  ['no name', '_ - __proto__ constructor'],
]

t.test('names of secrets', async (t) => {
  for (const [group, names] of SECRET) t.strictSame(words(names).filter((name) => !isSecretName(name)), [], group)
  const count = SECRET.flatMap(([, names]) => words(names)).length
  t.ok(count >= 200, `${count} names`)
})

t.test('names that only look like it', async (t) => {
  for (const [group, names] of HARMLESS) t.strictSame(words(names).filter(isSecretName), [], group)
  const count = HARMLESS.flatMap(([, names]) => words(names)).length
  t.ok(count >= 120, `${count} names`)
  t.equal(findSecretWord(''), undefined, 'the empty name')
})

t.test('the secrets of requests as they come', async (t) => {
  const query = words(`X-Amz-Signature X-Amz-Credential X-Amz-Security-Token AWSAccessKeyId Signature sig X-Goog-Signature X-Goog-Credential access_token refresh_token id_token token
    api_key apikey password pass pwd auth client_secret client_assertion code_verifier SAMLResponse sid session session_id PHPSESSID JSESSIONID jwt otp pin csrf_token oauth_token
    oauth_signature authToken SharedAccessSignature subscription-key reset_token verification_code magic_token hmac secret`)
  const body = words(`password newPassword password_confirmation currentPassword pin otp cvv cardNumber accountNumber iban ssn secretAnswer securityAnswer accessToken refreshToken apiKey
    privateKey clientSecret twoFactorToken recoveryCode seedPhrase sessionId credentials connectionString mothersMaidenName`)
  t.strictSame([query.length >= 30, query.filter((name) => !isSecretName(name))], [true, []], 'query')
  t.strictSame([body.length >= 20, body.filter((name) => !isSecretName(name))], [true, []], 'body')
})

t.test('what raised the alarm is named', async (t) => {
  const cases: Array<[string, string]> = [
    ['userPassword', 'password'], ['access-token', 'access_token'], ['X-API-Key', 'api_key'], ['_csrf', 'csrf'], ['pin2', 'pin2'], ['user_pin_code', 'pin'], ['oauthState', 'auth'], ['my.SSN', 'ssn'],
  ]
  for (const [name, word] of cases) t.equal(findSecretWord(name), word, name)
})

/** Each word of the lists, and each way to write it in several words; a space stands for a separator or none. */
const EVERY_SECRET = words(`password passwrd passwd pass·phrase pass·code pwd secret credential authentication authorisation authorization authorize cookie csrf xsrf phpsessid
  api·key api·keys access·key private·key secret·key signing·key encryption·key master·key ssh·key shared·key account·key storage·key license·key session·key auth·key subscription·key
  function·key functions·key access·token refresh·token auth·token id·token csrf·token session·token bearer·token api·token session·id session·secret session·data code·verifier
  saml·response card·num credit·card debit·card account·number routing·number passport·n social·security security·code security·answer recovery·code backup·codes verification·code
  one·time·code one·time·codes seed·phrase recovery·phrase connection·string mother·maiden mothers·maiden mother·s·maiden`).map((name) => name.split('·'))
const ENDINGS = words('token tokens jwt jwts ssn 2fa auth session sessions userpass dbpass databasepass adminpass rootpass mypass sqlpass smtppass ftppass mailpass redispass loginpass storepass')
const ALONE = words('pass passes pw psw pswd pword cred creds bearer authn authz sid sess sig signature hmac salt pem otp totp hotp mfa tfa pin pincode cvv cvc csc pan iban pesel mnemonic assertion')

const capital = (text: string) => text[0]!.toUpperCase() + text.slice(1)

t.test('a secret is one in every spelling of its words: the look that comes first hides none', async (t) => {
  const harmless = fc.constantFrom('user', 'my', 'app', 'x', 'value', 'old', 'new')
  const separator = fc.constantFrom('_', '-', '.', ' ', ':', '/', '[', '__', '\u0000', 'ü', '\u212a', '😀')
  const others = fc.array(harmless, { maxLength: 3 })
  const secret = fc.oneof(
    fc.constantFrom(...EVERY_SECRET).map((parts) => ({ parts, mayJoin: true, mayFollow: true, mayPrecede: true })),
    fc.constantFrom(...ENDINGS).map((word) => ({ parts: [word], mayJoin: false, mayFollow: true, mayPrecede: false })),
    fc.constantFrom(...ALONE).map((word) => ({ parts: [word], mayJoin: false, mayFollow: false, mayPrecede: false }))
  )
  t.equal(fc.defaultReportMessage(fc.check(fc.property(others, secret, others, separator, (before, { parts, mayJoin, mayFollow, mayPrecede }, after, mark) => {
    const name = [...before, ...parts, ...after]
    const spellings = [name.join(mark), name.join(mark).toUpperCase(), name.map((word, index) => index === 0 ? word : capital(word)).join(''), name.map(capital).join('')]
    if (mayJoin) spellings.push([...before, parts.join(''), ...after].join(mark), [...before, parts.join('').toUpperCase(), ...after].join(mark))
    if (mayFollow) spellings.push(before.join('') + parts.join('') + after.map((word) => mark + word).join(''))
    if (mayPrecede) spellings.push([...before, ...parts, ...after].join(''), [...before, ...parts, ...after].join('').toUpperCase())
    for (const spelling of spellings) ok(isSecretName(spelling), spelling)
  }), { numRuns: 3000 })), undefined)
  for (const name of [...EVERY_SECRET.map((parts) => parts.join('_')), ...ENDINGS, ...ALONE]) t.ok(isSecretName(name), name)
})

t.test('long names are looked at where they begin and end', async (t) => {
  const long = 'aA'.repeat(50_000)
  t.strictSame(
    [long, `${long}_token`, `token_${long}`, `${long}_token_${long}`, '_'.repeat(1e5), 'tokens'.repeat(2e4), `${'x'.repeat(506)}_token`].map(isSecretName),
    [false, true, true, false, false, true, true]
  )
})

t.test('headers that carry credentials', async (t) => {
  const credentials = words(`authorization proxy-authorization x-authorization x-forwarded-authorization x-original-authorization authentication authentication-info
    proxy-authentication-info cookie cookie2 set-cookie set-cookie2 api-key apikey x-api-key x-apikey x-auth x-auth-key x-auth-token x-access-token x-session-token x-session-id
    x-csrf-token x-csrftoken x-xsrf-token x-jwt-assertion x-id-token x-refresh-token dpop x-amz-security-token x-amzn-oidc-data x-amzn-oidc-accesstoken x-goog-api-key
    x-goog-iap-jwt-assertion x-ms-token-aad-access-token x-ms-token-aad-id-token x-functions-key ocp-apim-subscription-key cf-access-jwt-assertion cf-access-client-secret x-vault-token
    private-token x-gitlab-token x-github-token x-hub-signature x-hub-signature-256 x-slack-signature stripe-signature x-shopify-access-token x-rapidapi-key x-registry-auth
    x-forwarded-access-token dd-api-key x-honeycomb-team Authorization COOKIE X-Api-Key`)
  const others = words(`accept accept-encoding accept-language cache-control connection content-length content-type date etag expect forwarded from host if-match
    if-none-match origin range referer te traceparent tracestate baggage upgrade user-agent via x-forwarded-for x-request-id x-tenant constructor`)
  t.strictSame([credentials.length >= 40, credentials.filter((name) => !isCredentialHeader(name))], [true, []], 'any case')
  t.strictSame(others.filter(isCredentialHeader), [], 'others')
})

t.test('what stands in the place of a value', async (t) => {
  t.strictSame([SCRUBBED, SCRUBBING_FAILED, UNKNOWN_SCHEMA, UNREADABLE], ['[scrubbed]', '[scrubbing failed]', '[unknown schema]', '[unreadable]'])
  const values = ['text', 5, true, 5n, { a: 1 }, [1, 2], null, undefined, () => {}, Symbol('s')]
  t.strictSame(values.map(redactedMark), [
    '[redacted string]', '[redacted number]', '[redacted boolean]', '[redacted bigint]', '[redacted object]', '[redacted array]', '[redacted null]', '[redacted]', '[redacted]', '[redacted]',
  ], 'a redacted value: its kind, not its size')
  t.strictSame(values.map(kindMark), ['[string]', '[number]', '[boolean]', '[bigint]', '[object]', '[array of 2]', '[null]', '[undefined]', '[function]', '[symbol]'], 'another')
})

const jwt = `eyJhbGciOiJIUzI1NiJ9.${'eyJzdWIiOiIxMjM0In0'}.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U`
const s = SCRUBBED

t.test('free text loses what looks like a credential', async (t) => {
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
    [`tenant-${jwt}, eyJ-${jwt}`, `tenant-${s}, ${s}`],
    [`xeyJ${jwt.slice(3)} a.b.${jwt}`, `xeyJ${jwt.slice(3)} a.b.${s}`],
    ['eyJhbGciOi is no token, eyJ neither, eyJaaaaa.b also not', 'eyJhbGciOi is no token, eyJ neither, eyJaaaaa.b also not'],
    ['eyJaaaaa.eyJbbbbb. and a.b.c', `${s} and a.b.c`],
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
    ['passwd=a pwd=b passphrase=c passcode=d pass=e passwrd=f', `passwd=${s} pwd=${s} passphrase=${s} passcode=${s} pass=${s} passwrd=${s}`],
    ['access-key=a private_key=b api key=c secretKey=d signing-key=e', `access-key=${s} private_key=${s} api key=${s} secretKey=${s} signing-key=${s}`],
    ['X-Amz-Signature=a&sig=b&jwt=c&cvv=1&ssn=2&otp=3&page=4', `X-Amz-Signature=${s}&sig=${s}&jwt=${s}&cvv=${s}&ssn=${s}&otp=${s}&page=4`],
    ['cookie: a=b; c=d\nnext', `cookie: ${s}\nnext`],
    ['Set-Cookie: a=b, c=d', `Set-Cookie: ${s}`],
    ['"cookie2":"a", "b":1', `"cookie2":${s}`],
    ['session=a session_id=b sessionid:c', `session=${s} session_id=${s} sessionid:${s}`],
    ['authorization: secret', `authorization: ${s}`],
    ['Authorization: Bearer short', `Authorization: ${s}`],
    ['Authorization: Bearer abcdefgh123', `Authorization: ${s}`],
    ['Authorization: Token abc, Accept: x', `Authorization: ${s}, Accept: x`],
    ['{"authorization":"Basic dTpw","a":1}', `{"authorization":${s},"a":1}`],
    ['a -----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- b', `a ${s} b`],
    ['-----BEGIN PRIVATE KEY-----\nabc cut off', s],
    ['-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----', '-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----'],
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
    t.equal(scrubText(scrubber, text, 256), clean, text)
    t.equal(scrubText(scrubber, clean, 256), clean, `once more: ${clean}`)
    t.equal(scrubber.findInText(text) !== undefined, text !== clean || clean.includes(s), `found in: ${text}`)
  }
})

/** Beginnings of tokens that their issuers made recognisable, and how many letters follow at least. */
const ISSUED: Array<[beginning: string, least: number, more?: string]> = [
  ['ghp_', 16], ['gho_', 16], ['ghu_', 16], ['ghs_', 16], ['ghr_', 16], ['github_pat_', 16], ['glpat-', 16], ['xoxb-', 10], ['xoxp-', 10], ['xoxa-', 10], ['xoxr-', 10], ['xoxs-', 10],
  ['xoxe-', 10], ['xoxo-', 10], ['sk-', 16], ['sk_live_', 8], ['sk_test_', 8], ['rk_live_', 8], ['pk_test_', 8], ['whsec_', 8], ['npm_', 16], ['pypi-', 16], ['AKIA', 12], ['ASIA', 12],
  ['AIza', 16], ['ya29.', 8], ['SG.', 8, '.AAAAAAAA'], ['hvs.', 16], ['pylf_v1_', 4], ['pylf_v22_', 4], ['dop_v1_', 16],
]

t.test('tokens whose issuers made them recognisable', async (t) => {
  for (const [beginning, least, more = ''] of ISSUED) {
    const token = beginning + 'A'.repeat(least) + more
    t.strictSame([mayHoldSecret(token), hideSecrets(`see ${token}, please`)], [true, `see ${s}, please`], beginning)
    t.equal(hideSecrets(`see ${beginning}${'A'.repeat(least - 1)}, please`), `see ${beginning}${'A'.repeat(least - 1)}, please`, `${beginning} too short`)
    t.equal(findSecretText(`see ${token}`), token.slice(0, 16))
  }
})

t.test('text around a credential does not save it', async (t) => {
  const secret = 'CANARYsecretCANARY1234'
  const forms = fc.constantFrom(
    `password=${secret}`, `"token": "${secret}"`, `bearer ${secret}`, `Basic ${secret}`, `https://user:${secret}@host`, `eyJhbGciOi.${secret}.${secret}`,
    `Authorization: ApiKey ${secret}`, `api-key='${secret}'`, `x-session-id: ${secret}`, `Cookie: a=${secret}; b=${secret}`, `ghp_${secret}`, `sk-${secret}`,
    `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`
  )
  const around = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('"', "'", 'http://', 'bearer ', 'eyJ', '@', '\\', '{"a":"', 'passwords', 'a.b.', '-----END', 'x'.repeat(300)))
  const noise = fc.array(around, { maxLength: 6 }).map((parts) => parts.join(' '))
  t.equal(fc.defaultReportMessage(fc.check(fc.property(noise, forms, noise, fc.integer({ min: 1, max: 300 }), (before, form, after, length) => {
    const clean = scrubText(scrubber, `${before} ${form} ${after}`, length)
    ok(!clean.includes(secret), clean)
    ok(clean.length <= length + 1)
  }), { numRuns: 3000 })), undefined)
})

t.test('the cheap look is never narrower than the thorough one', async (t) => {
  const pieces = fc.constantFrom(
    ...ISSUED.map(([beginning]) => beginning), ...ISSUED.map(([beginning, least, more = '']) => beginning + 'A'.repeat(least) + more), jwt, 'eyJ', 'password', 'token', 'cookie', 'authorization', 'sig',
    ...words('pass passwd passwrd passphrase passcode pwd secret jwt credential credentials cookie2 session sessionid signature cvv ssn otp'), 'api key', 'access_key', 'private-key', 'secret key', 'signingkey', 'session id', '    ', '   =', 'https://a:b', '@host',
    '-----BEGIN', ' PRIVATE KEY-----', 'bearer', 'basic', 'digest', ' ', '\n', '\t', '\u00a0', ':', '=', '@', '://', 'a', 'abcdefgh', '"', "'", '.', '-', '_', '[scrubbed]'
  )
  const text = fc.array(fc.oneof(pieces, pieces.map((piece) => piece.toUpperCase()), fc.string({ unit: 'binary', maxLength: 10 })), { maxLength: 12 }).map((parts) => parts.join(''))
  t.equal(fc.defaultReportMessage(fc.check(fc.property(text, (text) => {
    const clean = hideSecrets(text)
    if (clean === text) return
    ok(mayHoldSecret(text), text)
    ok(findSecretText(text) !== undefined, text)
    // The sink's own look must let such a text through to the thorough one.
    const sink = new ValueSink({ limits: DEFAULT_LIMITS, scrubber })
    equal(sink.plainString(text), false)
    equal(scrubber.mayHoldSecret(text), true)
  }), { numRuns: 20_000 })), undefined)
})

t.test('text made to be slow is read to its end', async (t) => {
  const size = 8192
  const fill = (piece: string, length = size) => piece.repeat(Math.ceil(length / piece.length)).slice(0, length)
  const scrub = (text: string, maxLength: number) => scrubText(scrubber, text, maxLength)
  const unchanged = ['a', 'a://', 'bearer ', ' ', 'eyJaaaaa-', 'eyJ', '-eyJ', 'pass', 'password', 'api ', '"', "'", '\\', '\\"', 'a.', ':', '\n', 'authorization', '\ud800', '😀', 'SG.aaaaaaa.', '-----BEGIN ']
  for (const piece of unchanged) t.equal(scrub(fill(piece), size), fill(piece), `many of ${JSON.stringify(piece)}`)
  // With a step for each pair of pieces this would take minutes.
  for (const piece of ['eyJaaaaa-', '-eyJ', 'eyJ', 'a-', 'bearer ', 'a://b']) t.equal(hideSecrets(fill(piece, 1 << 20)), fill(piece, 1 << 20), `1 MiB of ${JSON.stringify(piece)}`)
  for (const piece of ['sk-', 'xoxb-', 'glpat-', 'eyJaaaaa.eyJ-']) t.match(hideSecrets(fill(piece, 1 << 20)), /^\[scrubbed\]/, `1 MiB of ${JSON.stringify(piece)}`)
  t.equal(scrub('bearer' + ' '.repeat(8000), size), 'bearer' + ' '.repeat(8000), 'a scheme and no credential')
  t.equal(scrub(`password="${'\\"'.repeat(4000)}`, size), `password=${SCRUBBED}`, 'a quote that never ends')
  t.equal(scrub(fill('pass="'), size), `pass=${SCRUBBED}`, 'quotes that open again and again')
  t.equal(scrub(fill('token: '), size), `token: ${SCRUBBED} `.repeat(390) + 'to', 'keys without values')
  t.equal(scrub('a://' + 'b'.repeat(8000) + '@c', size), 'a://' + 'b'.repeat(8000) + '@c', 'userinfo is at most 512 long')
  t.equal(scrub('Bearer ' + 'a'.repeat(8000), size), `Bearer ${SCRUBBED}`, 'a long credential')
  t.equal(scrub('x'.repeat(1e7), 3), 'xxx…', 'a text of 10 MB')
})

t.test('what lies behind the cut is searched far enough to know a secret that begins before it', async (t) => {
  t.strictSame([300, 8192, 20_000].map((length) => nearText('x'.repeat(1e6), length).length), [1113, 8705, 20_513])
  for (const maxLength of [64, 1024, 8192, 64 * 1024]) {
    const before = 'x'.repeat(maxLength - 20)
    for (const form of [`https://user:${CANARY.repeat(20)}@host`, `https://user:${CANARY}@host/${'y'.repeat(5000)}`]) {
      t.notMatch(scrubText(scrubber, `${before} ${form}`, maxLength), CANARY, `${form.slice(0, 30)} at ${maxLength}`)
    }
    const shrinks = `token="${'y'.repeat(maxLength)}" `
    const near = nearText(shrinks.repeat(3) + 'x'.repeat(1e5), maxLength).length
    const half = `${shrinks}${'x'.repeat(near - shrinks.length - 30)} https://user:${CANARY.repeat(10)}@host`
    t.notMatch(scrubText(scrubber, half, maxLength), CANARY, `half a secret that moved forward at ${maxLength}`)
  }
  t.equal(scrubText(scrubber, 'x' + '😀'.repeat(5000), 8192), 'x' + '😀'.repeat(4095) + '…', 'no character is split')
  t.equal(scrubText(scrubber, `token="${'y'.repeat(700)}"${'z'.repeat(1e4)}`, 100), `token=${SCRUBBED}…`, 'what is left of a text that was nearly all secret')
})

t.test('text is cut between characters', async (t) => {
  const cases: Array<[string, number, string]> = [
    ['abc', 3, 'abc'], ['abcd', 3, 'abc…'], ['', 0, ''], ['a', 0, '…'], ['😀😀', 4, '😀😀'], ['😀😀', 3, '😀…'], ['😀😀', 2, '😀…'], ['😀😀', 1, '…'],
    ['a\udc00b', 2, 'a\udc00…'], ['a\ud800b', 2, 'a…'],
  ]
  for (const [text, length, expected] of cases) t.equal(cutText(text, length), expected, `${JSON.stringify(text)} at ${length}`)
  t.equal(fc.defaultReportMessage(fc.check(fc.property(fc.string({ unit: 'grapheme', maxLength: 50 }), fc.integer({ min: 0, max: 60 }), (text, length) => {
    const cut = cutText(text, length)
    ok(cut.length <= length + 1)
    ok(cut === text || (cut.endsWith('…') && text.startsWith(cut.slice(0, -1))))
    ok((cut as unknown as { isWellFormed (): boolean }).isWellFormed())
  }))), undefined)
})

/** What is recorded of a body that is open, and of what was scrubbed. */
function record (scrubbing: boolean | ScrubbingOptions, body: unknown, limits = {}) {
  const failures: unknown[] = []
  const settings = { limits: { ...DEFAULT_LIMITS, ...limits }, scrubber: createScrubber(scrubbing, (error) => failures.push(error)) }
  const capture = compileRequestCapture({ body: {} }, { findSchema: () => undefined, settings, captureUnknownSchemas: false })
  const { json, scrubbed, truncated } = captureValues(capture, { params: undefined, body, querystring: undefined, headers: undefined }, undefined, settings, { mediaType: undefined, bodyBytes: 100 })
  return { body: JSON.parse(json!).body, scrubbed, truncated, failures }
}

t.test('more patterns can be given, for names and for texts', async (t) => {
  const body = { internalCode: 'a', note: 'order 12345 and 67890, password=x', code: 'A-1', list: ['12345', 'internal', 'clean'], password: 'p' }
  const clean = { internalCode: SCRUBBED, note: `order ${SCRUBBED} and ${SCRUBBED}, password=${SCRUBBED}`, code: 'A-1', list: [SCRUBBED, SCRUBBED, 'clean'], password: SCRUBBED }
  const paths = ['/body/internalCode', '/body/note', '/body/list/0', '/body/list/1', '/body/password']
  const patterns: Array<[string, Array<string | RegExp>]> = [
    ['as strings, without regard to case', ['INTERNAL', '\\d{5}']], ['as regular expressions', [/internal/, /\d{5}/]],
    // A pattern that remembers where it was would miss every second one.
    ['with flags that remember', [/internal/g, /\d{5}/gy]], ['with other flags', [/INTERNAL/i, /\d{5}/u]],
  ]
  for (const [sentence, extraPatterns] of patterns) {
    t.strictSame(record({ extraPatterns }, body), { body: clean, scrubbed: paths, truncated: false, failures: [] }, sentence)
    t.strictSame(record({ extraPatterns }, body).scrubbed, paths, `${sentence}, once more`)
  }
  t.strictSame(record({ extraPatterns: [/INTERNAL/] }, { internal: 1, INTERNAL: 2 }).body, { internal: 1, INTERNAL: SCRUBBED }, 'case counts where the pattern says so')
  t.strictSame(record({ extraPatterns: [] }, body), record(true, body), 'none are none')
  t.strictSame(record({}, body), record(true, body), 'no options are none')
  t.strictSame([toPattern('a').flags, toPattern(/a/giysu).flags, toPattern(/a/).source], ['i', 'isu', 'a'])
  t.throws(() => createScrubber({ extraPatterns: ['('] }), { name: 'SyntaxError' }, 'what is no regular expression')
  const extra = createScrubber({ extraPatterns: [/abc/] })
  t.strictSame([extra.findInName('password'), extra.findInName('xabcx'), extra.findInName('x')], ['password', 'abc', undefined], 'what was found in a name')
  t.strictSame([extra.findInText('token=1 abc'), extra.findInText('xabcx'), extra.findInText('x')], ['token=1 abc', 'abc', undefined], 'and in a text')
  t.strictSame([extra.mayHoldSecret('a=b'), extra.mayHoldSecret('xabcx'), extra.mayHoldSecret('x'), extra.looksAtAll], [false, true, false, true])
})

t.test('a callback decides what is recorded', async (t) => {
  const body = { user: { password: 'hunter2', name: 'n' }, list: ['plain', 'token=abc'], otp: null, session: SCRUBBED, deep: { secret: { a: 1 } } }
  const asked: ScrubMatch[] = []
  const silent = record({ callback: (match) => { asked.push(match) } }, body)
  const scrubbed = { user: { password: SCRUBBED, name: 'n' }, list: ['plain', `token=${SCRUBBED}`], otp: null, session: SCRUBBED, deep: { secret: SCRUBBED } }
  t.strictSame(silent, { body: scrubbed, scrubbed: ['/body/user/password', '/body/list/1', '/body/session', '/body/deep/secret'], truncated: false, failures: [] }, 'it says nothing')
  t.strictSame(asked, [
    { path: '/body/user/password', value: 'hunter2', matched: 'password' },
    { path: '/body/list/1', value: 'token=abc', matched: 'token=abc' },
    { path: '/body/deep/secret', value: { a: 1 }, matched: 'secret' },
  ], 'it is asked about names and texts; not about what is not there, or scrubbed already')

  const kept: Array<[string, (match: ScrubMatch) => unknown, unknown]> = [
    ['the value', ({ value }) => value, { user: { password: 'hunter2', name: 'n' }, list: ['plain', 'token=abc'], otp: null, session: SCRUBBED, deep: { secret: { a: 1 } } }],
    ['something else, not scrubbed again', () => ({ password: 'token=abc' }), {
      user: { password: { password: 'token=abc' }, name: 'n' }, list: ['plain', { password: 'token=abc' }], otp: null, session: SCRUBBED, deep: { secret: { password: 'token=abc' } },
    }],
    ['null', () => null, { user: { password: null, name: 'n' }, list: ['plain', null], otp: null, session: SCRUBBED, deep: { secret: null } }],
    ['a path', ({ path }) => path, { user: { password: '/body/user/password', name: 'n' }, list: ['plain', '/body/list/1'], otp: null, session: SCRUBBED, deep: { secret: '/body/deep/secret' } }],
  ]
  for (const [sentence, callback, expected] of kept) t.strictSame(record({ callback }, body), { body: expected, scrubbed: ['/body/session'], truncated: false, failures: [] }, `it returns ${sentence}`)
  t.strictSame(record({ callback: () => 'x'.repeat(2000) }, { pin: 1 }), { body: { pin: 'x'.repeat(1024) + '…' }, scrubbed: [], truncated: true, failures: [] }, 'a long text is cut')
  t.strictSame(record({ callback: () => Array(1000).fill(1) }, { pin: 1 }).body.pin.length, 65, 'a long list too')
  t.strictSame(record({ callback: ({ value }) => value }, { a: 'token=abc', pin: { b: 1 } }, { maxDepth: 1 }).body, { a: 'token=abc', pin: '{…}' }, 'and what is deep')
  t.strictSame(record({ callback: ({ matched }) => matched, extraPatterns: [/abc/] }, { xabc: 1, b: 'xabcx' }).body, { xabc: 'abc', b: 'abc' }, "the user's own patterns")

  const long = { note: `${'x'.repeat(1000)} token=abc ${'x'.repeat(5000)}` }
  t.strictSame(record({ callback: ({ value }) => (value as string).length }, long).body, { note: 6011 }, 'it sees the whole of a long text')
})

t.test('a callback that fails hides the value', async (t) => {
  const mine = new Error('mine')
  const promised = { name: 'TypeError', message: 'the scrubbing callback must be synchronous, it returned a promise' }
  const failing: Array<[string, () => unknown, unknown]> = [
    ['it throws', () => { throw mine }, mine],
    ['it returns a promise', async () => 'late', promised],
    ['it returns a promise that fails', async () => { throw mine }, promised],
    ['it returns what throws when it is read', () => new Proxy({}, { ownKeys: () => { throw mine } }), mine],
    ['it returns what throws when it is asked for then', () => ({ get then () { throw mine } }), mine],
  ]
  for (const [sentence, callback, expected] of failing) {
    const { body, scrubbed, failures } = record({ callback }, { password: 'hunter2', a: ['b', 'token=abc'], next: 'n' })
    t.strictSame(body, { password: SCRUBBING_FAILED, a: ['b', SCRUBBING_FAILED], next: 'n' }, sentence)
    t.strictSame(scrubbed, ['/body/password', '/body/a/1'])
    t.match(failures, [expected, expected])
    t.equal(failures.length, 2)
  }
  const { body } = record({ callback: ({ value }) => { if (value === 1) throw mine; return value } }, { pin: 1, otp: 2, password: 'token=abc' })
  t.strictSame(body, { pin: SCRUBBING_FAILED, otp: 2, password: 'token=abc' }, 'the next one is asked again')
  t.doesNotThrow(() => {
    const sink = new ValueSink({ limits: DEFAULT_LIMITS, scrubber: createScrubber({ callback: () => { throw mine } }) })
    writeSafely(writeOpen, { pin: 1 }, sink)
  }, 'nobody has to be told')
})

t.test('scrubbing can be turned off', async (t) => {
  const body = { password: 'hunter2', note: `token=abc Bearer abcdefgh ${jwt}` }
  t.strictSame(record(false, body), { body, scrubbed: [], truncated: false, failures: [] })
  const off = createScrubber(false)
  t.strictSame(
    [off.callback, off.looksAtAll, off.findInName('password'), off.mayHoldSecret('token=abc'), off.findInText('token=abc'), off.hideInText('token=abc'), off.reportFailure('x')],
    [null, false, undefined, false, undefined, 'token=abc', undefined]
  )
  t.equal(scrubText(off, 'token=abc', 7), 'token=a…')
})

t.test('a name that the client chose loses what looks like a credential in it', async (t) => {
  const cases: Array<[string, string]> = [
    [`https://me:${CANARY}@host`, `https://${s}@host`], [`Bearer ${CANARY}12`, `Bearer ${s}`], [jwt, s], ['sk-' + 'A'.repeat(20), s], ['a:b', 'a:b'], ['plain', 'plain'],
    [`${'k'.repeat(110)} https://me:${CANARY}@host`, `${'k'.repeat(110)} https://[scrubbed…`], [`${'k'.repeat(128)} token=${CANARY}`, 'k'.repeat(128) + '…'],
  ]
  for (const [name, clean] of cases) t.strictSame(Object.keys(record(true, { [name]: 1 }).body), [clean], name)
  const off = createScrubber(false)
  t.strictSame([off.hideInName('token=abc'), Object.keys(record(false, { 'token=abc': 1 }).body)], ['token=abc', ['token=abc']], 'not without scrubbing')
  t.strictSame(record({ extraPatterns: [/abc/] }, { xabcx: 1, 'sk-abcabcabcabcabcabc': 2 }).body, { xabcx: s, [s]: s }, 'the patterns of the user are for the values')
})

t.test('the paths of what was scrubbed are listed, within a bound', async (t) => {
  const cases: Array<[string, unknown, string[]]> = [
    ['names with the signs of a pointer', { 'a/b~c': { pin: 1 } }, ['/body/a~1b~0c/pin']],
    ['lists in lists', [[{ pin: 1 }, { pin: 2 }], 'token=1'], ['/body/0/0/pin', '/body/0/1/pin', '/body/1']],
    ['the body itself', 'token=1', ['/body']],
    ['a long path', { ['k'.repeat(300)]: { pin: 1 } }, [`/body/${'k'.repeat(250)}…`]],
    ['surrogates that stand alone', { '\ud800': { pin: 1 } }, ['/body/\ufffd/pin']],
    ['names that hold a credential', { [`https://me:${CANARY}@a`]: { pin: 1 }, [`${'k'.repeat(230)}/https://me:${CANARY}@host`]: { pin: 1 } }, [`/body/https:~1~1${SCRUBBED}@a/pin`, `/body/${'k'.repeat(230)}~1https:~1~1[scrubbe…`]],
  ]
  for (const [sentence, body, paths] of cases) t.strictSame(record(true, body).scrubbed, paths, sentence)
  const many = (count: number) => Array.from({ length: count }, () => ({ pin: 1 }))
  const full = record(true, many(MAX_SCRUBBED_PATHS))
  t.strictSame([full.scrubbed.length, full.truncated], [32, false], 'as many as there is room for')
  const more = record(true, many(MAX_SCRUBBED_PATHS + 1))
  t.strictSame([more.scrubbed.length, more.truncated, more.body.length, new Set(more.body.map(({ pin }: { pin: string }) => pin))], [32, true, 33, new Set([SCRUBBED])], 'one more')
})

t.test('random bodies keep their secrets, whatever stands around them', async (t) => {
  const secretKey = fc.constantFrom('password', 'accessToken', 'x-api-key', 'ssn', 'user_pin', 'internalCode')
  const key = fc.oneof(fc.constantFrom('a', 'b', 'name', '__proto__', 'constructor'), fc.string({ unit: 'binary', maxLength: 5 }))
  const leaf = fc.oneof(fc.string({ maxLength: 20 }), fc.integer(), fc.constant(null))
  const secret = fc.oneof(fc.constant(CANARY), fc.constant([CANARY]), fc.constant({ a: CANARY }))
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof({ maxDepth: 5 }, leaf, fc.constantFrom(`token=${CANARY}`, `ü bearer ${CANARY}${CANARY}`), fc.array(tie('value'), { maxLength: 4 }), fc.dictionary(key, tie('value'), { maxKeys: 4 }),
      fc.tuple(fc.dictionary(key, tie('value'), { maxKeys: 3 }), secretKey, secret).map(([object, name, hidden]) => ({ ...object, [name]: hidden }))),
  }))
  const callback = fc.constantFrom(undefined, () => undefined, () => { throw new Error(CANARY) }, async () => CANARY, () => ({ safe: true }))
  t.equal(fc.defaultReportMessage(fc.check(fc.property(value, callback, (body, callback) => {
    const { body: recorded, scrubbed } = record({ extraPatterns: ['internal'], ...(callback === undefined ? {} : { callback }) }, body)
    ok(!JSON.stringify(recorded).includes(CANARY))
    ok(scrubbed.length <= 32)
    deepStrictEqual(scrubbed.filter((path) => !path.startsWith('/body')), [])
  }), { numRuns: 500 })), undefined)
})
