// Sends, by a provider's official SDK, the request bodies that ours sent.
//
//   node sdk.mjs NODE_MODULES < {"provider", "url", "requests": [{"path", "body"}], ...}
//
// With "read": true it prints what the SDK makes of each streamed answer, {text, calls} a line.
// Bedrock's are signed with the given key, and what its signer makes of other requests
// ("sign": [{method, path, headers, body, date}]) is printed, one Authorization a line.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'

const require = createRequire(process.argv[2] + '/')
const input = JSON.parse(readFileSync(0, 'utf8'))

async function anthropic() {
  const { default: Anthropic } = require('@anthropic-ai/sdk')
  const client = new Anthropic({ apiKey: input.key, baseURL: input.url, maxRetries: 0 })
  if (!input.read) for (const { body } of input.requests) await client.messages.create(body)
  else for (const { body } of input.requests) {
    const { content } = await client.messages.stream(body).finalMessage()
    tell(content.filter(b => b.type === 'text').map(b => b.text).join(''),
      content.filter(b => b.type === 'tool_use').map(b => ({ name: b.name, arguments: b.input })))
  }
}

async function openai() {
  const { default: OpenAI } = require('openai')
  const client = new OpenAI({ apiKey: input.key, baseURL: input.url, maxRetries: 0 })
  if (!input.read) for (const { body } of input.requests) await client.chat.completions.create(body)
  else for (const { body } of input.requests) {
    const { message } = (await client.chat.completions.stream(body).finalChatCompletion()).choices[0]
    tell(message.content, (message.tool_calls ?? []).map(({ function: f }) => (
      { name: f.name, arguments: JSON.parse(f.arguments) })))
  }
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
    const command = new Command({ modelId: input.model, ...body })
    // an answer that it cannot read is no matter: the request was sent
    if (!input.read) await client.send(command).catch(() => {})
    else await readConverse((await client.send(command)).stream)
  }
}

async function readConverse(stream) {
  const blocks = new Map()
  for await (const e of stream) {
    const of = e.contentBlockStart ?? e.contentBlockDelta
    if (!of) continue
    const b = blocks.get(of.contentBlockIndex) ?? { text: '', input: '' }
    blocks.set(of.contentBlockIndex, b)
    b.name ??= e.contentBlockStart?.start?.toolUse?.name
    b.text += e.contentBlockDelta?.delta?.text ?? ''
    b.input += e.contentBlockDelta?.delta?.toolUse?.input ?? ''
  }
  tell([...blocks.values()].map(b => b.text).join(''), [...blocks.values()].filter(b => b.name).map(b => (
    { name: b.name, arguments: JSON.parse(b.input || '{}') })))
}

function tell(text, calls) { console.log(JSON.stringify({ text, calls })) }

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
