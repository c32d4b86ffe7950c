// Where the program `faultdeck` is.
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'

const FIX = `
  Any of these helps:
    - install it: \`cargo install --path .\` in faultdeck's repository, or a package of it, if you have one
    - name it: FAULTDECK=/path/to/faultdeck node --test
    - put its folder on PATH`

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

/** The path of the program: what FAULTDECK names, else the one of a package in node_modules/.bin, else the one on PATH. */
export function find() {
  const named = process.env.FAULTDECK
  if (named) {
    if (isProgram(named)) return resolve(named)
    throw new Error(`FAULTDECK names \`${named}\`, which is no program that can be run.${FIX}`)
  }
  const folders = []
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    folders.push(join(folder, 'node_modules', '.bin'))
    if (dirname(folder) === folder) break
  }
  folders.push(...(process.env.PATH ?? '').split(delimiter).filter(Boolean))
  const found = folders.map((folder) => join(folder, 'faultdeck')).find(isProgram)
  if (found === undefined) throw new Error(`the program \`faultdeck\` was not found: FAULTDECK is not set, and PATH has none.${FIX}`)
  return found
}
