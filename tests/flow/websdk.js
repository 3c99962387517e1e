// Pages of headless Chromium with the unmodified WebSDK, for the scripts beside us. Its camera and microphone are fake.
const { chromium } = require('playwright-core');

const sdk = require.resolve('@flashphoner/websdk/flashphoner-webrtc-only.js');

// In the page: sessions and streams as promises; each keeps the statuses that its callbacks saw.
const helpers = () => {
  const { SESSION_STATUS, STREAM_STATUS } = Flashphoner.constants;
  Flashphoner.init();
  const holder = () => {
    const div = document.createElement('div');
    document.body.append(div);
    return div;
  };
  const wait = (seconds) => new Promise((done) => { setTimeout(done, seconds * 1000); });

  window.websdk = {
    wait,
    connect: (url, options = {}) => new Promise((done, fail) => {
      const session = Flashphoner.createSession({ urlServer: url, ...options });
      session.on(SESSION_STATUS.ESTABLISHED, () => done(session));
      session.on(SESSION_STATUS.FAILED, () => fail(new Error(SESSION_STATUS.FAILED)));
      session.on(SESSION_STATUS.DISCONNECTED, () => fail(new Error(SESSION_STATUS.DISCONNECTED)));
    }),
    // `statuses` grows; `reached(status)` resolves when it was seen; `ended` with what the page knows at the end, and with
    // what `atEnd`, if there is one, does right in the SDK's callback.
    stream: (session, options) => {
      const waiting = [];
      const kept = { statuses: [], holder: holder() };
      const stream = session.createStream({ display: kept.holder, ...options });
      let end;
      kept.stream = stream;
      kept.ended = new Promise((done) => { end = done; });
      kept.reached = (status) => new Promise((done, fail) => {
        if (kept.statuses.includes(status)) done();
        else waiting.push({ status, done, fail });
      });
      const last = [STREAM_STATUS.UNPUBLISHED, STREAM_STATUS.STOPPED, STREAM_STATUS.FAILED];
      for (const status of [STREAM_STATUS.PUBLISHING, STREAM_STATUS.PLAYING, ...last]) {
        stream.on(status, (seen) => {
          kept.statuses.push(status);
          for (const one of waiting) {
            if (one.status === status) one.done();
            else if (last.includes(status)) one.fail(new Error(`${status}: ${seen.getInfo()}, not ${one.status}`));
          }
          if (last.includes(status)) {
            const known = { status, info: seen.getInfo(), record: seen.getRecordInfo(), statuses: kept.statuses };
            Promise.resolve(kept.atEnd && kept.atEnd(known)).then((done) => end({ ...known, done }));
          }
        });
      }
      return kept;
    },
  };
};

// Runs `body(open)` and prints what it gives as JSON, with what the pages' consoles complained about as `errors`.
// `open(url)` gives a page with the SDK in it and `websdk` beside it; `listen(page)` keeps another page's complaints too.
exports.run = async (body) => {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required',
           '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
  });
  const errors = [];
  const listen = async (page) => {
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (line) => { if (line.type() === 'error') errors.push(`${line.text()} ${line.location().url}`); });
    await page.route('**/favicon.ico', (asked) => asked.fulfill({ status: 204 }));
    return page;
  };
  const open = async (url) => {
    const page = await listen(await browser.newPage());
    // Every connection's own statistics, for tests that look at packets.
    await page.addInitScript(() => {
      window.peers = [];
      const Peer = window.RTCPeerConnection;
      window.RTCPeerConnection = class extends Peer {
        constructor(...given) { super(...given); window.peers.push(this); }
      };
    });
    await page.goto(new URL('/health', url).href);
    await page.addScriptTag({ path: sdk });
    await page.evaluate(helpers);
    return page;
  };
  try {
    const seen = await body(open, browser, listen);
    console.log(JSON.stringify({ ...seen, errors }));
  } catch (error) {
    console.error(error.stack, errors);
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
};

// In the page: what its newest connection has received so far; `delay` is how many seconds it was kept before it was shown,
// on average.
const received = async () => {
  const stats = [...(await peers.at(-1).getStats()).values()];
  const seen = { sound: { energy: 0, codec: '' }, picture: { frames: 0, codec: '' } };
  for (const one of stats) {
    if (one.type !== 'inbound-rtp') continue;
    const codec = (stats.find((s) => s.id === one.codecId) || { mimeType: '' }).mimeType;
    if (one.kind === 'audio') seen.sound = { energy: one.totalAudioEnergy, codec };
    else seen.picture = { frames: one.framesDecoded, codec };
    seen[one.kind === 'audio' ? 'sound' : 'picture'].delay = one.jitterBufferDelay / one.jitterBufferEmittedCount;
  }
  return seen;
};
exports.received = received;

// Plays a stream in the page until pictures moved for two seconds; the first was there after `waited` ms. `ended()` waits
// for its end.
exports.watch = async (page, ws, name) => {
  const seen = await page.evaluate(async ([url, stream]) => {
    const session = await websdk.connect(url);
    window.kept = websdk.stream(session, { name: stream });
    kept.stream.play();
    await kept.reached('PLAYING');
    const began = performance.now();
    const video = await new Promise((done) => {
      const look = () => {
        const found = kept.holder.querySelector('video');
        if (found && found.videoWidth > 2 && found.currentTime > 0) done(found);
        else setTimeout(look, 20);
      };
      look();
    });
    const waited = performance.now() - began;
    const first = video.currentTime;
    await websdk.wait(2);
    return { waited, width: video.videoWidth, height: video.videoHeight, played: video.currentTime - first };
  }, [ws, name]);
  const ended = page.evaluate(() => kept.ended).catch(() => null);  // the page may be closed before
  return { ...seen, ...(await page.evaluate(received)), ended: () => ended };
};
