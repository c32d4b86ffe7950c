// What a test asks for, as flags of `faultdeck run`.
const KNOWN = ['scenario', 'toml', 'cassette', 'seed', 'faults', 'must', 'proxy', 'tls', 'timeScale', 'noAuth', 'profiles', 'names', 'env', 'ledger', 'cwd']

/** @throws if a word is unknown, or two contradict each other. */
export function flags(options, tomlFile) {
  const unknown = Object.keys(options).find((name) => !KNOWN.includes(name))
  if (unknown !== undefined) throw new TypeError(`\`${unknown}\` is unknown; there are ${KNOWN.join(', ')}`)
  const { scenario, toml, cassette, seed = 1, faults = [], must, proxy = true, tls = false } = options
  if (scenario !== undefined && toml !== undefined) throw new TypeError('`scenario` names a scenario, and `toml` is one: give one of the two')
  if (scenario?.endsWith('/')) throw new TypeError(`\`${scenario}\` is a folder: name one scenario of it`)
  if (tls && options.proxy) throw new TypeError('`proxy` and `tls` exclude each other')
  if (scenario === undefined && toml === undefined && cassette === undefined) {
    throw new TypeError("nothing says what the console answers: give `scenario: 'slow-host'`, or a `cassette`")
  }
  const found = ['--seed', `${seed}`]
  const chosen = toml === undefined ? scenario : tomlFile
  if (chosen !== undefined) found.push('--scenario', chosen)
  if (cassette !== undefined) found.push('--cassette', cassette)
  for (const fault of faults) found.push('--fault', fault)
  if (must !== undefined) found.push('--command', must)
  for (const profile of options.profiles ?? []) found.push('--profile', profile)
  for (const [name, text] of Object.entries(options.names ?? {})) found.push('--env', `${name}=${text}`)
  if (options.timeScale !== undefined) found.push('--time-scale', `${options.timeScale}`)
  if (options.noAuth) found.push('--no-auth')
  if (tls) found.push('--tls')
  else if (proxy) found.push('--proxy')
  return found
}
