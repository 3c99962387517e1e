// Plays one URL in headless Chromium, seeks in it, and prints what was seen as JSON: node browser.js URL
const { chromium } = require('playwright-core');

(async () => {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--disable-gpu'],
  });
  try {
    const page = await browser.newPage();
    // A page of the server itself, so that the video is of the same origin.
    await page.goto(new URL('/health', process.argv[2]).href);
    const seen = await page.evaluate(async (url) => {
      const video = document.createElement('video');
      video.muted = true;
      video.src = url;
      document.body.append(video);
      const until = (condition, what) => new Promise((done, fail) => {
        const end = performance.now() + 20000;
        const look = () => {
          if (video.error) fail(new Error(`${what}: ${video.error.message}`));
          else if (condition()) done();
          else if (performance.now() > end) fail(new Error(`${what} did not happen, at ${video.currentTime}`));
          else setTimeout(look, 20);
        };
        look();
      });
      await until(() => video.readyState >= 1, 'metadata');
      await video.play();
      await until(() => video.currentTime > 0, 'the first frame');
      const played_from = video.currentTime;
      await until(() => video.currentTime > played_from + 0.6, 'playing');
      const played_to = video.currentTime;
      const seeks = [];
      for (const wanted of [4.2, 1.1, 3.0]) {
        video.pause();
        video.currentTime = wanted;
        await until(() => !video.seeking && video.readyState >= 2, `seeking to ${wanted}`);
        const reached = video.currentTime;
        await video.play();
        await until(() => video.currentTime > reached + 0.2, `playing from ${wanted}`);
        seeks.push([wanted, reached, video.currentTime]);
      }
      return { error: video.error && video.error.message, width: video.videoWidth, height: video.videoHeight,
               duration: video.duration, played_from, played_to, seeks };
    }, process.argv[2]);
    console.log(JSON.stringify(seen));
  } finally {
    await browser.close();
  }
})().catch((error) => { console.error(error.message); process.exit(1); });
