#!/usr/bin/env node
// Starts the binary that npm installed for this system, and ends as it does.
"use strict";

const { spawn } = require("node:child_process");

const name = `faultdeck-${process.platform}-${process.arch}`;
let binary;
try {
  binary = require.resolve(`${name}/bin/faultdeck`);
} catch {
  console.error(`error: there is no faultdeck for this system: the package ${name} is not installed`);
  console.error("help: install without `--omit=optional`, or build it: cargo install faultdeck");
  process.exit(70);
}

const child = spawn(binary, process.argv.slice(2), { stdio: "inherit" });
child.on("error", (error) => {
  console.error(`error: cannot start ${binary}: ${error.message}`);
  process.exit(70);
});
// What is said to this process alone is meant for the other. A terminal tells both by itself: this one waits then.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
