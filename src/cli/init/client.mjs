#!/usr/bin/env node
// Gets the task of a case creation from a QRadar console, or waits for it. Node 18 or newer, without a package.
//
//     QRADAR_URL=https://console.example QRADAR_TOKEN=... node clients/qradar.mjs wait --id 42
//
// What came of it is one line of JSON on standard output, which is what `faultdeck judge` reads.

import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

const TASKS = "/api/forensics/case_management/case_create_tasks/";
const RETRIES = 3;
const RETRIED = new Set([429, 500, 502, 503, 504]);

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    base: { type: "string", default: process.env.QRADAR_URL },
    id: { type: "string" },
    fields: { type: "string" },
    "pace-ms": { type: "string", default: "1000" },
    "deadline-ms": { type: "string", default: "600000" },
  },
});
const job = positionals[0];
if (!["get", "wait"].includes(job) || !args.base || !args.id) {
  console.error("usage: qradar.mjs get|wait --id ID [--fields LIST], with --base or QRADAR_URL");
  process.exit(2);
}
const until = performance.now() + Number(args["deadline-ms"]);
const left = () => until - performance.now();

/** The answer as status and JSON; asked again while that may help. Nothing if nobody answered, or the time is up. */
async function ask(path) {
  const headers = { SEC: process.env.QRADAR_TOKEN, Version: "26.0", Accept: "application/json" };
  let answer;
  for (let attempt = 0; attempt <= RETRIES && left() > 0; attempt += 1) {
    let pause = 50 * 2 ** attempt;
    try {
      const signal = AbortSignal.timeout(Math.ceil(Math.min(10_000, left())));
      // Follows no redirect: the token is for one console.
      const target = args.base.replace(/\/+$/, "") + path;
      const response = await fetch(target, { headers, signal, redirect: "manual" });
      const askedFor = response.headers.get("Retry-After") ?? "";
      if (/^\d+$/.test(askedFor)) pause = Math.max(pause, Number(askedFor) * 1000);
      const text = await response.text();
      try {
        answer = { status: response.status, body: JSON.parse(text), text };
      } catch {
        answer = response.ok ? undefined : { status: response.status };
      }
    } catch (error) {
      console.error(`no answer: ${error.cause ?? error}`);
      answer = undefined;
    }
    if (answer && !RETRIED.has(answer.status)) break;
    if (attempt === RETRIES || pause > left()) break;
    await sleep(pause);
  }
  return answer;
}

/** What an answer comes to, as JSON text: a task is handed on as it came, numbers beyond 2^53 included. */
function outcomeOf(answer) {
  if (!answer) return { outcome: "gave_up" };
  const { status, body, text } = answer;
  const details = Number.isInteger(body?.code) ? { code: body.code } : {};
  if (status === 404 && body?.code === 1002) return { outcome: "not_found", ...details };
  if (status >= 500) return { outcome: "server_error", ...details };
  if (status === 429) return { outcome: "gave_up" };
  if (status !== 200 || body === null || typeof body !== "object" || Array.isArray(body)) {
    return { outcome: "rejected", ...details };
  }
  const states = { COMPLETE: "done", PARTIALLY_COMPLETE: "usable" };
  return { outcome: "task", standing: states[body.state ?? body.status] ?? "pending", text };
}

let path = TASKS + encodeURIComponent(args.id);
// Without its state there is nothing to wait by: then the whole task is asked for.
const names = (args.fields ?? "").replaceAll(" ", "").split(",");
if (args.fields && (job === "get" || names.includes("state") || names.includes("status"))) {
  path += `?fields=${encodeURIComponent(args.fields)}`;
}
let outcome = outcomeOf(await ask(path));
while (job === "wait" && ["pending", "usable"].includes(outcome.standing) && left() > 0) {
  await sleep(Number(args["pace-ms"]));
  if (left() > 0) outcome = outcomeOf(await ask(path));
}
if (job === "wait" && outcome.standing === "pending") outcome = { outcome: "gave_up" };
const { text, ...rest } = outcome;
const line = JSON.stringify(rest);
console.log(text === undefined ? line : `${line.slice(0, -1)},"task":${text.replaceAll("\n", " ")}}`);
process.exitCode = outcome.standing === "done" ? 0 : 1;
