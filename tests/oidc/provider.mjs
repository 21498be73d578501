// A real OpenID provider (panva's certified oidc-provider) as the tests of signing in need it.
//
// Its configuration comes as JSON in OIDC_TEST: port, portal (the address of the portal), clients (their names; each is
// the name under which the portal knows this provider) and accounts (a file of claims by login, read at each use, so
// that a test can change what the provider says of somebody). Any password is right: what is tested is the portal.
// Clients whose name begins with "fault-" get id tokens that are wrong in the way that the name says.

import { readFileSync } from 'node:fs';
import { exportJWK, generateKeyPair, SignJWT, decodeJwt } from 'jose';
import Provider from 'oidc-provider';

const { port, portal, clients, accounts } = JSON.parse(process.env.OIDC_TEST);
const issuer = `http://127.0.0.1:${port}`;
const keys = {};
for (const kid of ['usual', 'fresh', 'foreign']) {
  const pair = await generateKeyPair('RS256', { extractable: true });
  keys[kid] = { ...pair, jwk: { ...(await exportJWK(pair.privateKey)), kid, use: 'sig', alg: 'RS256' } };
}
let fresh = false; // whether the fresh key is published

const page = (body) => `<!doctype html><meta charset="utf-8"><title>Provider</title>${body}`;
const provider = new Provider(issuer, {
  clients: clients.map((name) => ({
    client_id: `client-${name}`,
    ...(name === 'public' ? { token_endpoint_auth_method: 'none' } : { client_secret: `secret of ${name}` }),
    redirect_uris: [`${portal}/login/oidc/${name}/callback`],
    post_logout_redirect_uris: [`${portal}/login`],
    application_type: 'native', // such may be led back to http on loopback
  })),
  claims: { openid: ['sub'], profile: ['preferred_username', 'groups'], email: ['email', 'email_verified'] },
  findAccount: (_, login) => {
    const claims = JSON.parse(readFileSync(accounts, 'utf8'))[login] ?? {};
    return { accountId: login, claims: () => ({ sub: login, preferred_username: login, ...claims }) };
  },
  features: {
    rpInitiatedLogout: {
      logoutSource: (ctx, form) => {
        ctx.body = page(`${form}<button form="op.logoutForm" name="logout" value="yes">Sign out of the provider</button>`);
      },
    },
  },
  jwks: { keys: [keys.usual.jwk] },
  cookies: { keys: ['only', 'tests'] },
  ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Interaction: 600, Session: 3600, Grant: 3600 },
});

const faults = {
  'fault-audience': async (claims) => sign({ ...claims, aud: 'somebody-else' }, 'usual'),
  'fault-issuer': async (claims) => sign({ ...claims, iss: 'https://elsewhere.example' }, 'usual'),
  'fault-expired': async (claims) => sign({ ...claims, iat: claims.iat - 900, exp: claims.iat - 300 }, 'usual'),
  'fault-future': async (claims) => sign({ ...claims, iat: claims.iat + 300, exp: claims.exp + 300 }, 'usual'),
  'fault-nonce': async ({ nonce, ...claims }) => sign(claims, 'usual'),
  'fault-key': async (claims) => sign(claims, 'foreign'),
  'fault-signature': async (claims) => sign(claims, 'foreign', 'usual'),
  'fault-secret': async (claims) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode('secret of fault-secret')),
  'fault-none': async (claims) => `${coded({ alg: 'none' })}.${coded(claims)}.`,
  'fault-missing': async () => undefined,
  // No fault, but in the id token itself and signed with a key that is published from now on only.
  rotated: async (claims) => {
    fresh = true;
    return sign({ ...claims, preferred_username: claims.sub, groups: ['staff'] }, 'fresh');
  },
};
const coded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const sign = (claims, key, kid = key) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid }).sign(keys[key].privateKey);

provider.use(async (ctx, next) => {
  await next();
  if (ctx.path === '/token' && ctx.body?.id_token) {
    const fault = faults[ctx.oidc.client.clientId.slice('client-'.length)];
    if (fault) ctx.body.id_token = await fault(decodeJwt(ctx.body.id_token));
  }
  if (ctx.path === '/jwks' && fresh) {
    const { kty, n, e, kid, use, alg } = keys.fresh.jwk;
    ctx.body.keys.push({ kty, n, e, kid, use, alg });
  }
});

process.stdin.resume().on('end', () => process.exit()); // whoever started it is gone
provider.listen(port, '127.0.0.1', () => console.log(`Ready: ${issuer}`));
