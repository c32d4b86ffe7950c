import assert from 'node:assert/strict'
import { test } from 'node:test'
import { suite } from './suites.js'

test('a test has its own replay, its own ticks and its own verdict, also beside others', (t) => {
  const { code, said } = suite(
    t,
    `
    for (const again of [1, 2, 3]) {
      test('it ' + again, async (t) => {
        const console = await start(t, { scenario: 'slow-host', seed: 1 })
        assert.equal((await wait(console)).id, 956)
        const seen = await console.requests()
        assert.deepEqual(seen.map((it) => it.tick), [0, 1, 2, 3])
        assert.deepEqual(seen.map((it) => it.state), ['WAITING', 'PROCESSING', 'PARTIALLY_COMPLETE', 'COMPLETE'])
        assert.ok(seen.every((it) => it.status === 200 && it.faults[0] === 'latency' && !it.missed))
        assert.equal(seen[0].endpoint, 'GET /forensics/case_management/case_create_tasks/{id}')
      })
    }

    test('several at one time', async (t) => {
      await Promise.all(['slow-host', 'takes-its-time', 'all-is-well'].map((scenario) =>
        t.test(scenario, async (t) => wait(await start(t, { scenario })))))
    })
    `
  )
  assert.equal(code, 0, said)
  assert.match(said, /# pass 7\n/)
})

test('a broken law, a miss, a silent fault and an idle test fail', (t) => {
  const { code, said } = suite(
    t,
    `
    test('created twice', async (t) => { await create(await start(t, { scenario: 'lost-answer' }), 2) })
    test('a miss', async (t) => {
      const { url, sec } = await start(t, { scenario: 'all-is-well' })
      await fetch(url + '/api/siem/offenses', { headers: { SEC: sec } })
    })
    test('silent', async (t) => { await wait(await start(t, { scenario: 'lost-answer' })) })
    test('idle', async (t) => { await start(t, { scenario: 'slow-host' }) })
    test('passes, but must not', async (t) => { await wait(await start(t, { scenario: 'all-is-well', must: 'fails' })) })
    `
  )
  assert.equal(code, 1)
  assert.match(said, /# fail 5\n/)
  assert.match(said, /not ok 1 - created twice\n[^]*creates-once is violated: the case `A` is created again after its answer was lost/)
  assert.match(said, /sent: +POST \/api\/forensics\/case_management\/cases /)
  assert.match(said, /repeat it: node --test --test-name-pattern 'created twice'/)
  assert.match(said, /not ok 2 - a miss\n[^]*1 request was answered by no recording[^]*GET \/api\/siem\/offenses: not recorded/)
  assert.match(said, /not ok 3 - silent\n[^]*never fired: lost-answer: lost-answer/)
  assert.match(said, /not ok 4 - idle\n[^]*nothing was asked of the console/)
  assert.match(said, /not ok 5 - passes, but must not\n[^]*the test passed, but it must fail/)
  assert.doesNotMatch(said, /STAND_BY/)
})

test('a test that fails by itself keeps its own error, and shows what was served', (t) => {
  const { code, said } = suite(
    t,
    `
    test('it', async (t) => {
      const console = await start(t, { scenario: 'slow-host' })
      assert.equal((await wait(console)).id, 1)
    })
    `
  )
  assert.equal(code, 1)
  assert.match(said, /956 !== 1/)
  assert.match(said, /# 4 requests served: 4 from the recording/)
})
