// Checked by TypeScript, never run: what an editor says of these is what the helper takes.
import { test } from 'node:test'
import { start, Broken, type Console, type Request, type Verdict } from 'faultdeck-test'

test('types', async (t) => {
  const console: Console = await start(t, { scenario: 'slow-host', seed: 2, faults: ['hang'], must: 'any', env: true })
  const seen: Request[] = await console.requests()
  const states: (string | null)[] = seen.map((it) => it.state)
  await console.advance(2)
  const verdict: Verdict | undefined = await console.stop()
  if (verdict && !verdict.isAllowed()) throw new Broken(states.join() + verdict.text())
  // @ts-expect-error: no such word
  await start(t, { senario: 'slow-host' })
  // @ts-expect-error: no such demand
  await start(t, { scenario: 'slow-host', must: 'perhaps' })
})
