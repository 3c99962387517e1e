// Runs the WebSDK's own tests on a page of the server: node websdk_mocha.js PAGE_URL
const { run } = require('./websdk.js');

run(async (open, browser, listen) => {
  const page = await listen(await browser.newPage());
  await page.goto(process.argv[2]);
  await page.waitForFunction(() => window.results, null, { timeout: 120000 });
  return { results: await page.evaluate(() => window.results) };
});
