// Opens one URL in headless Chromium and tells its server when the first picture is on show and when a seek to 80 % is
// done: node first_picture.js URL
const { chromium } = require('playwright-core');

(async () => {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--disable-gpu'],
  });
  try {
    const page = await browser.newPage();
    await page.goto(new URL('/health', process.argv[2]).href);
    const seen = await page.evaluate(async (url) => {
      await fetch('/mark/begin');
      const video = document.createElement('video');
      video.muted = true;
      video.preload = 'auto';
      document.body.append(video);
      const happens = (start, what) => new Promise((done, fail) => {
        setTimeout(() => fail(new Error(`${what} did not happen`)), 30000);
        video.addEventListener('error', () => fail(new Error(`${what}: ${video.error.message}`)));
        start(done);
      });
      await happens((done) => { video.requestVideoFrameCallback(done); video.src = url; }, 'the first picture');
      await fetch('/mark/first');
      await happens((done) => { video.addEventListener('seeked', done); video.currentTime = 0.8 * video.duration; }, 'the seek');
      await fetch('/mark/sought');
      return { at: video.currentTime, duration: video.duration };
    }, process.argv[2]);
    console.log(JSON.stringify(seen));
  } finally {
    await browser.close();
  }
})().catch((error) => { console.error(error.message); process.exit(1); });
