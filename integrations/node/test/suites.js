// Suites of a user's, run by `node --test` itself in a folder of their own, against the real program.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const HELPER = fileURLToPath(new URL('../lib/index.js', import.meta.url))

/** A client, and what each suite begins with. */
const CLIENT = `
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { start } from ${JSON.stringify(HELPER)}

const CASES = '/api/forensics/case_management'

export async function wait({ url, sec }, task = 956) {
  for (let poll = 0; poll < 20; poll += 1) {
    const answer = await fetch(url + CASES + '/case_create_tasks/' + task, { headers: { SEC: sec } })
    if (!answer.ok) throw new Error('status ' + answer.status)
    const seen = await answer.json()
    if (seen.state === 'COMPLETE') return seen
  }
}

export async function create({ url, sec }, tries = 1) {
  const body = JSON.stringify({ name: 'A', assigned_to: ['bob'] })
  for (let i = 0; i < tries; i += 1) {
    try {
      return await fetch(url + CASES + '/cases', { method: 'POST', headers: { SEC: sec, 'Content-Type': 'application/json' }, body })
    } catch {}
  }
}
`

/** Runs a suite; hands back its exit code and what it wrote. The folder is gone afterwards. */
export function suite(t, text, { env = {}, flags = [] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'faultdeck-suite-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'it.test.mjs'), CLIENT + text)
  const given = { ...process.env, ...env }
  // A suite within a suite would report to the one outside.
  delete given.NODE_TEST_CONTEXT
  const argv = ['--test', '--test-reporter=tap', ...flags, 'it.test.mjs']
  const done = spawnSync(process.execPath, argv, { cwd: folder, env: given, encoding: 'utf8', timeout: 60_000 })
  return { code: done.status, said: done.stdout + done.stderr }
}
