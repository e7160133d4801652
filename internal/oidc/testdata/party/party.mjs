// A product on openid-client. It is told where and who it is by its arguments,
// prints the address to which a browser must go, reads from standard input where
// the browser came out, and prints what it learned.
import * as client from 'openid-client'
import {createInterface} from 'node:readline'

const [issuer, id, secret, jwk, callback] = process.argv.slice(2)

const proves = jwk
  ? client.PrivateKeyJwt({
      key: await crypto.subtle.importKey('jwk', JSON.parse(jwk), {name: 'ECDSA', namedCurve: 'P-256'}, false, ['sign']),
      kid: 'mine',
    })
  : client.ClientSecretBasic(secret)
const config = await client.discovery(new URL(issuer), id, undefined, proves, {execute: [client.allowInsecureRequests]})
const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))

const verifier = client.randomPKCECodeVerifier()
const [state, nonce] = [client.randomState(), client.randomNonce()]
const to = await client.buildAuthorizationUrlWithPAR(config, {
  redirect_uri: callback, scope: 'openid profile email offline_access', state, nonce,
  code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
}, {DPoP})
console.log(to.href)

const lines = createInterface({input: process.stdin})[Symbol.asyncIterator]()
const came = new URL((await lines.next()).value)
const tokens = await client.authorizationCodeGrant(config, came,
  {pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true}, undefined, {DPoP})
const claims = tokens.claims()
const info = await client.fetchUserInfo(config, tokens.access_token, claims.sub, {DPoP})
const renewed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, {DPoP})

let spent = 'taken'
try {
  await client.refreshTokenGrant(config, tokens.refresh_token, undefined, {DPoP})
} catch (refused) {
  spent = refused.error
}
let family = 'taken'
try {
  await client.refreshTokenGrant(config, renewed.refresh_token, undefined, {DPoP})
} catch (refused) {
  family = refused.error
}
console.log(JSON.stringify({sub: claims.sub, institution: claims.institution, email: info.email, kind: tokens.token_type, renewed: renewed.token_type, spent, family,
  logout: client.buildEndSessionUrl(config, {id_token_hint: tokens.id_token}).pathname}))
process.exit(0)
