// Uses the Stream Recording page as a visitor does, once for each format, then where it cannot record:
// node stream_recording.js HTTP_URL FOLDER FORMAT...; what is downloaded comes into the folder.
const path = require('path');
const { run } = require('./websdk.js');

const [http, folder, ...formats] = process.argv.slice(2);
const address = new URL('/client2/examples/stream_recording/', http).href;

run(async (open, browser, listen) => {
  const visit = async (query = '') => {
    const page = await listen(await browser.newPage({ viewport: { width: 360, height: 740 } }));
    await page.goto(address + query);
    return page;
  };
  const press = (page, name) => page.getByRole('button', { name }).click();
  const stop_is_offered = (page) => page.waitForFunction(() => !document.getElementById('stop').disabled);

  const page = await visit();
  const recordings = [];
  for (const format of formats) {
    await page.getByLabel('File').selectOption({ label: format });
    await page.getByLabel('Stream name').fill(`visit ${recordings.length}`);
    await press(page, 'Start');
    await stop_is_offered(page);
    const during = await page.getByRole('status').textContent();
    const preview = await page.evaluate(async () => {
      await new Promise((done) => { setTimeout(done, 2000); });
      return document.querySelector('#preview video').videoWidth;
    });
    await press(page, 'Stop');
    const link = page.getByRole('link', { name: 'Download' });
    await link.waitFor();
    const played = await page.evaluate(async () => {
      const player = document.getElementById('player');
      player.muted = true;
      await player.play();
      await new Promise((done) => { player.addEventListener('timeupdate', () => { if (player.currentTime > 0.5) done(); }); });
      return { width: player.videoWidth, height: player.videoHeight };
    });
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    const name = download.suggestedFilename();
    await download.saveAs(path.join(folder, name));
    recordings.push({ during, preview, played, name, status: await page.getByRole('status').textContent(),
                      error: await page.getByRole('alert').textContent(),
                      overflows: await page.evaluate(() => document.documentElement.scrollWidth > innerWidth) });
  }

  const complaint = async (refused) => {
    await press(refused, 'Start');
    const alert = refused.locator('[role=alert]:not(:empty)');
    await alert.waitFor();
    return { text: await alert.textContent(), can_start: await refused.getByRole('button', { name: 'Start' }).isEnabled() };
  };
  const lost = await complaint(await visit('?urlServer=ws://127.0.0.1:9'));
  const denied = await visit();
  await denied.evaluate(() => {
    navigator.getUserMedia = (wish, granted, refused) => refused(new DOMException('Permission denied', 'NotAllowedError'));
  });
  return { recordings, lost, denied: await complaint(denied) };
});
