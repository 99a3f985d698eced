// A real OpenID provider for the end-to-end tests: npm `oidc-provider` with a scripted person in front of it.
//
// It speaks RFC 6749 (code, refresh), 7636 (PKCE, required), 7009 (revocation), 7662 (introspection), 8414 and
// OpenID discovery, 8628 (device flow) and 9207 (`iss` in the callback). It listens on loopback only.
//
//   node idp.mjs        once it listens, prints one line on stdout: {"ready":true,"issuer":"http://127.0.0.1:…"}
//
// It ends when its standard input closes, or when its parent is gone, so no test leaves it behind. Everything
// else that it has to say goes to standard error.
//
// Environment
//   PORT          port to listen on; 0, the default, takes a free one
//   AT_TTL        lifetime of access tokens in seconds (300)
//   RT_TTL        lifetime of refresh tokens and of the grants behind them in seconds (86400)
//   DEVICE_TTL    lifetime of device codes and user codes in seconds (600)
//   ROTATE        0 keeps the refresh token; by default every refresh replaces it, and using an old one again
//                 kills the whole grant (RFC 9700 section 4.14.2)
//   DEBUG_IDP     1 prints the provider's own errors on standard error
//
// Clients; those named `web…` may use code, refresh and device flow, with any loopback redirect URI
//   web           secret `web-secret`        by client_secret_basic
//   web-post      secret `web-post-secret`   by client_secret_post
//   web:odd       secret `s3cr+t/=&% :x`     by client_secret_basic; both halves must be form-encoded before they are
//                                            joined (RFC 6749 section 2.3.1)
//   tv            no secret                  device flow and refresh
//   rs            secret `rs-secret`         a resource server: introspection only
//
// The person: `login_hint` of the authorization request, else the control plane's `account`, else `alice`, is who
// signs in; they consent to every scope asked for. `deny` refuses consent, `login_required` refuses to sign in.
//
// Control plane (JSON)
//   GET  /test/stats        per endpoint {n, inflight, max_inflight, status: {"200": n, "dropped": n},
//                           grants: {"refresh_token": n}}; endpoints: discovery, auth, token, userinfo, jwks, device,
//                           revocation, introspection
//   POST /test/reset        clears counters and faults
//   POST /test/faults       {route, times = 1, grant?, delay_ms?, status?, headers?, body?, abort?, after?, tell?}
//                           the next `times` calls (-1: all) of `route`, only those of the `grant` type if given, are
//                           delayed, answered with `status`, dropped unhandled (`abort`), or handled in full
//                           with the answer lost (`after`) or with the fields of `tell` in the place of its own
//   POST /test/login        {url, account?, deny?} walks an authorization URL as a browser does;
//                           answers {location}, the redirect to the client
//   POST /test/device       {user_code, account?, deny?} walks the device pages; answers {ok}
//   POST /test/token        {client_id, account, scope} issues an access token to that client, as if the person had consented;
//                           answers {access_token}
//   POST /test/revoke-user  {account} removes every grant of that account; answers {revoked}
import { generateKeyPairSync } from 'node:crypto';
import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

// Standard output carries the one ready line, so the library's notices go to standard error.
console.info = console.error;
const { default: Provider } = await import('oidc-provider');

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const ACCESS_TOKEN_SECONDS = Number(process.env.AT_TTL ?? 300);
const REFRESH_TOKEN_SECONDS = Number(process.env.RT_TTL ?? 86_400);
const DEVICE_CODE_SECONDS = Number(process.env.DEVICE_TTL ?? 600);
const ROTATES = process.env.ROTATE !== '0';

endWithParent();
const server = await listen(Number(process.env.PORT ?? 0));
// The issuer names the port, so the provider is made only once the port is known.
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = makeProvider();
const grantsOfAccount = new Map();
const traffic = makeTraffic();

provider.use(controlPlane);
provider.use(scriptedPerson);
provider.use(countAndDisturb);
server.on('request', provider.callback());
console.log(JSON.stringify({ ready: true, issuer }));

