/** The context of a test, as `node:test` hands it out. */
export interface TestContext {
  after(hook: () => unknown): unknown
  readonly name?: string
  readonly fullName?: string
  readonly passed?: boolean
  diagnostic?(text: string): void
}

/** The trouble of one test. One of `scenario`, `toml` and `cassette` is needed. */
export interface Options {
  /** A name, a `.toml` file, or `builtin:NAME`. */
  scenario?: string
  /** The text of a scenario, in place of its name. */
  toml?: string
  /** A name below `cassettes/`, a `.json` file, or `builtin:NAME`; wins over the scenario's. */
  cassette?: string
  /** The same seed meets the same trouble; 1 if it is not given. */
  seed?: number | bigint
  /** Faults in a line, as after `--fault`. */
  faults?: readonly string[]
  /** What the test must do. */
  must?: 'passes' | 'fails' | 'any'
  /** Whether the replay is a forward proxy, too, for a client with host and https in its code; true if it is not given. */
  proxy?: boolean
  /** Whether the replay itself speaks https; there is no proxy then. */
  tls?: boolean
  /** So many seconds of the scenario pass in one. */
  timeScale?: number
  /** Whether requests without credentials are answered, too. */
  noAuth?: boolean
  /** Files with more endpoints and task families. */
  profiles?: readonly string[]
  /** More variables: `{ QRADAR_URL: '{url}/api' }`. */
  names?: Readonly<Record<string, string>>
  /** Sets the variables of this process while the test runs: for one test at a time. */
  env?: boolean
  /** Keeps the ledger in this file. */
  ledger?: string
  /** Where names of scenarios and cassettes are looked up. */
  cwd?: string
}

/** One request, and what it was answered. */
export interface Request {
  method: string
  /** The target: path and query, as it was sent. */
  path: string
  /** What was sent with it, if that was text, and not to the byte what was recorded. */
  body?: string
  status: number
  /** The endpoint of the API: method and template. */
  endpoint: string
  /** Which request for this resource it was, from 1. */
  nth: number
  /** The tick and the state of its task. */
  tick: number | null
  state: string | null
  /** The kinds of faults that it met. */
  faults: string[]
  /** Whether no recording answers it. */
  missed: boolean
}

/** A console that answers until it is stopped. */
export class Console {
  readonly url: string
  /** A token to send as `SEC`; any would do. */
  readonly sec: string
  /** Whom to trust, behind the proxy or with `tls`. */
  readonly caFile?: string
  /** Variables for a program that the test starts: `spawn(..., { env: { ...process.env, ...console.env } })`. */
  readonly env: Record<string, string | undefined>
  readonly ledger: string
  /** All requests so far, in order. */
  requests(): Promise<Request[]>
  /** Waits until so many requests were made. */
  waitFor(count: number, options?: { within?: number }): Promise<Request[]>
  /** Steps the clock of a scenario with `clock = { by = "hand" }`. */
  advance(ticks?: number): Promise<void>
  /** What the program wrote to its standard error. */
  notes(): string
  /** Stops it before the test has ended; then the verdict is the caller's. */
  stop(passed?: boolean): Promise<Verdict | undefined>
}

/** What a session came to. */
export class Verdict {
  /** The report for programs, as `faultdeck report --format json` makes it. */
  readonly report: { exit: number; because: string; counts: Record<string, number>; never_fired: string[]; [member: string]: unknown }
  readonly human: string
  readonly passed: boolean
  isAllowed(): boolean
  against(): string[]
  text(found?: string[]): string
}

/** The session of a test did not come out well; the text says why. */
export class Broken extends Error {}
/** The program did not do what it is for; the text is its own. */
export class Trouble extends Error {}

/** Starts a console for a test; when that has ended, the console stops, and a bad verdict fails the test. */
export function start(t: TestContext, options: Options): Promise<Console>
/** The path of the program. */
export function find(): string
