#!/usr/bin/env node
// Gets, waits for and creates the case tasks of a QRadar console, and lists its offenses. It needs Node 18 or later and no package.
//
// It says what came of its job in one line of JSON on standard output; remarks go to standard error. The certificate
// authority to trust stands in NODE_EXTRA_CA_CERTS, as for every Node program. With `work` in place of a job it stays, and
// does one job after the other, as `faultdeck judge` gives them to a worker.

import http from "node:http";
import https from "node:https";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

const API = "/api/forensics/case_management";
const OFFENSES = "/api/siem/offenses";
// How many elements of a list are asked for at a time.
const PAGE = 50;
const VERSION = "26.0";
const RETRIES = 3;
const RETRIED = new Set([429, 500, 502, 503, 504]);
const FIRST_PAUSE_MS = 50;
// Answers without a state in a row after which none is expected any more.
const STATELESS_MAX = 10;
const EXIT = { error: 1, not_found: 4, server_error: 5, rejected: 6, gave_up: 7 };
const EXIT_OF_TASK = { done: 0, usable: 3, pending: 8 };
/** The job is over; how, its outcome says. */
class Ended extends Error {
  constructor(outcome, details = {}) {
    super(outcome);
    this.outcome = { outcome, ...details };
  }
}

/** The task is reported as it came: its text, and how it stands. */
class Reported extends Error {
  constructor(standing, text) {
    super(standing);
    this.standing = standing;
    this.text = text;
  }
}

/** There is no whole answer. */
class Trouble extends Error {
  constructor(message, wasSent) {
    super(message);
    this.wasSent = wasSent;
  }
}

/** A whole answer of the console. */
class Answer {
  constructor(status, headers, text) {
    this.status = status;
    this.headers = headers;
    this.text = text;
    try {
      this.json = JSON.parse(text);
    } catch {
      this.json = undefined;
    }
  }

  /** The console's own code for an error. */
  get code() {
    return Number.isInteger(this.json?.code) ? this.json.code : undefined;
  }

  get isPage() {
    return (this.headers["content-type"] ?? "").toLowerCase().includes("html");
  }

  /** The answer itself if it holds a task; else the end of the job. */
  task() {
    this.check();
    if (this.json === null || typeof this.json !== "object" || Array.isArray(this.json)) {
      throw new Ended("error", { text: "the answer is no task" });
    }
    return this;
  }

  /** The elements of the answer if it is a list; else the end of the job. */
  page() {
    this.check();
    if (!Array.isArray(this.json)) throw new Ended("error", { text: "the answer is no list" });
    return this.json;
  }

  /** How many elements the list has, if the answer says so: `items 0-49/101`, or `items *\/101`. */
  get total() {
    const [, total] = /\/\s*(\d+)\s*$/.exec(this.headers["content-range"] ?? "") ?? [];
    return total === undefined ? undefined : Number(total);
  }

  /** Ends the job if the answer is an error. */
  check() {
    if (this.status === 404 && this.code === 1002) throw new Ended("not_found", { code: this.code });
    if (this.status >= 500) throw new Ended("server_error", { code: this.code });
    if (this.status === 429) throw new Ended("gave_up");
    if (this.status >= 400 && this.status !== 404) throw new Ended("rejected", { code: this.code });
    if (this.status < 200 || this.status > 299 || this.isPage) {
      throw new Ended("error", { text: `${this.status} is no answer of this API: is the base URL right?` });
    }
  }

  /** The state, under the name it has in the samples or in the text of the documentation. */
  get state() {
    return this.json.state ?? this.json.status ?? undefined;
  }

  /** The task's id, digit by digit: it may be greater than a number of JavaScript can be. */
  get id() {
    const { id } = JSON.parse(numbersAsText(this.text));
    return typeof id === "string" && /^-?\d+$/.test(id) ? id : undefined;
  }
}

/** The same JSON with each number as a text, so that no digit is lost. */
function numbersAsText(text) {
  const tokens = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
  return text.replace(tokens, (token) => (token.startsWith('"') ? token : `"${token}"`));
}

/** One request on its way, and its answer, all within `limit` milliseconds. It follows no redirect. */
function exchange(url, { body, ...options }, limit) {
  return new Promise((resolve, reject) => {
    const { request: ask } = url.startsWith("https:") ? https : http;
    const request = ask(url, options);
    let wasSent = false;
    const fail = (error) => {
      clearTimeout(timer);
      reject(new Trouble(`no answer: ${error.message}`, wasSent));
    };
    // A time-out of the socket begins anew with each byte; this one does not.
    // Timers take whole milliseconds and may come one early: what ends at the deadline must not end before it.
    const timer = setTimeout(() => request.destroy(new Error("it took too long")), Math.ceil(limit) + 1);
    request.on("socket", (socket) => {
      const connected = () => (wasSent = true);
      if (!socket.connecting) connected();
      else socket.once(socket.encrypted ? "secureConnect" : "connect", connected);
    });
    request.on("error", fail);
    request.on("response", (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", fail);
      response.on("end", () => {
        clearTimeout(timer);
        if (!response.complete) return fail(new Error("it was cut short"));
        try {
          const text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
          resolve(new Answer(response.statusCode, response.headers, text));
        } catch (error) {
          fail(error);
        }
      });
    });
    request.end(body);
  });
}