// ---- the process ----------------------------------------------------------------------------------------------

function endWithParent() {
  const end = () => process.exit(0);
  process.stdin.on('end', end).on('close', end).on('error', end).resume();
  // A parent that was killed may have left its end of the pipe to another child.
  const parent = process.ppid;
  setInterval(() => { if (process.ppid !== parent) end(); }, 500).unref();
}

function listen(port) {
  const server = http.createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(server));
  });
}

// ---- the provider ---------------------------------------------------------------------------------------------

function makeProvider() {
  const provider = new Provider(issuer, {
    clients: clients(),
    jwks: { keys: [signingKey()] },
    scopes: ['openid', 'offline_access', 'profile', 'email', 'repo', 'read:user', 'calendar'],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true, ...devicePages() },
      introspection: { enabled: true, allowedPolicy: async () => true },
      revocation: { enabled: true, allowedPolicy: async () => true },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: true },
    },
    ttl: {
      AccessToken: ACCESS_TOKEN_SECONDS,
      AuthorizationCode: 60,
      DeviceCode: DEVICE_CODE_SECONDS,
      Grant: REFRESH_TOKEN_SECONDS,
      IdToken: 3600,
      Interaction: 600,
      RefreshToken: REFRESH_TOKEN_SECONDS,
      Session: 3600,
    },
    rotateRefreshToken: () => ROTATES,
    issueRefreshToken: async (ctx, client) => client.grantTypeAllowed('refresh_token'),
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: async (ctx, id) => account(id),
    renderError: async (ctx, out) => { ctx.body = out; },
    cookies: { keys: ['only-for-tests'] },
  });
  // A broker under test listens on a port, and has provider ids in its callback, that nobody knows beforehand.
  provider.Client.prototype.redirectUriAllowed = isLoopback;
  if (process.env.DEBUG_IDP === '1') {
    for (const event of ['server_error', 'authorization.error', 'grant.error', 'revocation.error']) {
      provider.on(event, (ctx, error) => console.error(event, error));
    }
  }
  return provider;
}

function clients() {
  const web = {
    grant_types: ['authorization_code', 'refresh_token', DEVICE_GRANT],
    response_types: ['code'],
    redirect_uris: ['http://127.0.0.1/callback'],
  };
  const noCode = { response_types: [], redirect_uris: [] };
  const basic = { token_endpoint_auth_method: 'client_secret_basic' };
  const post = { token_endpoint_auth_method: 'client_secret_post' };
  const publicClient = { token_endpoint_auth_method: 'none', application_type: 'native' };
  return [
    { ...web, ...basic, client_id: 'web', client_secret: 'web-secret' },
    { ...web, ...post, client_id: 'web-post', client_secret: 'web-post-secret' },
    { ...web, ...basic, client_id: 'web:odd', client_secret: 's3cr+t/=&% :x' },
    { ...noCode, ...publicClient, client_id: 'tv', grant_types: [DEVICE_GRANT, 'refresh_token'] },
    { ...noCode, ...basic, client_id: 'rs', client_secret: 'rs-secret', grant_types: [] },
  ];
}

function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: 'e2e', use: 'sig', alg: 'RS256' };
}

function account(id) {
  const email = { email: `${id}@example.test`, email_verified: true };
  const profile = { name: `User ${id}`, preferred_username: id };
  return { accountId: id, claims: async () => ({ sub: id, ...email, ...profile }) };
}

function isLoopback(uri) {
  const url = URL.parse?.(uri) ?? (URL.canParse(uri) ? new URL(uri) : null);
  return url?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
}

function devicePages() {
  const page = (ctx, body) => { ctx.type = 'html'; ctx.body = `<!doctype html><title>device</title>${body}`; };
  return {
    charset: 'base-20',
    mask: '****-****',
    userCodeInputSource: async (ctx, form) => page(ctx, form),
    userCodeConfirmSource: async (ctx, form) => page(ctx, `<p id="confirm">${form}`),
    successSource: async (ctx) => page(ctx, '<p id="done">'),
  };
}

