// A console of one's own: a `faultdeck run` whose command stands by, in the place of a test, until it is told how that ended. What the
// run hands its command in variables is what the test gets. The command ends when its input does, and the run with it: so nothing is
// left when the process of the tests is killed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { find } from './binary.js'
import { flags } from './flags.js'
import { Broken, Verdict } from './verdict.js'

export { Broken, Verdict, find }

const STAND_BY = `env -0 && printf '\\0' && IFS= read -r code && exit "$code"; exit 1`
// The shell's own variables, and the mark by which faultdeck finds its children.
const OF_SHELL = new Set(['_', 'PWD', 'OLDPWD', 'SHLVL', 'FAULTDECK_STAND_BY', 'FAULTDECK_CHILD'])
// They make a run tell a CI system of itself: the suite tells it.
const OF_CI = ['GITHUB_ACTIONS', 'GITHUB_STEP_SUMMARY']
const START_MS = 30_000
const END_MS = 60_000
const RUN_S = 24 * 3600
// What was asked just now is told within SETTLE_MS; a ledger that did not grow for QUIET_MS has all of it.
const SETTLE_MS = 2000
const QUIET_MS = 200
const STEP_MS = 5000

/** The program did not do what it is for; the text is its own. */
export class Trouble extends Error {
  name = 'Trouble'
}

/** Starts a console for the test `t`; when that has ended, the console stops, and its verdict fails the test if it is bad. */
export async function start(t, options = {}) {
  if (typeof t?.after !== 'function') {
    throw new TypeError("start(t, ...) takes the context of a test: test('...', async (t) => { await start(t, ...) })")
  }
  const console = new Console(options, t.fullName ?? t.name ?? 'a test')
  await console.begin()
  t.after(async () => {
    // A test that failed has said why; one that passed is asked for its verdict.
    const passed = t.passed ?? true
    const verdict = await console.stop(passed)
    const found = verdict?.against() ?? []
    if (found.length > 0 && passed) throw new Broken(verdict.text(found))
    if (!passed) verdict?.text(found).split('\n').forEach((line) => t.diagnostic?.(line))
  })
  return console
}

/** A console that answers until it is stopped. */
export class Console {
  #options
  #name
  #folder = mkdtempSync(join(tmpdir(), 'faultdeck-test-'))
  #child
  #ended
  #before

