import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { start } from '../lib/index.js'
import { HELPER, suite } from './suites.js'

const TASK = '/api/forensics/case_management/case_create_tasks/956'

/** What a client does that has its host in its code and heeds the variables of a proxy. */
async function throughTheProxy(url) {
  const proxy = new URL(process.env.HTTPS_PROXY)
  const { host } = new URL(url)
  const asked = http.request({ host: proxy.hostname, port: proxy.port, method: 'CONNECT', path: `${host}:443` }).end()
  const [, socket] = await once(asked, 'connect')
  const ca = readFileSync(process.env.SSL_CERT_FILE)
  const [answer] = await once(https.get(url, { socket, ca, agent: false, headers: { SEC: 'any' } }), 'response')
  const body = (await answer.toArray()).join('')
  socket.destroy()
  return JSON.parse(body)
}

test('a client with host and https in its code comes to the replay, and the variables are as before', async (t) => {
  const before = { ...process.env }
  await t.test('within', async (t) => {
    const console = await start(t, { scenario: 'all-is-well', env: true, names: { QRADAR_URL: '{url}/api' } })
    assert.equal(process.env.QRADAR_URL, `${console.url}/api`)
    assert.equal(process.env.FAULTDECK_CHILD, before.FAULTDECK_CHILD)
    assert.ok(existsSync(console.caFile))
    await assert.rejects(start(t, { scenario: 'all-is-well', env: true }), /one test at a time/)
    assert.equal((await throughTheProxy(`https://qradar.example${TASK}`)).id, 956)
  })
  assert.deepEqual({ ...process.env }, before)
  await t.test('and the next', async (t) => {
    const console = await start(t, { scenario: 'all-is-well', env: true, proxy: false })
    assert.equal(process.env.HTTPS_PROXY, before.HTTPS_PROXY)
    assert.equal((await fetch(console.url + TASK, { headers: { SEC: 'any' } })).status, 200)
  })
})

test('a clock can be stepped by hand, and only such a one', async (t) => {
  const toml = `
    summary         = "The clock is stepped by hand."
    cassette        = "forensics/create-case"
    clock           = { by = "hand" }
    polls_per_phase = 1
  `
  const console = await start(t, { toml })
  const state = async () => (await (await fetch(console.url + TASK, { headers: { SEC: console.sec } })).json()).state
  assert.deepEqual([await state(), await state()], ['WAITING', 'WAITING'])
  await console.advance()
  assert.equal(await state(), 'PROCESSING')
  await console.advance(2)
  assert.equal(await state(), 'COMPLETE')
  assert.equal((await console.waitFor(4)).length, 4)
  await assert.rejects(console.waitFor(5, { within: 300 }), /4 of 5 requests/)
  const other = await start(t, { scenario: 'all-is-well' })
  await fetch(other.url + TASK, { headers: { SEC: other.sec } })
  await assert.rejects(other.advance(), /not stepped by hand/)
})

test('a verdict can be taken before the test has ended', async (t) => {
  const console = await start(t, { scenario: 'lost-answer' })
  await fetch(console.url + TASK, { headers: { SEC: console.sec } })
  const verdict = await console.stop()
  assert.deepEqual(verdict.report.never_fired, ['lost-answer: lost-answer'])
  assert.deepEqual(verdict.against(), ['never fired: lost-answer: lost-answer'])
  assert.equal(verdict.isAllowed(), false)
})

test('what is wrong is said with its fix', async (t) => {
  await assert.rejects(start(t, { scenario: 'slow-hos' }), /did you mean `slow-host`/)
  await assert.rejects(start(t, { scenario: 'task/' }), /`task\/` is a folder/)
  await assert.rejects(start(t, {}), /nothing says what the console answers/)
  await assert.rejects(start(t, { senario: 'x' }), /`senario` is unknown/)
  await assert.rejects(start(undefined, { scenario: 'slow-host' }), /takes the context of a test/)
  const text = "test('it', async (t) => { await start(t, { scenario: 'slow-host' }) })"
  const named = suite(t, text, { env: { FAULTDECK: '/no/such/faultdeck' } })
  assert.match(named.said, /FAULTDECK names `\/no\/such\/faultdeck`[^]*cargo install --path \./)
  const none = suite(t, text, { env: { FAULTDECK: '', PATH: '/usr/bin:/bin' } })
  assert.match(none.said, /`faultdeck` was not found[^]*FAULTDECK=\/path\/to\/faultdeck node --test/)
  assert.deepEqual([named.code, none.code], [1, 1])
})

test('nothing is left when the process of the tests is killed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'faultdeck-killed-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const mine = `of-this-test-${process.pid}`
  const text = `
    import { start } from ${JSON.stringify(HELPER)}
    await start({ after() {}, name: '${mine}' }, { scenario: 'slow-host' })
    console.log('here')
    setInterval(() => {}, 1000)
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, TMPDIR: folder } })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  assert.notDeepEqual(running(mine, child.pid), [])
  child.kill('SIGKILL')
  for (const deadline = Date.now() + 30_000; running(mine, child.pid).length > 0; ) {
    assert.ok(Date.now() < deadline, 'something is left')
    await sleep(20)
  }
})

test('the examples of the page pass', (t) => {
  const page = readFileSync(new URL('../../../docs/integrations.md', import.meta.url), 'utf8')
  const [example] = page.match(/(?<=^```js\n)[^]*?(?=^```$)/m)
  const text = example.replace(/^import .*\n/gm, '').replace('waitForCase(console.url, 956, console.sec)', 'wait(console)')
  const { code, said } = suite(t, text)
  assert.equal(code, 0, said)
  assert.match(said, /# pass 1\n/)
})

/** The other processes whose arguments hold the mark. */
function running(mark, but) {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === but) return false
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark)
    } catch {
      return false
    }
  })
}
