// People at a real browser: Debian's chromium, headless, each of them in a context of their own, with cookies of their own.
//
//   CHROMIUM=/usr/bin/chromium node pages.mjs
//
// prints {"ready":true} once the browser is there, then takes one command a line on standard input, as JSON, and answers each with
// one line on standard output. A command that cannot be done is answered {"error":"…"}. It ends when its standard input closes.
// What it reports is judged by whoever asks.
//
// Commands; `person` is any name, and a person who was not seen before sits down at a fresh browser
//   {"do":"visit", person, url, "scripts":false?}   goes there; `scripts` holds from then on
//   {"do":"tab", person, "to":"Yes"}                presses Tab until that has the focus, by the name that a screen reader tells;
//                                                   answers {passed, shown}: what had it before, and whether one can see that it has it
//   {"do":"type", person, text}                     types into what has the focus
//   {"do":"press", person, key, "settle":true?}     presses a key and waits for the page that comes of it
//   {"do":"settle", person}                         waits until the page does not go on by itself
//   {"do":"look", person}                           tells of the page: {url, status, title, lang, text, headings, scripts}
//   {"do":"audit", person}                          what axe-core finds in light and in dark: {findings: [{colors, rule, nodes}],
//                                                   inks: {light, dark}, the color of text}
//   {"do":"cookies", person}                        the cookies of this browser: {cookies: [{name, value, path, httpOnly, …}]}
// `visit`, `press` and `settle` answer like `look`, once there is a page that does not go on by itself; `press` at once where
// `settle` is false.
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import puppeteer from 'puppeteer-core';

/** How long a page may take: the machine is busy with other tests. */
const PATIENCE_MS = 60_000;
/** Between two looks at a page that goes on by itself. */
const PAUSE_MS = 100;
/** More focusable elements than any page of ours has. */
const MOST_TABS = 40;

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM,
  // Without privileges the sandbox needs what containers do not grant; the pages are our own.
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--no-proxy-server'],
  timeout: PATIENCE_MS,
  protocolTimeout: PATIENCE_MS,
});
const people = new Map();

// A parent that was killed may have left its end of the pipe to another child.
const parent = process.ppid;
setInterval(() => { if (process.ppid !== parent) process.exit(0); }, 500).unref();

console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await obey(JSON.parse(line)).catch((error) => ({ error: String(error) }))));
}
await browser.close();

async function obey({ do: verb, person, ...details }) {
  const commands = { visit, tab, type, press, settle: settled, look, audit, cookies };
  if (!commands[verb]) throw new Error(`no command ${verb}`);
  return commands[verb](await seat(person), details);
}

/** The page in front of a person. */
async function seat(person) {
  if (!people.has(person)) {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const seated = { context, page, status: null };
    // Of a chain of redirects, the last one counts.
    page.on('response', (answer) => {
      if (answer.request().isNavigationRequest() && answer.frame() === page.mainFrame()) seated.status = answer.status();
    });
    people.set(person, seated);
  }
  return people.get(person);
}

// ---- going places -----------------------------------------------------------------------------------------------

async function visit(seated, { url, scripts }) {
  if (scripts !== undefined) await seated.page.setJavaScriptEnabled(scripts);
  await seated.page.goto(url, { waitUntil: 'load' });
  return settled(seated);
}

async function press(seated, { key, settle = true }) {
  await Promise.all([seated.page.waitForNavigation({ waitUntil: 'load' }), seated.page.keyboard.press(key)]);
  return settle ? settled(seated) : glance(seated);
}

/** A page that goes on by itself, as it stands: it may do so at the very moment of the look. */
async function glance(seated) {
  for (let waited = 0; ; waited += PAUSE_MS) {
    try {
      return await look(seated);
    } catch (error) {
      if (waited > PATIENCE_MS) throw error;
      await delay(PAUSE_MS);
    }
  }
}

/** A page that refreshes itself is none to look at: under the eyes of the person there will be another one. */
async function settled(seated) {
  const isOnItsWay = () => seated.page.$('meta[http-equiv="refresh"]').then(Boolean, () => true);
  for (let waited = 0; await isOnItsWay(); waited += PAUSE_MS) {
    if (waited > PATIENCE_MS) throw new Error(`${seated.page.url()} goes on and on`);
    await delay(PAUSE_MS);
  }
  return look(seated);
}

async function look({ page, status }) {
  const seen = await page.evaluate(() => ({
    title: document.title,
    lang: document.documentElement.lang,
    text: document.body.innerText,
    headings: [...document.querySelectorAll('h1')].map((heading) => heading.innerText),
    scripts: document.scripts.length,
  }));
  return { url: page.url(), status, ...seen };
}

// ---- hands --------------------------------------------------------------------------------------------------------

async function tab({ page }, { to }) {
  const passed = [];
  for (let presses = 0; presses < MOST_TABS; presses += 1) {
    // A page may give the focus to something by itself.
    const focus = await focused(page);
    if (focus?.name === to) return { passed, shown: focus.shown };
    if (focus) passed.push(focus.name);
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab never leads to ${JSON.stringify(to)}, only to ${JSON.stringify([...new Set(passed)])}`);
}

/** What has the focus, by the name that a screen reader tells, and whether it looks different for it. */
async function focused(page) {
  const handle = await page.evaluateHandle(() => document.activeElement);
  const element = handle.asElement();
  const isOnPage = await element?.evaluate((node) => node !== document.body);
  if (!isOnPage) return null;
  const tree = await page.accessibility.snapshot({ root: element, interestingOnly: false });
  const shown = await element.evaluate((node) => {
    const look = () => {
      const style = getComputedStyle(node);
      return ['outlineStyle', 'outlineWidth', 'boxShadow', 'borderColor', 'backgroundColor'].map((part) => style[part]).join();
    };
    const focused = look();
    node.blur();
    const plain = look();
    node.focus({ focusVisible: true });
    return focused !== plain;
  });
  return { name: tree?.name ?? '', shown };
}

async function type({ page }, { text }) {
  await page.keyboard.type(text);
  return {};
}

// ---- eyes ---------------------------------------------------------------------------------------------------------

async function audit({ page }) {
  const runsScripts = page.isJavaScriptEnabled();
  await page.setJavaScriptEnabled(true);
  const findings = [];
  const inks = {};
  for (const colors of ['light', 'dark']) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: colors }]);
    inks[colors] = await page.evaluate(() => getComputedStyle(document.body).color);
    // Nothing of ours paints the page's canvas, which axe-core takes for white then: say what the browser paints.
    await page.evaluate(() => { document.documentElement.style.backgroundColor = 'Canvas'; });
    await page.evaluate(axe);
    const { violations, passes } = await page.evaluate(() => globalThis.axe.run());
    const where = ({ html, failureSummary }) => `${html}: ${failureSummary}`;
    findings.push(...violations.map(({ id, nodes }) => ({ colors, rule: id, nodes: nodes.map(where) })));
    // A page on which nothing could be checked has no violations either.
    if (!passes.some(({ id }) => id === 'color-contrast')) findings.push({ colors, rule: 'nothing was checked', nodes: [] });
  }
  await page.emulateMediaFeatures([]);
  await page.setJavaScriptEnabled(runsScripts);
  return { findings, inks };
}

async function cookies({ context }) {
  const told = ({ name, value, path, httpOnly, secure, sameSite }) => ({ name, value, path, httpOnly, secure, sameSite });
  return { cookies: (await context.cookies()).map(told) };
}
