// Sends, by a provider's official SDK, the request bodies that ours sent.
//
//   node sdk.mjs NODE_MODULES < {"provider", "url", "requests": [{"path", "body"}], ...}
//
// Bedrock's are signed with the given key, and what its signer makes of other requests
// ("sign": [{method, path, headers, body, date}]) is printed, one Authorization a line.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'

const require = createRequire(process.argv[2] + '/')
const input = JSON.parse(readFileSync(0, 'utf8'))

async function anthropic() {
  const { default: Anthropic } = require('@anthropic-ai/sdk')
  const client = new Anthropic({ apiKey: input.key, baseURL: input.url, maxRetries: 0 })
  for (const { body } of input.requests) await client.messages.create(body)
}

async function openai() {
  const { default: OpenAI } = require('openai')
  const client = new OpenAI({ apiKey: input.key, baseURL: input.url, maxRetries: 0 })
  for (const { body } of input.requests) await client.chat.completions.create(body)
}

async function bedrock() {
  const sdk = require('@aws-sdk/client-bedrock-runtime')
  const { NodeHttpHandler } = require('@smithy/node-http-handler')
  const client = new sdk.BedrockRuntimeClient({
    region: input.region, endpoint: input.url, maxAttempts: 1,
    requestHandler: new NodeHttpHandler(),
    credentials: { accessKeyId: input.access_key_id, secretAccessKey: input.key,
      sessionToken: input.session_token },
  })
  for (const { path, body } of input.requests) {
    const Command = path.endsWith('-stream') ? sdk.ConverseStreamCommand : sdk.ConverseCommand
    // an answer that it cannot read is no matter: the request was sent
    await client.send(new Command({ modelId: input.model, ...body })).catch(() => {})
  }
}

async function sign() {
  const { SignatureV4 } = require('@smithy/signature-v4')
  const { createHash, createHmac } = await import('node:crypto')
  class Sha256 {
    constructor(key) { this.hash = key ? createHmac('sha256', key) : createHash('sha256') }
    update(data) { this.hash.update(data) }
    async digest() { return new Uint8Array(this.hash.digest()) }
  }
  const signer = new SignatureV4({
    service: 'bedrock', region: input.region, sha256: Sha256,
    credentials: { accessKeyId: input.access_key_id, secretAccessKey: input.key,
      sessionToken: input.session_token },
  })
  for (const r of input.sign) {
    const done = await signer.sign(
      { method: r.method, protocol: 'http:', hostname: 'unused', path: r.path,
        headers: r.headers, body: r.body, query: {} },
      { signingDate: new Date(r.date), signableHeaders: new Set(Object.keys(r.headers)),
        unsignableHeaders: new Set(['x-amz-content-sha256']) })
    console.log(done.headers.authorization)
  }
}

await { anthropic, openai, bedrock }[input.provider]()
if (input.sign) await sign()