// ---- the person -----------------------------------------------------------------------------------------------

/** Signs in and consents where the provider asks a person to. */
async function scriptedPerson(ctx, next) {
  if (!ctx.path.startsWith('/interaction/')) return next();
  const interaction = await provider.interactionDetails(ctx.req, ctx.res);
  const person = interaction.params.login_hint ?? ctx.cookies.get('test_account', { signed: false }) ?? 'alice';
  const denies = person === 'deny' || ctx.cookies.get('test_deny', { signed: false }) === '1';
  const result = interaction.prompt.name === 'login' ? signIn(person) : await consent(interaction, denies);
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: true }));
}

function signIn(person) {
  if (person === 'login_required') return { error: 'login_required', error_description: 'refused to sign in' };
  return { login: { accountId: person } };
}

async function consent({ grantId, params, prompt: { details }, session: { accountId } }, denies) {
  if (denies) return { error: 'access_denied', error_description: 'refused to consent' };
  const grant = (grantId && await provider.Grant.find(grantId))
    || new provider.Grant({ accountId, clientId: params.client_id });
  if (details.missingOIDCScope) grant.addOIDCScope(details.missingOIDCScope.join(' '));
  if (details.missingOIDCClaims) grant.addOIDCClaims(details.missingOIDCClaims);
  const id = await grant.save();
  grantsOfAccount.set(accountId, (grantsOfAccount.get(accountId) ?? new Set()).add(id));
  return { consent: { grantId: id } };
}

/** A browser small enough for this provider's own pages: redirects and cookies. */
class Browser {
  #cookies = new Map();

  constructor({ account, deny }) {
    if (account) this.#cookies.set('test_account', account);
    if (deny) this.#cookies.set('test_deny', '1');
  }

  /** Goes where the redirects lead: `{location}` once they leave the provider, else the last page. */
  async visit(url, init = {}) {
    for (let hop = 0; hop < 20; hop += 1) {
      if (new URL(url).origin !== issuer) return { location: url };
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const answer = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } });
      this.#keepCookies(answer.headers.getSetCookie());
      const location = answer.headers.get('location');
      if (!location) return { status: answer.status, body: await answer.text() };
      await answer.body?.cancel();
      url = new URL(location, url).href;
      init = {};
    }
    throw new Error('too many redirects');
  }

  #keepCookies(lines) {
    for (const line of lines) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value) this.#cookies.set(name, value); else this.#cookies.delete(name);
    }
  }
}

async function decideDevice({ user_code, account, deny }) {
  const browser = new Browser({ account, deny });
  const form = await browser.visit(`${issuer}/device`);
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(form.body)[1];
  const submit = (fields) => browser.visit(`${issuer}/device`, {
    method: 'POST',
    body: new URLSearchParams({ xsrf, user_code, ...fields }),
  });
  const entered = await submit({});
  if (!entered.body?.includes('id="confirm"')) return { ok: false };
  const decided = await submit(deny ? { abort: 'yes' } : { confirm: 'yes' });
  return { ok: deny ? true : decided.body?.includes('id="done"') === true };
}

// ---- counters and faults --------------------------------------------------------------------------------------

function makeTraffic() {
  const routes = {
    '/.well-known/openid-configuration': 'discovery',
    '/auth': 'auth',
    '/device/auth': 'device',
    '/jwks': 'jwks',
    '/me': 'userinfo',
    '/token': 'token',
    '/token/introspection': 'introspection',
    '/token/revocation': 'revocation',
  };
  const zero = () => ({ n: 0, inflight: 0, max_inflight: 0, status: {}, grants: {} });
  const traffic = {
    routeOf: (path) => routes[path],
    knows: (route) => Object.values(routes).includes(route),
    reset() {
      this.stats = Object.fromEntries(Object.values(routes).map((route) => [route, zero()]));
      this.faults = [];
    },
    takeFault(route, grant) {
      const fault = this.faults.find((f) => f.route === route && f.times !== 0 && (!f.grant || f.grant === grant));
      if (fault?.times > 0) fault.times -= 1;
      return fault ?? {};
    },
  };
  traffic.reset();
  return traffic;
}

