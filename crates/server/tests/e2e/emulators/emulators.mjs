// GitHub, Google and Microsoft as npm `emulate` plays them, for the end-to-end tests. They listen on loopback only.
//
//   node emulators.mjs  once all listen, prints one line on stdout: {"github":"http://127.0.0.1:…","google":…,"microsoft":…}
//
// What they say of themselves is what the real ones say: ID tokens come from https://accounts.google.com and from
// https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0, the tenant of personal accounts. Every
// one knows the client `emulated` with the secret `emulated-secret`, one user, and the redirect URI in REDIRECT_URI.
// They end when standard input closes. Known liberties: a wrong PKCE verifier is taken by GitHub's, none has a device
// flow, and none revokes as the real ones do.
import { createEmulator } from 'emulate';

const ISSUERS = {
  github: 'https://github.com',
  google: 'https://accounts.google.com',
  microsoft: 'https://login.microsoftonline.com',
};
const USERS = {
  github: { login: 'octo', name: 'Octo Cat', email: 'octo@example.test' },
  google: { email: 'grace@example.test', name: 'Grace Example' },
  microsoft: { email: 'mia@example.test', name: 'Mia Example' },
};
const CLIENT = {
  client_id: 'emulated',
  client_secret: 'emulated-secret',
  name: 'Emulated',
  redirect_uris: [process.env.REDIRECT_URI ?? 'http://127.0.0.1:1/cb'],
};

endWithParent();
// Standard output carries the one ready line, so the library's notices go to standard error.
console.info = console.log = console.error;
const ready = {};
for (const service of Object.keys(ISSUERS)) ready[service] = await start(service);
process.stdout.write(`${JSON.stringify(ready)}\n`);

async function start(service) {
  const clients = service === 'github' ? { oauth_apps: [CLIENT] } : { oauth_clients: [CLIENT] };
  const seed = { [service]: { users: [USERS[service]], ...clients } };
  const port = await freePort();
  await createEmulator({ service, port, hostname: '127.0.0.1', baseUrl: ISSUERS[service], seed });
  return `http://127.0.0.1:${port}`;
}

// The library tells nobody which port it was given.
async function freePort() {
  const { createServer } = await import('node:net');
  const probe = createServer();
  await new Promise((resolve) => { probe.listen(0, '127.0.0.1', resolve); });
  const { port } = probe.address();
  await new Promise((resolve) => { probe.close(resolve); });
  return port;
}

function endWithParent() {
  const end = () => process.exit(0);
  process.stdin.on('end', end).on('close', end).on('error', end).resume();
  // A parent that was killed may have left its end of the pipe to another child.
  const parent = process.ppid;
  setInterval(() => { if (process.ppid !== parent) end(); }, 500).unref();
}
