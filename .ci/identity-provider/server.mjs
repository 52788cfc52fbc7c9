// An identity provider for the tests in tests/program/oauth.rs, on 127.0.0.1 only: a certified one
// (oidc-provider) with its endpoints where Microsoft has them, and pages that a test can go through.
//
//   node server.mjs FILE    listens on a free port and writes to FILE what the tests need, as JSON
//
// Whoever signs in is believed, without a password. Names that begin with "no." decline.
import { randomBytes } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import http from 'node:http';
import Provider, { interactionPolicy } from 'oidc-provider';

const [file] = process.argv.slice(2);
if (!file) throw new Error('usage: node server.mjs FILE');

const tenant = 'contoso.example';
const delegated = ['https://outlook.office.com/SMTP.Send', 'offline_access'];
const appOnly = 'https://outlook.office365.com/.default';
// The mailbox that the application sends for: its tokens have no person in them.
const appMailbox = 'newsdesk@example.test';
const secrets = { app: randomBytes(24).toString('hex'), introspection: randomBytes(24).toString('hex') };
// Seconds that an access token holds, by client.
const usual = 3600;
const short = Number(process.env.POSTROOM_IDP_SHORT_TTL ?? 4);

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
const desktop = (client_id) => ({
  client_id,
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token', deviceGrant],
  response_types: ['code'],
  redirect_uris: ['http://localhost'],
});
const machine = (client_id, client_secret, grant_types) => ({
  client_id,
  client_secret,
  token_endpoint_auth_method: 'client_secret_post',
  grant_types,
  response_types: [],
  redirect_uris: [],
});

const policy = interactionPolicy.base();
policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0);

const server = http.createServer();
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const base = `http://127.0.0.1:${server.address().port}`;
const microsoft = (name) => `/${tenant}/oauth2/v2.0/${name}`;

const provider = new Provider(base, {
  clients: [
    desktop('postroom'),
    desktop('postroom-short'),
    machine('postroom-app', secrets.app, ['client_credentials']),
    { ...machine('mail-server', secrets.introspection, []), token_endpoint_auth_method: 'client_secret_basic' },
  ],
  scopes: ['openid', ...delegated, appOnly],
  routes: {
    authorization: microsoft('authorize'),
    token: microsoft('token'),
    device_authorization: microsoft('devicecode'),
    code_verification: '/devicelogin',
    introspection: '/introspect',
  },
  features: {
    devInteractions: { enabled: false },
    deviceFlow: { enabled: true },
    clientCredentials: { enabled: true },
    // The mail server may look at everybody's tokens.
    introspection: { enabled: true, allowedPolicy: (ctx, client) => client.clientId === 'mail-server' },
    userinfo: { enabled: false },
    rpInitiatedLogout: { enabled: false },
  },
  interactions: { policy, url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  // Microsoft gives one whenever it is asked for, whatever the prompt.
  issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  expiresWithSession: () => false,
  extraTokenClaims: (ctx, token) => ({ username: token.accountId ?? appMailbox }),
  ttl: {
    AccessToken: (ctx, token, client) => (client.clientId === 'postroom-short' ? short : usual),
    ClientCredentials: usual,
    DeviceCode: 120,
    Grant: 86400,
    Interaction: 600,
    RefreshToken: 86400,
    Session: 600,
  },
  cookies: { keys: [randomBytes(16).toString('hex')] },
  pkce: { required: () => true },
});

// Grants by the account that gave them, for taking them back.
const grants = new Map();

async function form(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return new URLSearchParams(text);
}

function page(response, status, html) {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' });
  response.end(`<!doctype html><html lang="en"><body>${html}</body></html>`);
}

// Signs in and agrees in one step.
async function interact(request, response) {
  const { params, prompt, uid } = await provider.interactionDetails(request, response);
  if (request.method === 'GET') {
    page(response, 200, `<form method="post" action="/interaction/${uid}">
      <input type="hidden" name="account" value="${encodeURIComponent(params.login_hint ?? '')}"/>
      ${prompt.name}</form>`);
    return;
  }
  const account = (await form(request)).get('account') || params.login_hint;
  if (!account || account.startsWith('no.')) {
    const declined = { error: 'access_denied', error_description: 'the person said no' };
    await provider.interactionFinished(request, response, declined, { mergeWithLastSubmission: false });
    return;
  }
  const grant = new provider.Grant({ accountId: account, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const grantId = await grant.save();
  grants.set(account, [...(grants.get(account) ?? []), grantId]);
  const accepted = { login: { accountId: account }, select_account: {}, consent: { grantId } };
  await provider.interactionFinished(request, response, accepted, { mergeWithLastSubmission: false });
}

// An administrator takes back what an account has agreed to.
async function revoke(request, response) {
  const account = (await form(request)).get('account');
  const given = grants.get(account) ?? [];
  for (const id of given) {
    const grant = await provider.Grant.find(id);
    await grant?.destroy();
  }
  grants.delete(account);
  response.end(`${given.length}\n`);
}

const callback = provider.callback();
server.on('request', (request, response) => {
  const { pathname } = new URL(request.url, base);
  const failed = (error) => page(response, 500, error.name);
  if (pathname.startsWith('/interaction/')) interact(request, response).catch(failed);
  else if (pathname === '/revoke' && request.method === 'POST') revoke(request, response).catch(failed);
  else callback(request, response);
});

const told = {
  authority: base,
  tenant,
  app_secret: secrets.app,
  app_mailbox: appMailbox,
  introspection: `http://mail-server:${secrets.introspection}@127.0.0.1:${server.address().port}/introspect`,
  short_ttl: short,
};
await writeFile(`${file}.new`, JSON.stringify(told), { mode: 0o600 });
await rename(`${file}.new`, file);