/** Counts the call, and lets it fail the way a test asked for. */
async function countAndDisturb(ctx, next) {
  const route = traffic.routeOf(ctx.path);
  if (!route) return next();
  const grant = await grantTypeOf(ctx.req);
  const seen = traffic.stats[route];
  seen.n += 1;
  seen.inflight += 1;
  seen.max_inflight = Math.max(seen.max_inflight, seen.inflight);
  if (grant) seen.grants[grant] = (seen.grants[grant] ?? 0) + 1;
  try {
    await handle(ctx, next, traffic.takeFault(route, grant));
    const outcome = ctx.respond === false ? 'dropped' : ctx.status;
    seen.status[outcome] = (seen.status[outcome] ?? 0) + 1;
  } finally {
    seen.inflight -= 1;
  }
}

async function handle(ctx, next, fault) {
  if (fault.delay_ms) await delay(fault.delay_ms);
  if (fault.abort) return dropConnection(ctx);
  if (fault.status) {
    ctx.status = fault.status;
    ctx.set(fault.headers ?? {});
    ctx.body = fault.body ?? { error: 'server_error' };
    return undefined;
  }
  await next();
  if (fault.tell) ctx.body = { ...ctx.body, ...fault.tell };
  return fault.after ? dropConnection(ctx) : undefined;
}

function dropConnection(ctx) {
  ctx.respond = false;
  ctx.req.socket.destroy();
}

/** The `grant_type` of a POST; its body is read for that and handed on the way the provider takes a parsed one. */
async function grantTypeOf(request) {
  if (request.method !== 'POST') return undefined;
  const form = new URLSearchParams(await textOf(request));
  request.body = Object.fromEntries(form);
  return form.get('grant_type') ?? undefined;
}

async function textOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

// ---- control plane --------------------------------------------------------------------------------------------

async function controlPlane(ctx, next) {
  if (!ctx.path.startsWith('/test/')) return next();
  const controls = {
    'GET /test/stats': () => traffic.stats,
    'POST /test/reset': () => { traffic.reset(); return {}; },
    'POST /test/faults': addFault,
    'POST /test/login': ({ url, ...person }) => new Browser(person).visit(url),
    'POST /test/device': decideDevice,
    'POST /test/token': issueToken,
    'POST /test/revoke-user': revokeUser,
  };
  const control = controls[`${ctx.method} ${ctx.path}`];
  if (!control) return answer(ctx, 404, { error: `no control ${ctx.method} ${ctx.path}` });
  try {
    const asked = ctx.method === 'POST' ? JSON.parse(await textOf(ctx.req) || '{}') : {};
    return answer(ctx, 200, await control(asked));
  } catch (error) {
    return answer(ctx, 422, { error: error.message });
  }
}

function answer(ctx, status, body) {
  ctx.status = status;
  ctx.body = body;
}

function addFault(fault) {
  if (!traffic.knows(fault.route)) throw new Error(`no route ${fault.route}`);
  traffic.faults.push({ times: 1, ...fault });
  return {};
}

async function issueToken({ client_id: clientId, account: accountId, scope }) {
  const client = await provider.Client.find(clientId);
  if (!client) throw new Error(`no client ${clientId}`);
  const grant = new provider.Grant({ accountId, clientId });
  grant.addOIDCScope(scope);
  const grantId = await grant.save();
  return { access_token: await new provider.AccessToken({ accountId, client, grantId, scope }).save() };
}

async function revokeUser({ account }) {
  const grants = [...grantsOfAccount.get(account) ?? []];
  for (const id of grants) {
    for (const model of ['AccessToken', 'RefreshToken', 'AuthorizationCode', 'DeviceCode']) {
      await provider[model].revokeByGrantId(id);
    }
    await (await provider.Grant.find(id))?.destroy();
  }
  grantsOfAccount.delete(account);
  return { revoked: grants.length };
}