  constructor(options, name) {
    this.#options = options
    this.#name = name
    this.ledger = options.ledger ?? join(this.#folder, 'ledger.jsonl')
  }

  async begin() {
    try {
      await this.#begin()
    } catch (error) {
      this.#child?.stdin.destroy()
      await this.#ended?.catch(() => {})
      this.#child = undefined
      this.#clean()
      throw error
    }
  }

  async #begin() {
    const toml = join(this.#folder, 'scenario.toml')
    if (this.#options.toml !== undefined) writeFileSync(toml, this.#options.toml)
    const given = { ...process.env }
    OF_CI.forEach((name) => delete given[name])
    const notes = openSync(this.#file('notes'), 'w')
    const argv = ['run', ...flags(this.#options, toml), '--timeout', `${RUN_S}`, '--ledger', this.ledger]
    argv.push('--report', `json=${this.#file('report.json')}`, '--report', `human=${this.#file('report.txt')}`)
    // What runs the test again: its name is a pattern there.
    const pattern = this.#name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    for (const word of ['node', '--test', '--test-name-pattern', pattern]) argv.push('--stands-for', word)
    argv.push('--', 'sh', '-c', 'eval "$FAULTDECK_STAND_BY"')
    this.#child = spawn(find(), argv, {
      stdio: ['pipe', 'pipe', notes],
      env: { ...given, FAULTDECK_STAND_BY: STAND_BY },
      cwd: this.#options.cwd,
      // Ctrl-C at the terminal is for the tests; this ends when they do.
      detached: true
    })
    closeSync(notes)
    this.#child.stdin.on('error', () => {}) // It has ended already; its notes say why.
    this.#ended = once(this.#child, 'exit')
    const told = await this.#told()
    this.env = {}
    for (const name of new Set([...Object.keys(given), ...Object.keys(told)])) {
      if (!OF_SHELL.has(name) && given[name] !== told[name]) this.env[name] = told[name]
    }
    this.url = told.FAULTDECK_URL
    this.sec = told.FAULTDECK_SEC
    this.caFile = told.FAULTDECK_CA_FILE
    if (this.#options.env === true) this.#before = put(this.env)
  }

  /** The variables of the command that stands by. */
  async #told() {
    const child = this.#child
    const alarm = setTimeout(() => child.kill('SIGKILL'), START_MS)
    let told = Buffer.alloc(0)
    try {
      await Promise.race([
        (async () => {
          for await (const piece of child.stdout.iterator({ destroyOnReturn: false })) {
            told = Buffer.concat([told, piece])
            if (told.subarray(-2).equals(Buffer.from([0, 0]))) return
          }
        })(),
        once(child, 'error').then(([error]) => Promise.reject(error))
      ])
    } finally {
      clearTimeout(alarm)
    }
    if (!told.subarray(-2).equals(Buffer.from([0, 0]))) {
      const [code] = await this.#ended
      throw new Trouble(this.notes().trim() || `faultdeck ended with exit code ${code} before it began`)
    }
    const entries = told.toString().split('\0').filter(Boolean)
    return Object.fromEntries(entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]))
  }

  #file(name) {
    return join(this.#folder, name)
  }

  /** What the program wrote to its standard error. */
  notes() {
    return readFileSync(this.#file('notes'), 'utf8')
  }

  /** All requests so far, in order. */
  async requests() {
    const deadline = Date.now() + SETTLE_MS
    let text = '', since = 0
    for (;;) {
      const now = await readFile(this.ledger, 'utf8')
      if (now.length !== text.length || since === 0) [text, since] = [now, Date.now()]
      if (Date.now() >= deadline || Date.now() - since >= QUIET_MS) break
      await sleep(QUIET_MS / 20)
    }
    const lines = text.split('\n').slice(0, -1).map((line) => JSON.parse(line))
    return lines.filter((line) => line.exchange).map((line) => request(line.exchange))
  }

  /** Waits until so many requests were made, for a client that works in the background. */
  async waitFor(count, { within = 10_000 } = {}) {
    const deadline = Date.now() + within
    for (;;) {
      const seen = await this.requests()
      if (seen.length >= count) return seen
      if (Date.now() > deadline) throw new Trouble(`${seen.length} of ${count} requests came within ${within} ms`)
    }
  }

  /** Steps the clock of a scenario with `clock = { by = "hand" }`. */
  async advance(ticks = 1) {
    if (!this.notes().includes('the clock is stepped by hand')) {
      throw new Trouble('the clock of this scenario is not stepped by hand; write `clock = { by = "hand" }` in it')
    }
    const steps = () => this.notes().split('\n').filter((line) => line.startsWith('tick ')).length
    for (let tick = 0; tick < ticks; tick += 1) {
      const before = steps()
      // A signal says no number: each is waited for.
      this.#child.kill('SIGUSR1')
      for (const deadline = Date.now() + STEP_MS; steps() === before; ) {
        if (Date.now() > deadline) throw new Trouble(`the clock was not stepped within ${STEP_MS} ms`)
        await sleep(1)
      }
    }
  }

  /** Says how the test ended, and hands back what the session came to; undefined if it was stopped already. */
  async stop(passed = true) {
    const child = this.#child
    if (child === undefined) return undefined
    this.#child = undefined
    if (this.#before) put(this.#before)
    child.stdin.end(passed ? '0\n' : '1\n')
    const alarm = setTimeout(() => child.kill('SIGKILL'), END_MS)
    const [code, signal] = await this.#ended
    clearTimeout(alarm)
    try {
      const report = JSON.parse(readFileSync(this.#file('report.json'), 'utf8'))
      return new Verdict(report, readFileSync(this.#file('report.txt'), 'utf8'), passed)
    } catch (error) {
      throw new Trouble(`faultdeck made no report (${signal ?? `exit code ${code}`}): ${this.notes().trim() || error}`)
    } finally {
      this.#clean()
    }
  }

  #clean() {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

let isTaken = false

/** Sets the variables of this process; hands back what they were. */
function put(values) {
  if (values[RESTORES]) isTaken = false
  else if (isTaken) throw new Trouble('`env: true` is for one test at a time: the variables of a process are shared')
  else isTaken = true
  const before = { [RESTORES]: true }
  for (const [name, value] of Object.entries(values)) {
    before[name] = process.env[name]
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  return before
}

const RESTORES = Symbol('restores')

/** What a line of a ledger tells. */
function request({ key, method, target, request_body, status, tick, state, faults, origin }) {
  return {
    method,
    path: target,
    body: request_body?.text,
    status,
    endpoint: key.endpoint,
    nth: key.nth,
    tick,
    state,
    faults: faults.map((fault) => fault.kind),
    missed: typeof origin === 'object' && 'miss' in origin
  }
}
