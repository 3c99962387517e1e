// A session that counts what the server says stays, or not: node websdk_keep_alive.js HTTP_URL WS_URL SECONDS OPTIONS
const { run } = require('./websdk.js');

const [http, ws, seconds, options] = process.argv.slice(2);

run(async (open) => {
  const page = await open(http);
  return page.evaluate(async ([url, time, given]) => {
    const session = await websdk.connect(url, given);
    await websdk.wait(time);
    return { status: session.status() };
  }, [ws, Number(seconds), JSON.parse(options)]);
});