/** A console, the token for it, and the time there is. */
class Console {
  constructor(base, token, deadlineMs) {
    this.base = base.replace(/\/+$/, "").replace(/\/api$/, "");
    this.token = token;
    this.until = performance.now() + deadlineMs;
    this.requestMs = deadlineMs / 3;
    this.warned = false;
  }

  get left() {
    return this.until - performance.now();
  }

  async pause(ms) {
    await sleep(Math.max(0, Math.ceil(Math.min(ms, this.left + 1))));
  }

  /** One request and its answer, all within the time a request has. */
  once(url, options) {
    const limit = Math.min(this.requestMs, this.left);
    if (limit <= 0) throw new Ended("gave_up");
    return exchange(url, options, limit);
  }

  /** A request, sent again with growing pauses while that may help. */
  async send(method, path, { fields, body, retriesLost = true, window } = {}) {
    const headers = { SEC: this.token, Version: VERSION, Accept: "application/json" };
    let url = this.base + path;
    if (window) headers.Range = `items=${window.join("-")}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (fields && method === "GET") url += `?fields=${encodeURIComponent(fields)}`;
    else if (fields) headers.fields = fields;
    // One connection a request: none that the console has given up meanwhile.
    const options = { method, headers, agent: false, body: body === undefined ? undefined : JSON.stringify(body) };
    for (let attempt = 0; ; attempt++) {
      let pause = FIRST_PAUSE_MS * 2 ** attempt;
      let answer, trouble;
      try {
        answer = await this.once(url, options);
        this.warn(answer);
        const isSuccess = answer.status >= 200 && answer.status <= 299;
        // A body that is broken on the way is as good as none.
        if (isSuccess && answer.json === undefined && !answer.isPage) throw new Trouble("the answer is not JSON", true);
        if (!RETRIED.has(answer.status) || !retriesLost) return answer;
        pause = Math.max(pause, retryAfterMs(answer));
      } catch (error) {
        if (!(error instanceof Trouble) || (error.wasSent && !retriesLost)) throw error;
        trouble = error;
      }
      if (attempt === RETRIES || this.left <= pause) {
        if (trouble) throw trouble;
        return answer;
      }
      if (trouble) remark(trouble.message);
      await this.pause(pause);
    }
  }

  warn(answer) {
    const deprecated = answer.headers.deprecated;
    if (!deprecated || this.warned) return;
    this.warned = true;
    remark(`the console says that version ${VERSION} is deprecated: ${deprecated}`);
  }
}

/** The milliseconds that the console asks for before the next attempt. */
function retryAfterMs(answer) {
  const text = answer.headers["retry-after"] ?? "";
  return /^\d+$/.test(text) ? Number(text) * 1000 : 0;
}

function remark(text) {
  console.error(text);
}

/** The names at the top level of a selector. */
function names(fields) {
  let flat = fields;
  while (flat.includes("(")) {
    const next = flat.replace(/\([^()]*\)/g, "");
    if (next === flat) break;
    flat = next;
  }
  return flat.split(",").map((name) => name.trim());
}

function report(answer) {
  const standings = { COMPLETE: "done", PARTIALLY_COMPLETE: "usable" };
  throw new Reported(standings[answer.state] ?? "pending", answer.text);
}

async function get(target, id, fields) {
  const answer = await target.send("GET", `${API}/case_create_tasks/${encodeURIComponent(id)}`, { fields });
  report(answer.task());
}

/** Polls until the task is done, an error is final, or the time is up. */
async function wait(target, id, fields, paceMs) {
  // A selector without the state leaves nothing to decide by: then the whole task is asked for.
  const decides = fields && names(fields).some((name) => name === "state" || name === "status");
  const asked = decides ? fields : undefined;
  const path = `${API}/case_create_tasks/${encodeURIComponent(id)}`;
  let partial, last, unchanged = 0, stateless = 0;
  for (;;) {
    let task;
    try {
      task = (await target.send("GET", path, { fields: asked })).task();
    } catch (error) {
      if (partial && target.left <= 0) report(partial);
      throw error;
    }
    const state = task.state;
    if (state === "COMPLETE") report(task);
    stateless = state === undefined ? stateless + 1 : 0;
    if (stateless > STATELESS_MAX) throw new Ended("error", { text: "the task comes without its state" });
    if (state !== undefined) partial = state === "PARTIALLY_COMPLETE" ? task : undefined;
    unchanged = state === last ? unchanged + 1 : 0;
    last = state;
    // The longer nothing changes, the less often it is worth asking.
    await target.pause(paceMs * 2 ** Math.min(Math.floor(unchanged / 4), 6));
    if (target.left <= 0) {
      if (partial) report(partial);
      throw new Ended("gave_up");
    }
  }
}

/** Creates a case, once, and waits for its task. */
async function create(target, name, fields, paceMs) {
  // Without the id there is no task to wait for: then the whole answer is asked for.
  const asked = fields && names(fields).includes("id") ? fields : undefined;
  const body = { name, assigned_to: ["analyst"] };
  let answer;
  try {
    answer = await target.send("POST", `${API}/cases`, { fields: asked, body, retriesLost: false });
  } catch (error) {
    if (!(error instanceof Trouble) || !error.wasSent) throw error;
    remark(error.message);
    await lookUp(target, name);
    throw new Ended("gave_up");
  }
  if (answer.status === 404 && answer.code === 1002) {
    throw new Ended("error", { text: "404 with code 1002 for a creation" });
  }
  const { id } = answer.task();
  if (id === undefined) throw new Ended("error", { text: "the case is created, but the answer names no task" });
  await wait(target, id, fields, paceMs);
}

/** Reads a list on from where the last element came to, until the total is reached or a page brings nothing new. */
async function listAll(target) {
  // By id: one that comes twice, because the list grew at the front, is one.
  const found = new Map();
  for (;;) {
    const at = found.size;
    const answer = await target.send("GET", OFFENSES, { window: [at, at + PAGE - 1] });
    const page = answer.page();
    for (const element of page) if (!found.has(element.id)) found.set(element.id, element);
    const enough = answer.total === undefined ? page.length < PAGE : found.size >= answer.total;
    // More than was asked for is all there is: the console does not see the window.
    if (enough || page.length > PAGE || found.size === at) {
      throw new Reported("done", JSON.stringify([...found.values()]));
    }
  }
}

/** The answer to a creation is lost: the list tells whether the case exists. It is never created again. */
async function lookUp(target, name) {
  try {
    const cases = (await target.send("GET", `${API}/cases`)).json;
    const known = Array.isArray(cases) && cases.some((one) => one?.name === name || one?.case_name === name);
    remark(known ? "the case is there, its task is not known" : "the case is not there yet");
  } catch (error) {
    remark(`and the cases cannot be listed: ${error.message}`);
  }
}

/** Does one job. What came of it, as one line of JSON, and its exit code. */
async function outcomeOf(job, target, told, paceMs) {
  let outcome;
  try {
    switch (job) {
      case "get":
        await get(target, told.id, told.fields);
        break;
      case "wait":
        await wait(target, told.id, told.fields, paceMs);
        break;
      case "create":
        await create(target, told.name, told.fields, paceMs);
        break;
      case "list":
        await listAll(target);
        break;
      default:
        throw new Ended("error", { text: "name the job: get, wait, create or list" });
    }
  } catch (error) {
    if (error instanceof Reported) {
      const task = error.text.trim().replace(/[\r\n]/g, " ");
      return [`{"outcome":"task","standing":"${error.standing}","task":${task}}`, EXIT_OF_TASK[error.standing]];
    }
    if (error instanceof Ended) outcome = error.outcome;
    else if (error instanceof Trouble && target.left <= 0) outcome = { outcome: "gave_up" };
    else if (error instanceof Trouble) outcome = { outcome: "error", text: error.message };
    else throw error;
  }
  return [JSON.stringify(outcome), EXIT[outcome.outcome]];
}

/** Does one job after the other: each is a line on standard input, and what came of it one on standard output. */
async function work() {
  process.stdout.write('{"faultdeck":1,"jobs":["get","wait","create","list"]}\n');
  for await (const line of createInterface({ input: process.stdin })) {
    const told = JSON.parse(line);
    const target = new Console(told.base_url, told.sec, told.deadline_ms);
    const [outcome] = await outcomeOf(told.job, target, { ...told, id: told.id_text }, told.pace_ms);
    process.stdout.write(`{"case":${told.case},${outcome.slice(1)}\n`);
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: Object.fromEntries(
      ["base", "id", "name", "fields", "pace-ms", "deadline-ms"].map((name) => [name, { type: "string" }]),
    ),
  });
  if (positionals[0] === "work") return work();
  const paceMs = Number(values["pace-ms"] ?? 1000);
  const target = new Console(values.base, process.env.SEC_TOKEN, Number(values["deadline-ms"] ?? 60_000));
  const [outcome, code] = await outcomeOf(positionals[0], target, values, paceMs);
  process.stdout.write(`${outcome}\n`);
  process.exitCode = code;
}

await main();
